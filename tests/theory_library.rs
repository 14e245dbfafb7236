//! Every example and every reject of the library, run through the kernel; and what a broken block is answered.

use sha2::{Digest, Sha256};
use supremum::kernel::certificate::json::{Field, Json};
use supremum::kernel::certificate::term;
use supremum::text::Source;
use supremum::theory::{Library, check, compile::Origin};

fn library() -> Library {
    let (library, problems) = Library::embedded();
    assert!(problems.is_empty(), "{problems:?}");
    library
}

#[test]
fn every_example_agrees_and_every_reject_is_refused() {
    let library = library();
    let (mut problems, mut cases) = (String::new(), 0);
    for file in &library.files {
        for entry in library.of(file) {
            cases += entry.block.examples.len() + entry.block.rejects.len();
            for problem in check::check(entry, &library) {
                problems += &format!("{}\n\n", problem.render(&file.source, supremum::text::Style::Ascii));
            }
        }
    }
    assert!(problems.is_empty(), "{problems}");
    assert!(cases > 600, "{cases}");
}

#[test]
fn every_requirement_has_a_reject_and_every_theorem_an_example() {
    let library = library();
    let gaps: Vec<String> = library
        .files
        .iter()
        .flat_map(|file| {
            library.of(file).iter().flat_map(check::gaps).map(|gap| format!("{}: {}", file.source.name(), gap.title))
        })
        .collect();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

/// Code, title, line and column of a diagnostic.
type Found = (&'static str, String, Option<(usize, usize)>);

/// The diagnostics of a user's file.
fn user(text: &str) -> Vec<Found> {
    let mut library = library();
    let source = Source::new("my.thm", text).expect("a source");
    let first = library.entries.len();
    let mut problems = library.add_source(&source, Origin::User);
    for entry in &library.entries[first..] {
        problems.extend(check::check(entry, &library));
        problems.extend(check::gaps(entry));
    }
    let place = |span: supremum::text::Span| {
        let position = source.position(span.start);
        (position.line, position.column)
    };
    problems.into_iter().map(|p| (p.code, p.title.clone(), p.span().map(place))).collect()
}

const SOUND: &str = "theorem my.sauer(H : class, m : natural, d : natural)\n  requires vcdim(H) <= d, 1 <= d\n  \
                     ensures growth(H, m) <= (m + 1)^d\n  example m = 10, d = 2 gives 121\n  \
                     reject vcdim(H) = 4, d = 3 breaks vcdim(H) <= d\n  reject d = 0 breaks 1 <= d\n";

#[test]
fn a_sound_block_passes() {
    assert_eq!(user(SOUND), []);
}

#[test]
fn broken_blocks_are_answered_with_place() {
    for (from, to, code, title, place) in [
        ("gives 121", "gives 120", "E0209", "expected 120, found 121", (4, 3)),
        ("gives 121", "gives [121.5, 122]", "E0209", "expected a bound between 243/2 and 122, found 121", (4, 3)),
        ("m = 10, d = 2 gives 121", "m = 10, d = 0 gives 1", "E0209", "found `1 <= d` false", (4, 3)),
        ("m = 10, d = 2", "m = 10", "E0209", "cannot be evaluated", (4, 3)),
        ("d : natural)", "d : natural, e : real)", "E0128", "expected a new name, found `e`", (1, 55)),
        ("m = 10, d = 2", "m = 10, n = 2", "E0211", "expected a parameter of the theorem, found `n`", (4, 19)),
        ("d = 0 breaks 1 <= d", "d = 1 breaks 1 <= d", "E0210", "`1 <= d` holds", (6, 3)),
        ("d = 0 breaks 1 <= d", "d = 0 breaks 2 <= d", "E0210", "found `2 <= d`", (6, 3)),
        ("reject vcdim(H) = 4, d = 3", "reject d = 3", "E0210", "`vcdim(H) <= d` is not decided", (5, 3)),
        ("m = 10, d = 2 gives", "m = 10, m = 9, d = 2 gives", "E0211", "expected one value for `m`", (4, 19)),
        ("  reject d = 0 breaks 1 <= d\n", "", "W0602", "expected a reject that breaks `1 <= d`", (2, 27)),
        ("  example m = 10, d = 2 gives 121\n", "", "W0603", "expected an example of `my.sauer`", (1, 9)),
    ] {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND, "{from}");
        let found = user(&text);
        let (found_code, found_title, found_place) =
            found.first().unwrap_or_else(|| panic!("nothing found in\n{text}"));
        assert_eq!((*found_code, *found_place), (code, Some(place)), "{found_title}\n{text}");
        assert!(found_title.contains(title), "expected `{title}`, found `{found_title}`");
        assert_eq!(found.iter().filter(|(code, ..)| code.starts_with('E')).count().max(1), 1, "{found:?}");
    }
}

/// What other programs read is what the kernel uses: terms and formulas come back through the kernel's own reader.
#[test]
fn the_library_is_written_for_other_programs() {
    let library = library();
    let text = supremum::certificate::library::library(&library);
    let json = Json::parse(text.as_bytes()).expect("canonical spelling");
    let theorems = Field::new(&json, "library").find("theorems").expect("theorems").entries().expect("a map");
    assert_eq!(theorems.len(), library.entries.len());
    for (name, field) in theorems {
        let [ensures, failure, parameters, requires, hash, _, text] = field
            .fields(["ensures", "failure", "parameters", "requires", "sha256", "status", "text"])
            .expect("all fields");
        let theorem = &library.find(name).expect("a theorem of the library").theorem;
        assert_eq!(term::formula(&ensures).expect("a formula"), theorem.ensures, "{name}");
        let read: Vec<_> =
            requires.list().expect("a list").iter().map(|f| term::formula(f).expect("a formula")).collect();
        assert_eq!(read, theorem.requires, "{name}");
        let failure = (!failure.is_null()).then(|| term::term(&failure).expect("a term"));
        assert_eq!(failure, theorem.failure, "{name}");
        assert_eq!(parameters.list().expect("a list").len(), theorem.parameters.len(), "{name}");
        let digest = Sha256::digest(text.text().expect("a text").as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, hash.text().expect("a text"), "{name}");
    }
}
