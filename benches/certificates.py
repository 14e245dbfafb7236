"""Check, verification and size of the certificates of all shipped specs, side by side.

    cargo build --release
    python3 benches/certificates.py [SPEC...]

Per spec: processor seconds of `check --certificate` and of `verify`, the largest resident memory of `verify`, the bytes of the certificate with
its side file, and how many bytes its numbers hold. A number p/q or m*2^e of a witness or an object holds the bits of p and q, or of m
and e; what lies in the side file holds the bytes it takes there. Names, statements and hashes count as nothing, so the last column shows
the price of a text that a reader can check: near 1 where the numbers are many, larger where a claim is short.
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("BIN", os.path.join(ROOT, "target", "release", "supremum"))


def run(arguments):
    """Exit code, processor seconds, megabytes."""
    child = subprocess.Popen([BINARY, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def bits(text):
    """Bits of a number's parts; 0 for a text that is none."""
    parts = text.replace("*2^", " ").replace("/", " ").split()
    try:
        return sum(max(int(part).bit_length(), 1) + 1 for part in parts)
    except ValueError:
        return 0


def information(value):
    """Bits of all numbers below."""
    if isinstance(value, str):
        return bits(value)
    if isinstance(value, dict):
        return sum(information(item) for item in value.values())
    if isinstance(value, list):
        return sum(information(item) for item in value)
    return 0


def main():
    specs = sys.argv[1:] or sorted(set(glob.glob("specs/**/*.spec", root_dir=ROOT, recursive=True)) - set(glob.glob("specs/full/*", root_dir=ROOT)))
    print("| spec | claims | check s | verify s | verify MB | bytes | in numbers |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for spec in specs:
            path = os.path.join(folder, "c.cert")
            _, check, _ = run(["check", spec, "--certificate", path])
            if not os.path.exists(path):
                print(f"| {spec} | 0 | {check:.2f} | | | | |", flush=True)
                continue
            code, verify, megabytes = run(["verify", path])
            with open(path, encoding="utf-8") as file:
                text = file.read()
            certificate = json.loads(text)
            side = os.path.getsize(path + ".bin") if certificate["side"] else 0
            numbers = side + (information(certificate["objects"]) + information(certificate["steps"])) // 8
            size = len(text.encode()) + side
            claims = len(certificate["claims"])
            name = spec.removeprefix("specs/").removesuffix(".spec")
            failed = "" if code in (0, 6) else f" (exit {code})"
            print(
                f"| {name}{failed} | {claims} | {check:.2f} | {verify:.2f} | {megabytes:.0f} | {size} | {numbers} |",
                flush=True,
            )
            for file in glob.glob(path + "*"):
                os.remove(file)


if __name__ == "__main__":
    main()
