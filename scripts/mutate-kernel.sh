#!/usr/bin/env bash
# usage: scripts/mutate-kernel.sh [COUNT [SEED]]
#
# Plants small faults in the kernel, one at a time, and asks whether its tests notice: an operator, a direction of rounding, a
# comparison, a sign, an end. The kernel is copied into a crate of its own, so a mutant takes seconds to build. First come the named
# mutants below, which have survived some test once, then COUNT (default 30) of all others, drawn by SEED (default 0).
# Prints a line per mutant: killed by a test, by the compiler, by a limit of time, or SURVIVED.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=${MUTANTS_DIR:-$root/target/mutants}
mkdir -p "$work/src" "$work/tests"
cp "$root/Cargo.lock" "$work/"
cp -r "$root/.cargo" "$root/gmp.site" "$work/"
ln -sfn "$root/tests/data" "$work/tests/data"
for test in kernel_rules kernel_series kernel_inverse kernel_real; do cp "$root/tests/$test.rs" "$work/tests/"; done
cp -r "$root/tests/kernel_support" "$work/tests/"
echo 'pub mod kernel;' > "$work/src/lib.rs"
# The manifest without the binary, the benches and what the kernel does not use.
python3 - "$root/Cargo.toml" "$work/Cargo.toml" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
text = re.sub(r"\[\[(bin|bench)\]\].*?(?=\n\[)", "", text, flags=re.S)
text = re.sub(r'(?m)^version = ".*?"', 'version = "0.0.1"', text, count=1)
open(sys.argv[2], "w").write(text + "\n[workspace]\n")
PY
exec python3 - "$root" "$work" "${1:-30}" "${2:-0}" <<'PY'
import os, random, re, shutil, subprocess, sys

root, work, count, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
FILES = ["real/series.rs", "real/elementary.rs", "real/special.rs", "real/inverse.rs", "real/enclosure.rs", "real/dyadic.rs",
         "psd.rs", "surd.rs", "derive.rs", "check.rs"]
SWAPS = [("Toward::Down", "Toward::Up"), ("Toward::Up", "Toward::Down"), (" <= ", " < "), (" < ", " <= "), (" >= ", " > "),
         (" > ", " >= "), (" + ", " - "), (" - ", " + "), (" * ", " + "), (".lo", ".hi"), (".hi", ".lo"), (".min(", ".max("),
         (".max(", ".min("), (" && ", " || "), (" || ", " && "), ("if !", "if "), ("is_negative()", "is_positive()"),
         ("is_positive()", "is_negative()"), (" == ", " != "), ("Truth::True", "Truth::False"), ("_lo", "_hi"), ("_hi", "_lo")]
NAMED = [
    ("real/series.rs", "let mut hi = &sum + term + 2 * u64::from(n) + 2u32;", "let mut hi = &sum + term + u64::from(n) + 2u32;"),
    ("real/series.rs", "let mut hi = &sum + term + 2 * u64::from(n) + 2u32;", "let mut hi = &sum + 2 * u64::from(n) + 2u32;"),
    ("real/series.rs", "hi = shift(&hi * &hi, working, Toward::Up);", "hi = shift(&hi * &hi, working, Toward::Down);"),
    ("real/series.rs", "lo = shift(&lo * &lo, working, Toward::Down);", "lo = shift(&lo * &lo, working, Toward::Up);"),
    ("real/series.rs", "shift(hi, working - w, Toward::Up))\n}\n\n/// `atanh", "shift(hi, working - w, Toward::Down))\n}\n\n/// `atanh"),
    ("real/series.rs", "let square = shift(&z * &z, working, Toward::Down);", "let square = shift(&z * &z, working, Toward::Up);"),
    ("real/series.rs", "let hi = &sum + power / 8 + 2 * u64::from(n) + 3u32;", "let hi = &sum + 2 * u64::from(n) + 3u32;"),
    ("real/series.rs", "let hi = &sum + power / 8 + 2 * u64::from(n) + 3u32;", "let hi = &sum + power / 8 + 3u32;"),
    ("real/series.rs", "let loss = power + 2 * u64::from(k) + 2u32;", "let loss = BigInt::zero() + 2 * u64::from(k) + 2u32;"),
    ("real/series.rs", "if toward == Toward::Up { sum + term } else { sum }", "sum"),
    ("real/special.rs", "rho = Enclosure { lo: End::At(Dyadic::zero()), hi: one.div(&double, working)?.hi };",
     "rho = Enclosure { lo: End::At(Dyadic::zero()), hi: End::At(Dyadic::zero()) };"),
    ("real/special.rs", "sum = sum.add(&term.hull(&Enclosure::exact_int(0)), working);", "sum = sum.add(&term, working);"),
    ("real/special.rs", "sum = sum.add(&term.hull(&Enclosure::exact_int(0)), working);", ""),
]

def code(name):
    return open(f"{root}/src/kernel/{name}").read().split("\n#[cfg(test)]\nmod tests")[0]

def mutants():
    for name in FILES:
        text, place = code(name), 0
        for line in text.splitlines(keepends=True):
            bare = line.split("//")[0]
            if not bare.strip().startswith(("use ", "pub use", "#", "///", "fn ", "pub fn", "pub(super) fn", "impl")):
                for old, new in SWAPS:
                    for found in re.finditer(re.escape(old), bare):
                        # A name that only begins like the pattern is another word; generics are no comparisons.
                        after = bare[found.end():found.end() + 1]
                        if old[-1].isalpha() and (after.isalnum() or after == "_"):
                            continue
                        at = place + found.start()
                        yield name, at, old, new
            place += len(line)

def run(name, text):
    path = f"{work}/src/kernel/{name}"
    shutil.rmtree(f"{work}/src/kernel", ignore_errors=True)
    shutil.copytree(f"{root}/src/kernel", f"{work}/src/kernel")
    if text is not None:
        open(path, "w").write(text)
    base = ["cargo", "test", "--quiet", "--manifest-path", f"{work}/Cargo.toml"]
    env = dict(os.environ, PROPTEST_FAILURE_PERSISTENCE="off", RUST_BACKTRACE="0")
    build = subprocess.run(base + ["--no-run"] + [x for t in TESTS for x in ("--test", t)], env=env, capture_output=True, text=True)
    if build.returncode:
        return "killed by the compiler" if text is not None else build.stderr
    for test in TESTS:
        try:
            if subprocess.run(base + ["--test", test], env=env, capture_output=True, timeout=900).returncode:
                return f"killed by {test}"
        except subprocess.TimeoutExpired:
            return f"killed by the time limit of {test}"
    return "SURVIVED"

TESTS = ["kernel_rules", "kernel_series", "kernel_inverse", "kernel_real"]
clean = run(FILES[0], None)
if clean != "SURVIVED":
    sys.exit(f"expected tests that pass on the kernel itself, found: {clean}")
killed = survived = 0
drawn = list(mutants())
random.Random(seed).shuffle(drawn)
print(f"{len(NAMED)} named mutants and {min(count, len(drawn))} of {len(drawn)} others", flush=True)
plan = []
for name, old, new in NAMED:
    text = open(f"{root}/src/kernel/{name}").read()
    if text.count(old) != 1:
        sys.exit(f"expected one place `{old}` in {name}, found {text.count(old)}")
    plan.append((name, text.index(old), old, new))
for name, at, old, new in plan + drawn[:count]:
    text = open(f"{root}/src/kernel/{name}").read()
    line = text.count("\n", 0, at) + 1
    verdict = run(name, text[:at] + new + text[at + len(old):])
    survived += verdict == "SURVIVED"
    killed += verdict.startswith("killed by") and "compiler" not in verdict
    shown = " ".join(f"`{old}` -> `{new}`".split())
    print(f"{verdict:<32} {name}:{line} {shown}", flush=True)
print(f"{killed} killed by tests, {survived} survived")
sys.exit(1 if survived else 0)
PY
