"""Time of all bounds on 1,000 architectures, from the text of a spec to the kernel's verdicts.

    cargo build --release
    python3 benches/architectures.py

The spec has networks of 1 to 10 hidden layers of 2 to 101 ReLU units on 8 inputs, and for each: the VC dimension of its signs and of its
mistakes and its pseudo-dimension by every theorem of the library that applies, its growth function at 60,000 points, the number of its regions,
the gap of a finite class for 60,000 examples; and of the class with spectral norms at most 2 and biases of length at most 1 the Lipschitz constant,
the covering number on [-1, 1]^8 at 1/10 and the Rademacher complexity of 60,000 points there. Every claim must be proved. Prints the least wall and
processor time of three rounds.
"""

import os
import subprocess
import sys
import tempfile
import time

ROUNDS = 3
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(ROOT, "target", "release", "supremum")
HEADER = """spec "A thousand architectures"
let m     = 60_000
let delta = 1/100
domain X  = [-1, 1]^8
"""
NETWORK = """network a{i} = 8 -> {hidden} -> 1 relu
class F{i} = a{i} where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..{depth}
claim vc{i} : vcdim(sign(a{i})) <= ?
claim graph{i} : vcdim(mistakes(a{i})) <= ?
claim pseudo{i} : pdim(a{i}) <= ?
claim growth{i} : ln(growth(sign(a{i}), m)) <= ?
claim regions{i} : regions(a{i}) <= ?
claim lip{i} : lip(F{i}, l2) <= ?
claim cover{i} : ln(cover(F{i} on X, 1/10, linf)) <= ?
claim rademacher{i} : rademacher(F{i} on X, m) <= ?
claim finite{i} : sqrt((32*params(a{i})*ln(2) + ln(1/delta))/(2*m)) <= ?
"""


def spec():
    parts = [HEADER]
    for depth in range(1, 11):
        for width in range(2, 102):
            hidden = " -> ".join([str(width)] * depth)
            parts.append(NETWORK.format(i=len(parts), hidden=hidden, depth=depth + 1))
    assert len(parts) == 1001
    return "".join(parts)


def main():
    wall, processor = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "architectures.spec")
        with open(path, "w", encoding="utf-8") as file:
            file.write(spec())
        for _ in range(ROUNDS):
            start = time.perf_counter()
            child = subprocess.Popen([BINARY, "check", path], stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            wall.append(time.perf_counter() - start)
            processor.append(usage.ru_utime + usage.ru_stime)
            if os.waitstatus_to_exitcode(status) != 0:
                sys.exit(f"exit code {os.waitstatus_to_exitcode(status)}")
    print(f"1000 architectures, 9000 claims: {min(wall):.2f} s wall, {min(processor):.2f} s processor")


if __name__ == "__main__":
    main()
