#!/usr/bin/env bash
# usage: scripts/mutate-kernel.sh [K/N [OPTION...]]
#
# Plants small faults in the kernel, one at a time, and asks whether its tests notice: a swapped operator, a negated comparison, a
# deleted sign, arm or field, a function that returns a constant. The faults are cargo-mutants' (27.1 or later; `cargo install
# cargo-mutants`): of all of them every N-th, beginning with number K (default 0/34, about 140). Further options go to cargo-mutants,
# for instance `-f 'src/kernel/lipschitz/*.rs'`, `--list`, `--timeout 240`.
#
# The kernel stands in a crate of its own, without the engine, so a mutant takes seconds to build. Its tests are the kernel's, the named
# forgeries, and certificates of shipped specs, which the engine and the unaltered kernel write once, beforehand: read and derived again,
# they must have the same bytes. A test that takes more than a minute of processor time counts as a kill: it takes 20 seconds at most.
# The lists of killed, surviving and endless mutants are in target/mutants/out/mutants.out.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${MUTANTS_DIR:-$root/target/mutants}
shard=${1:-0/34}
shift || true
cargo mutants --version > /dev/null || { echo "expected cargo-mutants: cargo install --locked cargo-mutants" >&2; exit 2; }

# The crate: everything below the engine. `engine` is an empty feature here, for the tests that ask for MPFR.
rm -rf "$work/src" "$work/tests"
mkdir -p "$work/tests"
cp -r "$root/src" "$root/.cargo" "$root/gmp.site" "$root/Cargo.lock" "$work/"
ln -sfn "$root/tests/data" "$work/tests/data"
ln -sfn "$root/specs" "$work/specs"
for test in rules series inverse predicate real smooth lipschitz; do cp "$root/tests/kernel_$test.rs" "$work/tests/"; done
cp -r "$root/tests/kernel_support" "$root/tests/lipschitz_support" "$work/tests/"
# The forgeries take longest; tests run in the order of their names, and the first that fails ends the run of a mutant.
cp -r "$root/tests/forge" "$work/tests/z_forge"
# Changing every number of two certificates takes as long as all the rest.
rm "$work/tests/z_forge/mutation.rs"
sed -i '/^mod mutation;/d' "$work/tests/z_forge/main.rs"
python3 - "$root" "$work" <<'PY'
import re, shutil, sys
root, work = sys.argv[1:]
lib = open(f"{root}/src/lib.rs").read()
for module in re.findall(r'#\[cfg\(feature = "engine"\)\]\npub mod (\w+);', lib) + ["cli"]:
    shutil.rmtree(f"{work}/src/{module}")
    lib = re.sub(rf'(#\[cfg\(feature = "engine"\)\]\n)?pub mod {module};\n', "", lib)
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
#[path = "z_forge/support.rs"]
#[allow(dead_code, reason = "the forgeries use the rest")]
mod support;

use std::path::{Path, PathBuf};
use supremum::kernel::certificate::Text;

fn again(path: &Path) {
    let text = std::fs::read_to_string(path).expect("a certificate");
    let side = std::fs::read(path.with_extension("cert.bin")).unwrap_or_default();
    let source = Box::new(std::io::Cursor::new(side.clone()));
    let certificate = Text::parse(text.clone().into_bytes()).and_then(|text| text.read(source));
    let certificate = certificate.unwrap_or_else(|refusal| panic!("{}: {refusal}", path.display()));
    assert!(support::rewritten(&certificate) == (text, side), "{}: other bytes", path.display());
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "cert") {
            found.push(path);
        }
    }
}

#[test]
fn certificates_of_shipped_specs_are_written_again() {
    let mut found = Vec::new();
    find(Path::new(&std::env::var_os("SUPREMUM_CERTIFICATES").expect("a folder")), &mut found);
    assert!(found.len() > 30, "{}", found.len());
    // The quick ones first: one that fails ends the run of a mutant.
    found.sort_by_key(|path| std::fs::metadata(path.with_extension("cert.bin")).map_or(0, |file| file.len()));
    found.iter().for_each(|path| again(path));
}
RS

# The certificates: those that the kernel of a debug build verifies in a second or two.
certificates=$work/certificates
export SUPREMUM_CERTIFICATES=$certificates
binary=${SUPREMUM:-}
if [ -z "$binary" ]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
    binary=$root/target/release/supremum
fi
rm -rf "$certificates"
cd "$root"
for spec in tests/forge/*.spec specs/{digits,lecture_vc,relu_depth3,robust_digits}.spec specs/lipschitz/*.spec specs/recheck/*.spec specs/museum/*.spec; do
    case $spec in */images.spec | */catoni_*.spec | */prior_saw_sample.spec | */survey_theorem_1_13.spec) continue ;; esac
    mkdir -p "$certificates/$(dirname "$spec")"
    # A spec whose claims are refuted, as the museum's are, is certified too: its exit code is not 0.
    "$binary" check "$spec" --certificate "$certificates/${spec%.spec}.cert" > /dev/null 2>&1 || true
done
echo "$(find "$certificates" -name '*.cert' | wc -l) certificates"

cd "$work"
export PROPTEST_FAILURE_PERSISTENCE=off RUST_BACKTRACE=0
case " $* " in *" -f "* | *" --file "*) ;; *) set -- -f 'src/kernel/**/*.rs' "$@" ;; esac
# Processor time of a test, and of the wall clock, which other work on the machine may stretch.
target=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
export "CARGO_TARGET_${target}_RUNNER=prlimit --cpu=60"
exec cargo mutants --timeout 900 --in-place --shard "$shard" --sharding round-robin -o out "$@"
