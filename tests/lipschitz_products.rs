//! Products of layer norms as the command prints them, against `specs/lipschitz/models/reference.json`. The values there are floats
//! (numpy.linalg.norm of each layer, multiplied, double precision), right to some units of their last place: hence the allowance of
//! 1e-12 below, which is on the reference's side.

use std::path::Path;
use std::process::Command;

#[test]
fn products_enclose_the_reference_and_lie_within_a_billionth() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/lipschitz/models");
    let bytes = std::fs::read(folder.join("reference.json")).expect("the reference");
    let reference: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let (mut spec, mut expected) = (String::new(), Vec::new());
    for (name, entry) in reference.as_object().expect("networks") {
        let dims: Vec<String> =
            entry["meta"]["dims"].as_array().expect("sizes").iter().map(|n| n.to_string()).collect();
        spec += &format!("network {name} from \"{name}.safetensors\" as {} relu\n", dims.join(" -> "));
        for norm in ["l2", "linf", "l1"] {
            let value = entry[format!("product_{norm}")]["value"].as_f64().expect("a value");
            spec += &format!("claim {name}_{norm} : lip({name}, {norm}) <= ?  by norm_product\n");
            expected.push((format!("{name}_{norm}"), value));
        }
    }
    // The spec lies beside the networks only in name: names in a spec are relative to its folder.
    let scratch = std::env::temp_dir().join(format!("supremum-products-{}", std::process::id()));
    std::fs::create_dir_all(&scratch).expect("a folder");
    for name in reference.as_object().expect("networks").keys() {
        let file = format!("{name}.safetensors");
        std::fs::copy(folder.join(&file), scratch.join(&file)).expect("copied");
    }
    std::fs::write(scratch.join("all.spec"), spec).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(&scratch)
        .args(["check", "--format", "json", "all.spec"])
        .output()
        .expect("the binary runs");
    std::fs::remove_dir_all(&scratch).expect("removed");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let items = json["items"].as_array().expect("items");
    assert_eq!(items.len(), expected.len());
    for (item, (name, value)) in items.iter().zip(&expected) {
        assert_eq!((item["name"].as_str(), &item["verdict"]), (Some(name.as_str()), &"proved".into()));
        let text = item["upper"].as_str().expect("an upper end");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        let upper = text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q));
        let ratio = upper / value;
        assert!((1.0 - 1e-12..=1.0 + 1e-9).contains(&ratio), "{name}: {upper} against {value}");
    }
}
