//! What `supremum theorems` shows: snapshots, widths, LaTeX that balances, the coverage of the survey, the page in `docs/`.

use std::collections::BTreeSet;
use supremum::report::statement;
use supremum::theory::survey::{self, Kind};
use supremum::theory::{Library, render};

fn library() -> Library {
    let (library, problems) = Library::embedded();
    assert!(problems.is_empty(), "{problems:?}");
    library
}

fn snapshot(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn theorems_are_shown() {
    let library = library();
    let one = |name: &str| library.find(name).unwrap_or_else(|| panic!("no theorem {name}"));
    snapshot("theorems@one", &render::text(one("finite_class.hoeffding")));
    snapshot("theorems@recalled", &render::text(one("uniform.relative")));
    snapshot("theorems@tex", &statement::theorem(one("finite_class.hoeffding")));
    snapshot("theorems@tex_long", &statement::theorem(one("vc.bhlm2019_implicit")));
    let vc = library.entries.iter().filter(|entry| entry.theorem.name.starts_with("vc.")).flat_map(render::line);
    snapshot("theorems@list", &vc.collect::<Vec<_>>().join("\n"));
    snapshot(
        "theorems@rate",
        &render::rate_text(library.rate("margin.bartlett_foster_telgarsky_order").expect("a rate")),
    );
    snapshot("theorems@survey", &survey::text(&library));
}

#[test]
fn no_text_is_wider_than_100_columns() {
    let library = library();
    let mut texts: Vec<String> = library.entries.iter().map(render::text).collect();
    texts.extend(library.rates.iter().map(render::rate_text));
    texts.extend([render::list(&library), survey::text(&library)]);
    for line in texts.iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

#[test]
fn the_page_is_up_to_date() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/theorems.md");
    let found = std::fs::read_to_string(path).expect("docs/theorems.md");
    assert!(
        found.trim_end() == render::page(&library()).trim_end(),
        "docs/theorems.md is not what `cargo run -- theorems --format md > docs/theorems.md` writes"
    );
}

/// Commands that LaTeX with amsmath and booktabs knows, and that the statements use.
const COMMANDS: &[&str] = &[
    "fit",
    "arctan",
    "paragraph",
    "emph",
    "operatorname",
    "mathrm",
    "text",
    "textsuperscript",
    "textbackslash",
    "textasciicircum",
    "textasciitilde",
    "tfrac",
    "frac",
    "sqrt",
    "binom",
    "left",
    "right",
    "middle",
    "lfloor",
    "rfloor",
    "lceil",
    "rceil",
    "sum",
    "prod",
    "min",
    "max",
    "ln",
    "log",
    "tanh",
    "pi",
    "infty",
    "ell",
    "le",
    "ge",
    "in",
    "cdot",
    "dots",
    "dagger",
    "begin",
    "end",
    "toprule",
    "midrule",
    "bottomrule",
    "linewidth",
    "usepackage",
    "char",
    "delta",
    "varepsilon",
    "Lambda",
    "alpha",
    "beta",
    "gamma",
    "lambda",
    "sigma",
    "Gamma",
    "surd",
    "times",
    "pm",
    "to",
    "vert",
    "mu",
    "rho",
    "theta",
    "eta",
    "tau",
    "varphi",
    "omega",
    "nu",
    "kappa",
    "xi",
    "chi",
    "psi",
];

/// Braces balance, `\left` meets `\right`, environments close, and every command is known.
fn check_latex(text: &str) {
    let characters: Vec<char> = text.chars().collect();
    let (mut depth, mut fences, mut open, mut i) = (0i32, 0i32, Vec::new(), 0);
    while i < characters.len() {
        match characters[i] {
            '{' => depth += 1,
            '}' => depth -= 1,
            '\\' => {
                let command: String = characters[i + 1..].iter().take_while(|c| c.is_ascii_alphabetic()).collect();
                if command.is_empty() {
                    // An escaped character, a break, or a bracket of displayed mathematics.
                    i += 2;
                    continue;
                }
                assert!(COMMANDS.contains(&command.as_str()), "\\{command} in\n{text}");
                let argument = || -> String {
                    let rest = &characters[i + 2 + command.len()..];
                    rest.iter().take_while(|c| **c != '}').collect()
                };
                match command.as_str() {
                    "left" => fences += 1,
                    "right" => fences -= 1,
                    "begin" => open.push(argument()),
                    "end" => assert_eq!(open.pop(), Some(argument()), "{text}"),
                    _ => {}
                }
                i += 1 + command.len();
                continue;
            }
            _ => {}
        }
        assert!(depth >= 0 && fences >= 0, "{text}");
        i += 1;
    }
    assert_eq!((depth, fences, open.len()), (0, 0, 0), "{text}");
    assert_eq!(text.matches("\\[").count(), text.matches("\\]").count(), "{text}");
}

#[test]
fn every_statement_is_latex() {
    let library = library();
    for entry in &library.entries {
        let text = statement::theorem(entry);
        let (head, text) = text.split_once("\n\n").expect("a head");
        assert!(head.contains(r"\providecommand{\fit}"), "{head}");
        check_latex(text);
        // A blank line inside displayed mathematics is an error of LaTeX.
        assert!(!text.contains("\n\n"), "{text}");
    }
    for rate in &library.rates {
        check_latex(&statement::rate(rate));
    }
    check_latex(&statement::coverage(&library));
}

#[test]
fn the_coverage_names_what_exists() {
    let library = library();
    let items = survey::items(&library);
    let lines = include_str!("../src/theory/survey.txt").lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(items.len(), lines, "a line of the table cannot be read");
    let numbers: BTreeSet<&str> = items.iter().map(|item| item.item.as_str()).collect();
    assert_eq!(numbers.len(), items.len(), "an item stands twice");
    for item in &items {
        for name in &item.theorems {
            if item.kind == Kind::Spec {
                let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
                assert!(path.is_file(), "{}: expected a spec, found `{name}`", item.item);
                continue;
            }
            let is_rate = library.rate(name).is_some();
            assert_eq!(is_rate, item.kind == Kind::Rate, "{}: `{name}`", item.item);
            let found = is_rate || library.entries.iter().any(|entry| entry.theorem.name == *name);
            assert!(found, "{}: expected a theorem of the library, found `{name}`", item.item);
        }
        let is_stated = matches!(item.kind, Kind::Whole | Kind::Part | Kind::Rate | Kind::Spec);
        assert_eq!(is_stated, !item.theorems.is_empty(), "{}: {:?} with {:?}", item.item, item.kind, item.theorems);
        assert!((1..=8).contains(&item.words.split_whitespace().count()), "{}: {}", item.item, item.words);
    }
    for entry in &library.entries {
        if let Some(item) = &entry.survey {
            assert!(numbers.contains(item.as_str()), "{}: no item `{item}`", entry.theorem.name);
        }
    }
    for rate in &library.rates {
        if let Some(item) = &rate.survey {
            assert!(numbers.contains(item.as_str()), "{}: no item `{item}`", rate.name);
        }
    }
    // Every numbered definition, remark, assumption, lemma, theorem, proposition, example and algorithm of the survey.
    let theorems = ["1.13", "1.14", "1.15", "1.16", "1.17", "1.18", "1.19", "2.1", "3.1", "3.2", "3.3", "4.1"];
    let definitions = ["1.1", "1.2", "1.4", "1.6", "1.7", "1.8", "1.11", "1.12"];
    let others = [
        "Rem 1.3",
        "Rem 1.5",
        "Rem 1.9",
        "Ass 1.10",
        "Lemma 1.1",
        "Prop 1.1",
        "Prop 6.1",
        "Prop 6.2",
        "Ex 1.20",
        "Alg 1",
        "Table 1",
    ];
    let expected = theorems.map(|n| format!("Thm {n}")).into_iter().chain(definitions.map(|n| format!("Def {n}")));
    for item in expected.chain(others.map(str::to_string)) {
        assert!(numbers.contains(item.as_str()), "{item} is missing");
    }
}

/// The table of published bounds names theorems that exist, and every theorem on capacity and risk.
#[test]
fn published_bounds_are_all_in_the_table() {
    let library = library();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/coverage.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let named: BTreeSet<&str> =
        page.split('`').skip(1).step_by(2).filter(|name| name.contains('.') && !name.contains(['/', ' '])).collect();
    let is_known = |name: &str| library.find(name).is_some() || library.rate(name).is_some();
    let unknown: Vec<_> = named.iter().filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let groups = [
        "vc",
        "pdim",
        "fat",
        "covering",
        "dudley",
        "rademacher",
        "margin",
        "margin_grid",
        "uniform",
        "finite_class",
        "no_free_lunch",
        "pac_bayes",
        "occam",
        "test_set",
        "stability",
        "information",
        "kernel",
        "compression",
    ];
    let of_groups = |name: &&str| groups.contains(&name.split('.').next().unwrap_or(""));
    let all = library.entries.iter().map(|entry| entry.theorem.name.as_str());
    let missing: Vec<_> = all.filter(of_groups).filter(|name| !named.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
