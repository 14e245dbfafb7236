//! The search for counterexamples: it finds planted errors and does not flag the library.

use std::process::{Command, Output};
use supremum::falsify::{Finding, Options, falsify};
use supremum::text::Source;
use supremum::theory::{Library, compile};

fn supremum(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_supremum")).current_dir(root).args(arguments).output().expect("the binary runs")
}

fn wrong() -> Library {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/falsify/wrong.thm"));
    let source = Source::new("wrong.thm", text.expect("the file")).expect("a text");
    let mut library = Library::default();
    let problems = library.add_source(&source, compile::Origin::User);
    assert!(problems.is_empty(), "{problems:?}");
    library
}

#[test]
fn every_planted_error_is_found() {
    let library = wrong();
    assert!(library.entries.len() >= 30);
    let missed: Vec<String> = library
        .entries
        .iter()
        .filter_map(|entry| {
            let finding = falsify(&entry.theorem, &Options { instances: 600, seed: 1 }, &mut |_, _| true);
            (!matches!(finding, Finding::Counterexample { .. })).then(|| format!("{}: {finding:?}", entry.theorem.name))
        })
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// A counterexample to a theorem of the library would be an error in the library or in the search: either is a defect.
#[test]
fn the_library_survives() {
    let (library, _) = Library::embedded();
    let mut survived = Vec::new();
    for entry in &library.entries {
        match falsify(&entry.theorem, &Options { instances: 60, seed: 3 }, &mut |_, _| true) {
            Finding::Counterexample { instance, statement, .. } => {
                panic!("{}: {statement}\n{instance:#?}", entry.theorem.name);
            }
            Finding::Survived { .. } => survived.push(entry.theorem.name.as_str()),
            Finding::OutOfReach { .. } | Finding::Stopped { .. } => {}
        }
    }
    for name in [
        "vc.sauer_shelah",
        "vc.sauer_sum",
        "vc.halfspaces",
        "vc.boxes",
        "vc.cover_count",
        "lipschitz.norm_product",
        "rademacher.peeling",
        "rademacher.golowich_rakhlin_shamir",
        "norms.spectral_frobenius",
        "covering.box",
        "covering.cube",
        "test_set.clopper_pearson",
        "test_set.kl",
        "test_set.hoeffding",
        "uniform.growth",
        "uniform.realizable",
        "uniform.relative",
        "finite_class.kl",
        "occam.binomial",
    ] {
        assert!(survived.contains(&name), "{name} was not tried: {survived:?}");
    }
}

#[test]
fn the_same_seed_finds_the_same_counterexample() {
    let run = |seed: &str| {
        supremum(&["falsify", "tests/data/falsify/wrong.thm", "--theorem", "wrong.hoeffding", "--seed", seed])
    };
    let (first, again) = (run("5"), run("5"));
    assert_eq!((first.status.code(), &first.stdout), (Some(1), &again.stdout));
    let text = String::from_utf8_lossy(&first.stdout).to_string();
    assert!(
        text.contains("✗ wrong.hoeffding: a counterexample") && text.contains("the bound fails with probability"),
        "{text}"
    );
}

#[test]
fn reports_read_well() {
    let output = supremum(&["falsify", "tests/data/falsify/wrong.thm"]);
    assert_eq!(output.status.code(), Some(1));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("falsify@wrong", String::from_utf8_lossy(&output.stdout)));
}

#[test]
fn exit_codes() {
    let folder = std::env::temp_dir().join(format!("supremum-falsify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let true_one = "theorem t.t(n : natural) requires 1 <= n ensures vcdim(halfspaces(n)) <= n + 1 source \"x\"\n";
    let far = "theorem t.t(N : net) ensures cover(N, 1/2, linf) <= 2 source \"x\"\n";
    for (name, text, exit, says) in [
        ("true", true_one, 0, "no counterexample in"),
        ("far", far, 4, "not computed on tiny instances: cover"),
        ("none", "claim t : 1 <= 2\n", 3, "E0643"),
        ("broken", "theorem t.t( ensures\n", 3, "error"),
        ("untyped", "theorem t.t(n : natural) ensures n <= 2 source \"x\"\n", 3, "E0207"),
    ] {
        let path = folder.join(format!("{name}.thm"));
        std::fs::write(&path, text).expect("written");
        let output = supremum(&["falsify", &path.to_string_lossy()]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{name}\n{said}");
        assert!(said.contains(says), "{name}\n{said}");
    }
    let missing = supremum(&["falsify", "tests/data/falsify/wrong.thm", "--theorem", "wrong.hofding"]);
    assert_eq!(missing.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("did you mean `wrong.hoeffding`?"));
    std::fs::remove_dir_all(&folder).expect("removed");
}
