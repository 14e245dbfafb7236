//! The museum: published slips, each refuted or refused beside the statement that holds.
//!
//! The expected verdicts are in the specs (`expecting ...`), the numbers in the comments there come from the cited places.

use std::path::Path;
use std::process::{Command, Output};

fn supremum(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_supremum")).current_dir(root).args(arguments).output().expect("the binary runs")
}

fn exhibits() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/museum");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the museum")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().to_string())
        .filter_map(|name| name.strip_suffix(".spec").map(str::to_string))
        .collect();
    names.sort();
    names
}

#[test]
fn every_exhibit_shows_a_slip_and_what_holds_instead() {
    let exhibits = exhibits();
    assert!(exhibits.len() >= 24, "{}", exhibits.len());
    for name in &exhibits {
        let path = format!("specs/museum/{name}.spec");
        let output = supremum(&["check", &path, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{path}: {}", String::from_utf8_lossy(&output.stdout));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let items = json["items"].as_array().expect("items");
        let count = |verdict: &str| items.iter().filter(|item| item["verdict"] == verdict).count();
        assert!(count("refuted") + count("error") >= 1, "{path} shows no slip");
        assert!(count("proved") >= 1, "{path} shows nothing that holds");
        let text = supremum(&["check", &path]);
        assert!(text.stderr.is_empty(), "{path}: {}", String::from_utf8_lossy(&text.stderr));
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../snapshots/museum");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| {
            insta::assert_snapshot!(format!("check@{name}"), String::from_utf8_lossy(&text.stdout));
        });
    }
}

/// Each exhibit says in its text where the statement was published or that no place is named.
#[test]
fn the_catalogue_names_every_exhibit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = std::fs::read_to_string(root.join("docs/museum.md")).expect("the catalogue");
    for name in exhibits() {
        assert!(catalogue.contains(&format!("`{name}`")), "docs/museum.md lacks `{name}`");
        let text = std::fs::read_to_string(root.join(format!("specs/museum/{name}.spec"))).expect("a spec");
        assert!(text.contains("-- Place: ") || text.contains("-- Statement"), "{name} names no place");
    }
}

#[test]
fn an_expected_error_is_a_success_only_if_it_is_that_error() {
    let folder = std::env::temp_dir().join(format!("supremum-museum-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (claim, exit) in [
        ("1/0 <= 1 expecting error E0301", 0),
        ("1/0 <= 1 expecting error E0302", 3),
        ("1 <= 2 expecting error E0301", 1),
        ("vcdim(halfspaces(2)) <= ? by sauer_shelah expecting error E0302", 4),
        ("growth(halfspaces(100), 10) <= ? by sauer_shelah expecting error E0302", 0),
        // Errors of words and units, found before anything is proved.
        ("code_length(h, S) + kl(Q, P) <= 1 expecting error E0212", 0),
        ("smoothed_nll(f, 2, 1/2) + mutual_information(f, S) <= 1 expecting error E0212", 0),
        ("smoothed_nll(f, 2, 1/2) + mutual_information(f, S) <= 1 expecting error E0131", 3),
        ("vcdim(halfspaces(2)) <= ? by bhlm2017 expecting error E0009", 0),
        ("1 <= 2 by bhlm2017 expecting error E0302", 3),
        ("1 <= 2 expecting error", 3),
        ("1 <= 2 expecting error 302", 3),
    ] {
        let path = folder.join("claim.spec");
        std::fs::write(&path, format!("claim t : {claim}\n")).expect("written");
        let output = supremum(&["check", &path.to_string_lossy()]);
        assert_eq!(output.status.code(), Some(exit), "{claim}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}
