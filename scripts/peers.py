"""Lipschitz bounds of other programs beside those of `supremum`: value, rigor, time.

    python3 -m venv venv && venv/bin/pip install numpy safetensors cvxpy clarabel scs eclipse-nn auto_LiRPA
    venv/bin/python scripts/peers.py [--supremum target/release/supremum] [--limit 120] [NETWORK ...]

The Jacobian bounds of auto_LiRPA are not in the version on PyPI (0.3): put a checkout of its repository on PYTHONPATH.

Peers that are not installed are left out. Every peer runs in a process of its own with one thread and a time limit. The LMI is that of
LipSDP-Neuron (Fazlyab, Robey, Hassani, Morari, Pappas 2019), written for cvxpy; what a general solver prints is its objective, which
nothing checks.
"""

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

MODELS = Path(__file__).resolve().parent.parent / "specs" / "lipschitz" / "models"
NETWORKS = ["lipsdp_random", "nv_cartpole", "ecl_lyr5n20", "hcas_pra0_tau00", "nnet_TestNetwork", "ecl_lyr10n20"]
# Orders of the LMI above which a general solver is not tried.
ORDER_LIMIT = 140


def load(name):
    """Weights and biases of a dense chain, in double precision."""
    from safetensors.numpy import load_file

    tensors = load_file(MODELS / f"{name}.safetensors")
    weights, biases = [], []
    while f"layers.{len(weights)}.weight" in tensors:
        i = len(weights)
        weights.append(tensors[f"layers.{i}.weight"].astype(float))
        biases.append(tensors.get(f"layers.{i}.bias", np.zeros(weights[-1].shape[0])).astype(float))
    return weights, biases


def lmi(name, solver):
    """LipSDP-Neuron for ReLU chains: minimize rho so that the bordered form is positive semidefinite."""
    import cvxpy as cp

    weights, _ = load(name)
    hidden = [w.shape[0] for w in weights[:-1]]
    sizes = [weights[0].shape[1], *hidden]
    order = sum(sizes)
    if order > ORDER_LIMIT:
        return None
    starts = np.concatenate([[0], np.cumsum(sizes)])
    rho, t = cp.Variable(nonneg=True), cp.Variable(sum(hidden), nonneg=True)
    select = np.zeros((order, order))
    select[: sizes[0], : sizes[0]] = np.eye(sizes[0])
    form = rho * select
    offset = 0
    for i, w in enumerate(weights[:-1]):
        argument = np.zeros((w.shape[0], order))
        argument[:, starts[i] : starts[i + 1]] = w
        value = np.zeros((w.shape[0], order))
        value[:, starts[i + 1] : starts[i + 2]] = np.eye(w.shape[0])
        d = cp.diag(t[offset : offset + w.shape[0]])
        form = form + 2 * value.T @ d @ value - value.T @ d @ argument - argument.T @ d @ value
        offset += w.shape[0]
    last = np.zeros((weights[-1].shape[0], order))
    last[:, starts[-2] :] = weights[-1]
    form = form - last.T @ last
    problem = cp.Problem(cp.Minimize(rho), [(form + form.T) / 2 >> 0])
    problem.solve(solver=solver)
    return float(np.sqrt(rho.value)), problem.status


def clarabel(name):
    return lmi(name, "CLARABEL")


def scs(name):
    return lmi(name, "SCS")


def tensors(name):
    """Weights for eclipse-nn, with the slopes [0, 1] of every layer of ReLUs."""
    import torch

    weights = [torch.tensor(w) for w in load(name)[0]]
    return weights, [0] * (len(weights) - 1), [1] * (len(weights) - 1)


def eclipse_fast(name):
    from eclipse_nn.eclipsE_fast import ECLipsE_Fast

    return float(ECLipsE_Fast(*tensors(name))), ""


def eclipse_sdp(name):
    from eclipse_nn.eclipsE import ECLipsE

    value, code = ECLipsE(*tensors(name))
    if code != 0:
        raise ValueError(f"gives up with exit code {code}")
    return float(value), ""


def sampled(name):
    """The largest Jacobian at 20 000 random points: an estimate from below that every bound must exceed."""
    weights, biases = load(name)
    rng, best = np.random.default_rng(1), 0.0
    for _ in range(20_000):
        x = rng.normal(size=weights[0].shape[1]) * 10.0 ** rng.uniform(-1, 1)
        jacobian = np.eye(len(x))
        for w, b in zip(weights[:-1], biases[:-1]):
            x = w @ x + b
            jacobian = (w @ jacobian) * (x > 0)[:, None]
            x = np.maximum(x, 0)
        best = max(best, np.linalg.norm(weights[-1] @ jacobian, 2))
    return best, ""


def lirpa(name):
    """auto_LiRPA's linear relaxation of the Jacobian on the box of radius 1/100 around 0, from linf to linf."""
    import torch
    from auto_LiRPA import BoundedModule, BoundedTensor, PerturbationLpNorm
    from auto_LiRPA.jacobian import JacobianOP

    weights, biases = load(name)
    layers = []
    for i, (w, b) in enumerate(zip(weights, biases)):
        linear = torch.nn.Linear(w.shape[1], w.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(w).float(), torch.tensor(b).float()
        layers.append(linear)
        if i + 1 < len(weights):
            layers.append(torch.nn.ReLU())

    class Jacobian(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = torch.nn.Sequential(*layers)

        def forward(self, x):
            return JacobianOP.apply(self.model(x), x)

    x = torch.zeros(1, weights[0].shape[1])
    model = BoundedModule(Jacobian(), x)
    ball = BoundedTensor(x, PerturbationLpNorm(norm=np.inf, eps=0.01))
    low, high = model.compute_jacobian_bounds(ball)
    rows = torch.max(low.abs(), high.abs()).reshape(weights[-1].shape[0], -1).sum(1)
    return float(rows.max()), "linf, box of radius 0.01"


PEERS = {
    "sampled from below": (sampled, "none", "numpy"),
    "LipSDP-Neuron, Clarabel": (clarabel, "floating point", "clarabel"),
    "LipSDP-Neuron, SCS": (scs, "floating point", "scs"),
    "ECLipsE-Fast": (eclipse_fast, "floating point", "eclipse-nn"),
    "ECLipsE": (eclipse_sdp, "floating point", "eclipse-nn"),
    "auto_LiRPA, Jacobian": (lirpa, "floating point", "auto_LiRPA"),
}


def child(peer, name, queue):
    start = time.perf_counter()
    try:
        found = PEERS[peer][0](name)
        queue.put((found, time.perf_counter() - start, None))
    except Exception as error:  # whatever a peer throws is its result
        queue.put((None, time.perf_counter() - start, f"{type(error).__name__}: {error}"))


def measure(peer, name, limit):
    queue = multiprocessing.Queue()
    process = multiprocessing.Process(target=child, args=(peer, name, queue))
    process.start()
    try:
        found, seconds, problem = queue.get(timeout=limit)
    except Exception:
        found, seconds, problem = None, limit, f"no answer in {limit} s"
    process.kill()
    process.join()
    if problem is not None:
        return "-", f"{seconds:.2f}", " ".join(problem.split())[:60]
    if found is None:
        return "-", "-", f"order above {ORDER_LIMIT}, not tried"
    value, note = found
    return f"{value:.10g}", f"{seconds:.2f}", note


def ours(binary, name):
    """Bounds by every method, each a run of the program with parsing, search and the kernel's check."""
    sizes = json.loads((MODELS / f"{name}.json").read_text())["dims"]
    chain = " -> ".join(map(str, sizes)) + " relu"
    network = f'network f from "{name}.safetensors" as {chain}\n'
    box = f"domain X = [-1/100, 1/100]^{sizes[0]}\n"
    claims = [
        ("norm_product", "claim c : lip(f, l2) <= ? by norm_product", ""),
        ("combettes_pesquet", "claim c : lip(f, l2) <= ? by combettes_pesquet", ""),
        ("eclipse_fast", "claim c : lip(f, l2) <= ? by eclipse_fast", ""),
        ("lipsdp", "claim c : lip(f, l2) <= ? by lipsdp", ""),
        ("attained", "claim c : lip(f, l2) >= ? by attained", ""),
        ("lipsdp on a box", box + "claim c : lip(f on X, linf) <= ? by lipsdp", "linf, box of radius 0.01"),
    ]
    for method, claim, note in claims:
        with tempfile.NamedTemporaryFile("w", suffix=".spec", dir=MODELS) as spec:
            spec.write(network + claim + "\n")
            spec.flush()
            start = time.perf_counter()
            run = subprocess.run([binary, "check", spec.name, "--format", "json"], capture_output=True, text=True)
            seconds = time.perf_counter() - start
        item = json.loads(run.stdout)["items"][0]
        end = item["lower" if method == "attained" else "upper"]
        numerator, _, denominator = end.partition("/")
        value = float(numerator) if not denominator else int(numerator) / int(denominator)
        yield f"supremum, {method}", f"{value:.10g}", f"{seconds:.2f}", note


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--supremum", default="target/release/supremum")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds per peer and network")
    arguments = parser.parse_args()
    versions = []

    def version(package):
        if package == "auto_LiRPA":  # A checkout on the path is not what is installed.
            return importlib.import_module(package).__version__
        return importlib.metadata.version(package)

    for package in ("numpy", "cvxpy", "clarabel", "scs", "eclipse-nn", "torch", "auto_LiRPA"):
        try:
            versions.append(f"{package} {version(package)}")
        except (importlib.metadata.PackageNotFoundError, ImportError):
            versions.append(f"{package} not installed")
    print(f"{time.strftime('%Y-%m-%d')}, Python {sys.version.split()[0]}, {', '.join(versions)}\n")
    print("| network | program | value | rigor | seconds | note |\n| --- | --- | --- | --- | --- | --- |")
    for name in arguments.networks:
        for peer, (_, rigor, package) in PEERS.items():
            if f"{package} not installed" in versions:
                continue
            value, seconds, note = measure(peer, name, arguments.limit)
            print(f"| {name} | {peer} | {value} | {rigor} | {seconds} | {note} |", flush=True)
        if Path(arguments.supremum).exists():
            for program, value, seconds, note in ours(arguments.supremum, name):
                print(f"| {name} | {program} | {value} | proved | {seconds} | {note} |", flush=True)


if __name__ == "__main__":
    main()
