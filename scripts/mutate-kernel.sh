#!/usr/bin/env bash
# usage: scripts/mutate-kernel.sh [--jobs N] [--only TEXT] [--longest SECONDS]
#
# Plants small faults in the kernel, one at a time, and asks whether its tests notice: an exchanged operator or direction, a sign, an arm,
# a branch or a statement left out, a function that answers without looking. `mutants/` plants all of them in one build, each behind a
# switch, so that a fault costs the tests that reach it and nothing else.
#
# The kernel stands in a crate of its own, without the engine. Its tests are the kernel's, the named forgeries, and certificates of
# shipped specs, which the engine and the unaltered kernel write once, beforehand: read and derived again, they must have the same bytes.
# What became of each fault is in target/mutants/faults.txt; a run that was stopped goes on where it was, `rm` of that file begins anew.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${MUTANTS_DIR:-$root/target/mutants}

# The crate: everything below the engine. `engine` is an empty feature here, for the tests that ask for MPFR.
# Faults are known by their numbers, which hold for one text of the kernel.
diff -rq "$root/src/kernel" "$work/origin" > /dev/null 2>&1 || rm -f "$work/faults.txt" "$work/left-out.txt"
rm -rf "$work/src" "$work/tests" "$work/origin"
mkdir -p "$work/tests"
cp -r "$root/src" "$root/.cargo" "$root/gmp.site" "$root/Cargo.lock" "$work/"
ln -sfn "$root/tests/data" "$work/tests/data"
ln -sfn "$root/specs" "$work/specs"
for test in rules series inverse predicate real smooth values lipschitz; do cp "$root/tests/kernel_$test.rs" "$work/tests/"; done
cp -r "$root/tests/kernel_support" "$root/tests/lipschitz_support" "$work/tests/"
cp -r "$root/tests/forge" "$work/tests/forge"
# Changing every number of two certificates takes as long as all the rest.
rm "$work/tests/forge/mutation.rs"
sed -i '/^mod mutation;/d' "$work/tests/forge/main.rs"
python3 - "$root" "$work" <<'PY'
import re, shutil, sys
root, work = sys.argv[1:]
lib = open(f"{root}/src/lib.rs").read()
for module in re.findall(r'#\[cfg\(feature = "engine"\)\]\npub mod (\w+);', lib) + ["cli"]:
    shutil.rmtree(f"{work}/src/{module}")
    lib = re.sub(rf'(#\[cfg\(feature = "engine"\)\]\n)?pub mod {module};\n', "", lib)
lib = lib.replace("#![forbid(unsafe_code)]", "#![forbid(unsafe_code)]\n#![allow(warnings, arithmetic_overflow, unconditional_panic)]")
lib += """
/// Whether the fault of this number is on, by `SUPREMUM_FAULT`; with `SUPREMUM_REACHED` every number asked for is written there, once.
#[inline]
pub fn fault(number: usize) -> bool {
    use std::sync::LazyLock;
    static ON: LazyLock<usize> =
        LazyLock::new(|| std::env::var("SUPREMUM_FAULT").ok().and_then(|n| n.parse().ok()).unwrap_or(usize::MAX));
    static WATCHED: LazyLock<bool> = LazyLock::new(|| std::env::var_os("SUPREMUM_REACHED").is_some());
    if *WATCHED {
        reached(number);
    }
    *ON == number
}

#[cold]
fn reached(number: usize) {
    use std::io::Write;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{LazyLock, Mutex};
    static SEEN: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];
    static FILE: LazyLock<Mutex<std::fs::File>> = LazyLock::new(|| {
        let path = std::env::var_os("SUPREMUM_REACHED").expect("a file");
        Mutex::new(std::fs::File::create(path).expect("a file"))
    });
    if !SEEN[number].load(Ordering::Relaxed) && !SEEN[number].swap(true, Ordering::Relaxed) {
        writeln!(FILE.lock().unwrap_or_else(|broken| broken.into_inner()), "{number}").expect("room");
    }
}
"""
open(f"{work}/src/lib.rs", "w").write(lib)
manifest = open(f"{root}/Cargo.toml").read()
manifest = re.sub(r"\[\[(bin|bench)\]\].*?(?=\n\[)", "", manifest, flags=re.S)
manifest = re.sub(r"\[features\].*?(?=\n\[)", '[features]\ndefault = ["engine"]\nengine = []\n', manifest, flags=re.S)
exact = re.findall(r"(?m)^((?:rug|gmp-mpfr-sys) = .*), optional = true \}$", manifest)
manifest = re.sub(r"(?m)^.*optional = true \}\n", "", manifest)
manifest = manifest.replace("[dev-dependencies]\n", "[dev-dependencies]\n" + "".join(line + " }\n" for line in exact))
open(f"{work}/Cargo.toml", "w").write(manifest + "\n[workspace]\n")
PY
rm -f "$work/src/main.rs"
cat > "$work/tests/accepted.rs" <<'RS'
//! Certificates that the engine and the unaltered kernel wrote for shipped specs: read and derived again, they have the same bytes.
#[path = "forge/support.rs"]
#[allow(dead_code, reason = "the forgeries use the rest")]
mod support;

#[test]
fn a_certificate_is_written_again() {
    let path = std::path::PathBuf::from(std::env::var_os("SUPREMUM_CERTIFICATE").expect("a file"));
    let text = std::fs::read_to_string(&path).expect("a certificate");
    let side = std::fs::read(path.with_extension("cert.bin")).unwrap_or_default();
    let certificate = support::judge(text.as_bytes(), &side);
    let certificate = certificate.unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
    assert!(support::rewritten(&certificate) == (text, side), "{}: other bytes", path.display());
}
RS

# The certificates: those that the kernel of a debug build verifies in a second or two.
certificates=$work/certificates
binary=${SUPREMUM:-}
if [ -z "$binary" ]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
    binary=$root/target/release/supremum
fi
rm -rf "$certificates"
cd "$root"
for spec in tests/forge/*.spec specs/{digits,lecture_vc,margin_chain,occam,relu_depth3,robust_digits,three_instances}.spec specs/{lipschitz,museum,recheck,survey}/*.spec; do
    case $spec in */images.spec | */catoni_*.spec | */prior_saw_sample.spec | */survey_theorem_1_13.spec) continue ;; esac
    mkdir -p "$certificates/$(dirname "$spec")"
    # A spec whose claims are refuted, as the museum's are, is certified too: its exit code is not 0.
    "$binary" check "$spec" --certificate "$certificates/${spec%.spec}.cert" > /dev/null 2>&1 || true
done
echo "$(find "$certificates" -name '*.cert' | wc -l) certificates"

rm -rf "$work/origin"
mv "$work/src/kernel" "$work/origin"
cp -r "$work/origin" "$work/src/kernel"
cargo build --release --quiet --manifest-path "$root/mutants/Cargo.toml"
exec "$root/mutants/target/release/supremum-mutants" "$work" "$@"
