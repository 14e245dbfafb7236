//! Certificates as a user meets them: written by `check`, read by `verify`. Expected verdicts are those of `check` itself.

#[path = "certificates/commands.rs"]
mod commands;
#[path = "forge/support.rs"]
#[allow(dead_code, reason = "the forgeries use the rest")]
mod support;

use commands::{Scratch, json, run, text};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Forgery, written};
use supremum::kernel::certificate::Json;

#[test]
fn tables_are_read_again_with_their_spec() {
    let scratch = Scratch::new("tables");
    let cert = scratch.file("t.cert");
    let cert = text(&cert);
    let spec = "specs/recheck/gaussian.spec";
    // The table has a slip in each wrong row, and `=` compares exact numbers.
    assert_eq!(run(&["check", spec, "--certificate", cert], "1").status.code(), Some(1));
    let output = run(&["verify", cert, "--spec", spec, "--format", "json"], "1");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(json(&output)["claims"][0]["verdict"], "refuted");
    // The same claim over a table with another number is another claim.
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(spec), scratch.file("gaussian.spec")).expect("copied");
    let table = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/recheck/gaussian.csv"));
    let table = table.expect("the table").replacen("5000", "5001", 1);
    std::fs::write(scratch.file("gaussian.csv"), table).expect("written");
    let output = run(&["verify", cert, "--spec", text(&scratch.file("gaussian.spec"))], "1");
    assert_eq!(output.status.code(), Some(6), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0824"));
}

#[test]
fn files_and_spec_are_read_again_on_request() {
    let scratch = Scratch::new("again");
    let cert = scratch.file("digits.cert");
    let cert = text(&cert);
    assert_eq!(run(&["check", "specs/digits.spec", "--certificate", cert], "2").status.code(), Some(0));
    let again = |arguments: &[&str]| {
        let output = run(&[&["verify", cert], arguments].concat(), "2");
        (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).to_string())
    };
    assert_eq!(again(&["--network", "f=specs/models/digits_mlp.onnx"]).0, 0);
    assert_eq!(again(&["--data", "D=specs/data/digits"]).0, 0);
    assert_eq!(again(&["--spec", "specs/digits.spec"]).0, 0);
    for (arguments, exit, code) in [
        (["--network", "f=specs/models/digits_cnn.onnx"], 7, "E0823"),
        (["--network", "g=specs/models/digits_mlp.onnx"], 7, "E0823"),
        (["--network", "f=specs/models/no.onnx"], 7, "E0823"),
        (["--data", "D=specs/data/mnist10k"], 7, "E0823"),
        (["--data", "D"], 7, "E0823"),
        (["--spec", "specs/lecture_vc.spec"], 6, "E0824"),
    ] {
        let (found, message) = again(&arguments);
        assert_eq!(found, exit, "{arguments:?}\n{message}");
        assert!(message.contains(code), "{arguments:?}\n{message}");
    }
    // A claim that may fail more often is a true one, but not that of the spec.
    let stated = std::fs::read_to_string(cert).expect("the certificate");
    let weaker = stated.replacen("\"failure\":\"1/100\"", "\"failure\":\"1/50\"", 1);
    assert_ne!(weaker, stated);
    std::fs::write(cert, weaker).expect("written");
    assert_eq!(again(&[]).0, 0);
    let (exit, message) = again(&["--spec", "specs/digits.spec"]);
    assert!(exit == 6 && message.contains("failing with probability at most 1/50"), "{exit} {message}");
}

/// What the kernel accepts and the spec does not say: an event chosen by looking at the sample, a theorem with fewer requirements.
#[test]
fn forgeries_that_only_the_spec_tells() {
    let scratch = Scratch::new("told");
    let told = |name: &str, forgery: &Forgery, part: &str| {
        let cert = scratch.file(&format!("{name}.cert"));
        std::fs::write(&cert, forgery.json.render()).expect("written");
        std::fs::write(cert.with_extension("cert.bin"), &forgery.side).expect("written");
        let output = run(&["verify", text(&cert), "--format", "json"], "2");
        assert_ne!(json(&output)["result"], "invalid", "{name}: {}", json(&output)["error"]);
        let output = run(&["verify", text(&cert), "--spec", &format!("tests/forge/{name}.spec")], "2");
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(if part.is_empty() { 0 } else { 6 }), "{name}: {message}");
        assert!(part.is_empty() || message.contains("E0824") && message.contains(part), "{name}: {message}");
    };
    let mut forgery = written("tests/forge/small.spec");
    told("small", &forgery, "");
    // `test_set` draws for the first of its theorems; here the one of Chernoff looked better, and its bound is a true one.
    let step = forgery.step("risk");
    forgery.set(&format!("{step}/theorem"), Json::Text("test_set.kl".to_string()));
    forgery.set("claims/risk/draws/0/theorem", Json::Text("test_set.kl".to_string()));
    let last = forgery.list("claims/risk/derivation").len() - 1;
    for end in ["claims/risk/high".to_string(), format!("claims/risk/derivation/{last}/2")] {
        forgery.set(&end, Json::Text("1".to_string()));
    }
    let (library, _) = supremum::theory::Library::embedded();
    let other = library.entries.iter().find(|entry| entry.theorem.name == "test_set.kl").expect("a theorem");
    let mut theorem = forgery.map("theorems").remove("test_set.clopper_pearson").expect("a theorem");
    *support::at(&mut theorem, "sha256") = Json::Text(other.hash.clone());
    *support::at(&mut theorem, "status") = Json::Text(supremum::certificate::word(other.theorem.status).to_string());
    forgery.map("theorems").insert("test_set.kl".to_string(), theorem);
    forgery.point_again();
    told("small", &forgery, "`risk` draws 1/100 for test_set.kl, and by the spec 1/100 for test_set.clopper_pearson");
    let mut forgery = written("tests/forge/conjecture.spec");
    let statement = forgery.text("theorems/my.parameters/text").replace("relu_units(N), ", "");
    forgery.set("theorems/my.parameters/sha256", Json::Text(support::sha256(statement.as_bytes())));
    forgery.set("theorems/my.parameters/text", Json::Text(statement));
    told("conjecture", &forgery, "`my.parameters` is stated otherwise by the spec");
}

#[test]
fn holes_are_neither_valid_nor_invalid() {
    let scratch = Scratch::new("holes");
    let cert = scratch.file("c.cert");
    let cert = text(&cert);
    run(&["check", "tests/forge/conjecture.spec", "--certificate", cert], "1");
    let output = run(&["verify", cert], "1");
    let shown = String::from_utf8_lossy(&output.stdout).to_string();
    assert_eq!(output.status.code(), Some(6), "{shown}");
    assert!(
        shown.contains("holey") && shown.contains("`my.parameters` is unproved") && !shown.contains("valid"),
        "{shown}"
    );
    // Permitted by name it passes, still holey; with another list it is refused.
    let output = run(&["verify", cert, "--permit", "my.parameters", "vc.halfspaces"], "1");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("holey"));
    let output = run(&["verify", cert, "--permit", "vc.halfspaces"], "1");
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0822"));
}

#[test]
fn bad_files_have_named_refusals() {
    let scratch = Scratch::new("bad");
    let cert = scratch.file("good.cert");
    run(&["check", "tests/forge/small.spec", "--certificate", text(&cert)], "1");
    let side = scratch.file("good.cert.bin");
    let verify = |path: &Path| {
        let output = run(&["verify", text(path)], "1");
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(!message.contains("panicked"), "{message}");
        (output.status.code().expect("an exit code"), message)
    };
    let expect = |path: &Path, exit: i32, code: &str| {
        let (found, message) = verify(path);
        assert_eq!(found, exit, "{}\n{message}", path.display());
        assert!(message.contains(code), "{}\n{message}", path.display());
    };
    assert_eq!(verify(&cert).0, 0);
    expect(&scratch.file("none.cert"), 7, "E0821");
    expect(&scratch.0, 7, "E0821");
    expect(Path::new("/dev/zero"), 7, "E0821");
    // A sparse file of two gigabytes is refused by its length, unread.
    let huge = scratch.file("huge.cert");
    std::fs::File::create(&huge).and_then(|file| file.set_len(2 << 30)).expect("a sparse file");
    expect(&huge, 8, "E0805");
    let empty = scratch.file("empty.cert");
    std::fs::write(&empty, "").expect("written");
    expect(&empty, 6, "E0802");
    // The side file behind a symbolic link, then without it.
    let elsewhere = scratch.file("elsewhere.bin");
    std::fs::rename(&side, &elsewhere).expect("moved");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&elsewhere, &side).expect("a link");
        expect(&cert, 7, "E0810");
        std::fs::remove_file(&side).expect("removed");
    }
    expect(&cert, 7, "E0810");
    // A side file of two gigabytes, of which the certificate knows nothing.
    std::fs::File::create(&side).and_then(|file| file.set_len(2 << 30)).expect("a sparse file");
    expect(&cert, 7, "E0810");
    std::fs::rename(&elsewhere, &side).expect("moved back");
    assert_eq!(verify(&cert).0, 0);
    // The certificate itself may lie behind a link: its side file is looked for beside the link.
    #[cfg(unix)]
    {
        let link = scratch.file("link.cert");
        std::os::unix::fs::symlink(&cert, &link).expect("a link");
        assert_eq!(verify(&link).0, 0);
        let ring = scratch.file("ring.cert");
        std::os::unix::fs::symlink(&ring, &ring).expect("a link");
        expect(&ring, 7, "E0821");
        let pipe = scratch.file("pipe.cert");
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        expect(&pipe, 7, "E0821");
    }
    // Names of side files that leave the folder, hidden ones, and sizes that no file has; then other versions.
    let stated = std::fs::read_to_string(&cert).expect("the certificate");
    let edited = scratch.file("edited.cert");
    for (from, to, exit, code) in [
        ("\"good.cert.bin\"", "\"../good.cert.bin\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\"/etc/passwd\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\"C:good.cert.bin\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\"sub\\\\good.cert.bin\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\".good.cert.bin\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\"\"", 7, "E0810"),
        ("\"good.cert.bin\"", "\"edited.cert\"", 7, "E0810"),
        ("\"bytes\":", "\"bytes\":9", 7, "E0810"),
        ("\"bytes\":", "\"bytes\":9000000000", 8, "E0805"),
        ("\"version\":3", "\"version\":4", 6, "E0806"),
        ("\"version\":3", "\"version\":9007199254740991", 6, "E0806"),
        ("\"version\":3", "\"version\":1", 6, "E0806"),
    ] {
        let text = stated.replacen(from, to, 1);
        assert_ne!(text, stated, "{from}");
        std::fs::write(&edited, text).expect("written");
        expect(&edited, exit, code);
    }
    let (_, message) = verify(&edited);
    assert!(message.contains("expected version 3, found 1"), "{message}");
    for bytes in [b"\xff\xfe{}".as_slice(), b"\0", b"{", b"[]", b"null", &[b'['; 1 << 20]] {
        std::fs::write(&edited, bytes).expect("written");
        let (exit, message) = verify(&edited);
        assert!((exit == 6 || exit == 8) && message.contains("E08"), "{exit} {message}");
    }
}

/// The largest resident memory so far, in kilobytes.
#[cfg(target_os = "linux")]
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a peak");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
}

/// Zeros without end in sight, and nothing behind them.
struct Zeros {
    at: u64,
    length: u64,
}

impl std::io::Read for Zeros {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min((self.length - self.at.min(self.length)) as usize);
        buffer[..count].fill(0);
        self.at += count as u64;
        Ok(count)
    }
}

impl std::io::Seek for Zeros {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        if let std::io::SeekFrom::Start(at) = to {
            self.at = at;
        }
        Ok(self.at)
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_side_file_is_read_in_pieces() {
    use sha2::{Digest, Sha256};
    use supremum::kernel::certificate::Text;
    const LENGTH: u64 = 200 << 20;
    let mut hash = Sha256::new();
    (0..200).for_each(|_| hash.update(vec![0; 1 << 20]));
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let zeros = "0".repeat(64);
    // One example at the end of the file: a claim on the whole of it would need the memory.
    let text = format!(
        "{{\n\"claims\":[\n{{\"high\":\"1\",\"low\":\"1\",\"name\":\"t\",\"statement\":[\"<=\",\"1\",\"2\"]}}\n],\n\
         \"format\":\"supremum certificate\",\n\"ledger\":{{\n\"budget\":\"1/20\",\n\"spent\":\"0\"\n}},\n\"objects\":{{\n\
         \"D\":{{\"depends_on\":[\"D\"],\"is\":{{\"atoms\":[\"D\"],\"classes\":2,\"examples\":{{\"dimension\":9,\
         \"labels\":[\"0\"],\"scale\":\"1\",\"values\":[\"u8\",{},9]}},\"origin\":\"file\",\"size\":1}}}}\n}},\n\
         \"side\":{{\n\"bytes\":{LENGTH},\n\"file\":\"t.bin\",\n\"sha256\":\"{hash}\"\n}},\n\
         \"spec\":{{\n\"file\":\"t.spec\",\n\"sha256\":\"{zeros}\"\n}},\n\"version\":{}\n}}\n",
        LENGTH - 9,
        supremum::kernel::certificate::VERSION,
    );
    let read = |length: u64| {
        let text = Text::parse(text.clone().into_bytes()).unwrap_or_else(|refusal| panic!("{refusal}"));
        text.read(Box::new(Zeros { at: 0, length }))
    };
    let before = peak_kilobytes();
    let certificate = read(LENGTH).unwrap_or_else(|refusal| panic!("{refusal}"));
    certificate.verify(&std::collections::BTreeMap::new(), drop).unwrap_or_else(|refusal| panic!("{refusal}"));
    assert!(peak_kilobytes() - before < 32 << 10, "{} kB", peak_kilobytes() - before);
    // A longer file is read no further than needed to see that, a shorter one is another file.
    for length in [LENGTH - 1, LENGTH + 1, u64::MAX] {
        let refusal = read(length).err().expect("another length");
        assert!(refusal.message.contains("expected 209715200 bytes in `t.bin`"), "{refusal}");
    }
}

#[test]
fn an_entry_has_a_limited_number_of_values() {
    let scratch = Scratch::new("values");
    let cert = scratch.file("long.cert");
    let values = "1,".repeat(3_000_000);
    std::fs::write(&cert, format!("{{\n\"claims\":[\n[{values}1]\n]\n}}\n")).expect("written");
    let output = run(&["verify", text(&cert)], "1");
    let message = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.code() == Some(8) && message.contains("values in one entry"), "{message}");
}

#[test]
fn a_certificate_that_cannot_be_written_is_exit_9() {
    let scratch = Scratch::new("write");
    for target in [scratch.0.clone(), scratch.file("no/such/folder/c.cert"), PathBuf::from("/dev/full")] {
        let output = run(&["check", "specs/lecture_vc.spec", "--certificate", text(&target)], "1");
        let message = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(9), "{}\n{message}", target.display());
        assert!(message.contains("E0826"), "{message}");
    }
    assert_eq!(std::fs::read_dir(&scratch.0).expect("the folder").count(), 0, "nothing half-written is left");
}
