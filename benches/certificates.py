"""Check, verification and size of the certificates of all shipped specs, side by side.

    cargo build --release
    python3 benches/certificates.py [SPEC...]

Per spec: processor seconds of `check --certificate` and of `verify`, the largest resident memory of `verify`, the bytes of the certificate with
its side file, the information in it, and how many times longer the certificate is. Information is counted as in
`tests/specs/information.rs`: the bits of all numbers of witnesses, objects, facts and bounds, what the side file takes, statements as short
as they can be written, each once, and 32 bytes per hash.
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


def numbers(value):
    """Bits of the numbers at and below a value."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return max(value.bit_length(), 1) + 1
    if isinstance(value, str):
        parts = value.replace("*2^", "/").split("/")
        digits = [part.removeprefix("-") for part in parts]
        return sum(max(int(part).bit_length(), 1) + 1 for part in digits) if all(part.isdecimal() for part in digits) else 0
    return sum(map(numbers, value.values() if isinstance(value, dict) else value))


def printed(value):
    """A term or formula as short as it can be read."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ",".join(map(printed, value.values()))
    if not isinstance(value, list):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if not value or not isinstance(value[0], str):
        return ",".join(map(printed, value))
    head, rest = value[0], [printed(item) for item in value[1:]]
    if head in ("+", "*", "/", "^", "<=", "<", ">=", ">", "="):
        return head.join(rest)
    return " and ".join(rest) if head == "and" else "-" + "".join(rest) if head == "-" else f"{head}({','.join(rest)})"


def information(certificate, side):
    """Bytes."""
    length = lambda record, *keys: sum(len(printed(record.get(key)).encode()) for key in keys)
    bits, count = 0, side + 32 * (1 + (side > 0))
    for step in certificate.get("steps", []):
        count += length(step, "theorem", "of", "subject") + sum(len(printed(t)) + 1 for t in step.get("bindings", {}).values())
        bits += numbers(step.get("witness"))
    for claim in certificate["claims"]:
        count += length(claim, "name", "statement")
        count += sum(len(line.encode()) for key in ("assumptions", "undischarged") for line in claim.get(key, []))
        bits += sum(numbers(claim.get(key)) for key in ("derivation", "high", "low", "spent", "failure"))
    for point in certificate.get("points", []):
        bits += numbers(point)
        count += len(point["inverse"][0])
    for name, entry in certificate.get("objects", {}).items():
        architecture = entry["is"].get("architecture", {})
        count += len(name) + length(architecture, "input") + sum(len(printed(node)) for node in architecture.get("nodes", []))
        bits += sum(numbers(value) for key, value in entry["is"].items() if key != "architecture")
    for name, definition in certificate.get("definitions", {}).items():
        count += len(name) + length(definition, "body", "parameters")
    count += sum(32 + length(theorem, "text") for theorem in certificate.get("theorems", {}).values())
    count += sum(32 + length(file, "path") for file in certificate.get("files", []))
    count += length(certificate["spec"], "title", "file")
    return count + -(-bits // 8)


def main():
    specs = sys.argv[1:] or sorted(set(glob.glob("specs/**/*.spec", root_dir=ROOT, recursive=True)) - set(glob.glob("specs/full/*", root_dir=ROOT)))
    print("| spec | claims | check s | verify s | verify MB | bytes | information | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for spec in specs:
            path = os.path.join(folder, "c.cert")
            _, check, _ = run(["check", spec, "--certificate", path])
            if not os.path.exists(path):
                print(f"| {spec} | 0 | {check:.2f} | | | | | |", flush=True)
                continue
            code, verify, megabytes = run(["verify", path])
            with open(path, encoding="utf-8") as file:
                text = file.read()
            certificate = json.loads(text)
            side = os.path.getsize(path + ".bin") if "side" in certificate else 0
            size, held = len(text.encode()) + side, information(certificate, side)
            claims = len(certificate["claims"])
            name = spec.removeprefix("specs/").removesuffix(".spec")
            failed = "" if code in (0, 6) else f" (exit {code})"
            print(
                f"| {name}{failed} | {claims} | {check:.2f} | {verify:.2f} | {megabytes:.0f} | {size:,} | {held:,} | {size / held:.2f} |",
                flush=True,
            )
            for file in glob.glob(path + "*"):
                os.remove(file)


if __name__ == "__main__":
    main()
