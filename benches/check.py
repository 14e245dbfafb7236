"""Time and memory of `check specs/relu_depth3.spec`, whole and without what is trained.

    cargo build --release
    python3 benches/check.py

Prints the least wall and processor time of several rounds and the peak resident memory of each variant. Wall time says something only on a
machine that does nothing else.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

ROUNDS = 10
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target", "release", "supremum")


def measure(spec):
    """Least wall and processor seconds, largest megabytes."""
    wall, processor, kilobytes = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        child = subprocess.Popen([BINARY, "check", spec], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall.append(time.perf_counter() - start)
        processor.append(usage.ru_utime + usage.ru_stime)
        kilobytes.append(usage.ru_maxrss)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{spec}: exit code {child.returncode}")
    return min(wall), min(processor), max(kilobytes) / 1024


def main():
    path = os.path.join(ROOT, "specs", "relu_depth3.spec")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # Everything from the trained network to the table.
    untrained = re.sub(r"-- What is true of one trained network.*?(?=table )", "", text, flags=re.S)
    assert "train h" in text and "train h" not in untrained
    with tempfile.TemporaryDirectory() as folder:
        variant = os.path.join(folder, "untrained.spec")
        with open(variant, "w", encoding="utf-8") as file:
            file.write(untrained)
        for name, spec in [("without training", variant), ("whole", path)]:
            wall, processor, megabytes = measure(spec)
            print(f"{name:<18} {wall:7.3f} s wall {processor:7.3f} s processor {megabytes:7.1f} MB")


if __name__ == "__main__":
    main()
