#!/usr/bin/env python3
"""A second checker of certificates, after docs/certificate.md and with nothing but Python's standard library.

    supremum theorems --format json > library.json
    python3 scripts/second_checker.py library.json FILE.cert...

It shares no code with the kernel: exact rationals (`fractions`), functions by `decimal`, whose exp, ln and sqrt are correctly rounded
and are widened by one unit here. For every claim it derives each theorem step again from the objects and the earlier steps, counts errors
of ReLU chains in exact integers, decides the statement, and adds up probabilities. A step by a witness that it does not know, or a quantity
out of its reach, is taken as stated and named: the claim is then checked "in part". A disagreement is printed and the exit code is 1.
"""

import decimal
import hashlib
import json
import math
import re
import sys
from fractions import Fraction as Q
from pathlib import Path

decimal.getcontext().prec = 70
decimal.getcontext().Emax = decimal.MAX_EMAX
decimal.getcontext().Emin = decimal.MIN_EMIN
FORWARD_LIMIT = 60_000_000
TERMS = 200_000


class Refused(Exception):
    """The certificate is wrong."""


class OutOfReach(Exception):
    """This checker does not know; the kernel does."""


# Numbers: closed intervals with rational or infinite ends.

INF = None
BITS = 1200


def shorter(q, up):
    """A rational of at most BITS bits on the given side of q; q itself where that is short."""
    if q.numerator.bit_length() + q.denominator.bit_length() <= 4 * BITS:
        return q
    e = q.numerator.bit_length() - q.denominator.bit_length() - BITS
    scaled = q / Q(2) ** e
    n = -((-scaled.numerator) // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return Q(n) * Q(2) ** e


class I:
    """[lo, hi]; None is minus or plus infinity."""

    def __init__(self, lo, hi=...):
        hi = lo if hi is ... else hi
        self.lo = lo if lo is INF else shorter(Q(lo), False)
        self.hi = hi if hi is INF else shorter(Q(hi), True)
        if lo is not INF and hi is not INF and lo > hi:
            raise Refused("an empty interval")

    def point(self):
        return self.lo if self.lo is not INF and self.lo == self.hi else None

    def __repr__(self):
        show = lambda q: "inf" if q is INF else str(float(q)) if abs(q) < 1e300 else "huge"
        return f"[{show(self.lo)}, {show(self.hi)}]"


def add(a, b):
    end = lambda x, y: INF if x is INF or y is INF else x + y
    return I(end(a.lo, b.lo), end(a.hi, b.hi))


def neg(a):
    return I(INF if a.hi is INF else -a.hi, INF if a.lo is INF else -a.lo)


def bounded(a, what):
    if a.lo is INF or a.hi is INF:
        raise OutOfReach(f"{what} of an unbounded value")
    return a


def mul(a, b):
    # A factor of one sign with an unbounded end still has a finite end on the other side.
    if INF in (a.lo, a.hi, b.lo, b.hi):
        if a.lo is not INF and b.lo is not INF and a.lo >= 0 and b.lo >= 0:
            return I(a.lo * b.lo, INF if INF in (a.hi, b.hi) else a.hi * b.hi)
        raise OutOfReach("a product of unbounded values")
    ends = [x * y for x in (a.lo, a.hi) for y in (b.lo, b.hi)]
    return I(min(ends), max(ends))


def inverse(a):
    if (a.lo is INF or a.lo <= 0) and (a.hi is INF or a.hi >= 0):
        raise OutOfReach("a division by what may be 0")
    return I(Q(0) if a.hi is INF else 1 / a.hi, Q(0) if a.lo is INF else 1 / a.lo)


def monotone(f, a):
    """An increasing function, end by end; f gives bounds of its value."""
    return I(INF if a.lo is INF else f(a.lo)[0], INF if a.hi is INF else f(a.hi)[1])


def by_decimal(function, q):
    """Bounds of a correctly rounded function: the argument is rounded both ways, the results one unit outward."""
    def at(rounding):
        context = decimal.Context(prec=80, rounding=rounding, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
        return context.divide(decimal.Decimal(q.numerator), decimal.Decimal(q.denominator))
    context = decimal.getcontext()
    low = context.next_minus(getattr(at(decimal.ROUND_FLOOR), function)())
    high = context.next_plus(getattr(at(decimal.ROUND_CEILING), function)())
    return Q(low), Q(high)


def ln(q):
    return (Q(0), Q(0)) if q == 1 else by_decimal("ln", q)


def exp(q):
    if abs(q) > 10**6:
        raise OutOfReach("a huge exponential")
    return (Q(1), Q(1)) if q == 0 else by_decimal("exp", q)


def root(q):
    n, d = math.isqrt(q.numerator), math.isqrt(q.denominator)
    if n * n == q.numerator and d * d == q.denominator:
        return Q(n, d), Q(n, d)
    shift = 2 * max(0, 300 - (q.numerator.bit_length() - q.denominator.bit_length()) // 2)
    n = math.isqrt((q.numerator << shift) // q.denominator)
    return Q(n, 1 << shift // 2), Q(n + 1, 1 << shift // 2)


def positive(a, what):
    if a.lo is INF or a.lo <= 0:
        raise OutOfReach(f"{what} of what may be <= 0")
    return a


PI = Q("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
PI = I(PI, PI + Q(1, 10**80))


def power(a, b):
    n = b.point()
    if n is not None and n.denominator == 1:
        n = int(n)
        if n < 0:
            return inverse(power(a, I(-n)))
        if n * max(x.numerator.bit_length() + x.denominator.bit_length() for x in (bounded(a, "a power").lo, a.hi)) > 10**7:
            raise OutOfReach("a power of millions of digits")
        ends = [a.lo**n, a.hi**n]
        if n % 2 == 0 and a.lo < 0 < a.hi:
            ends.append(Q(0))
        return I(min(ends), max(ends))
    if n == Q(1, 2) and a.lo is not INF and a.lo >= 0:
        return monotone(root, a)
    if a.point() == 0 and b.lo is not INF and b.lo > 0:
        return I(0)
    return monotone(exp, mul(b, monotone(ln, positive(bounded(a, "a power"), "a power"))))


def kl(q, p):
    """kl(q, p) for points: exact zeros where a factor is 0."""
    if not (0 <= q <= 1 and 0 <= p <= 1):
        raise OutOfReach("kl of what is no probability")
    total = I(0)
    for a, b in ((q, p), (1 - q, 1 - p)):
        if a != 0:
            if b == 0:
                return I(INF, INF)
            total = add(total, mul(I(a), I(*ln(a / b))))
    return total


def tail(n, k, p):
    """Bounds of P(Bin(n, p) <= k) at a point 0 < p < 1: the k-th term, times the sum of all terms over it, downwards."""
    if k >= n:
        return Q(1), Q(1)
    one = 1 << 256
    a, b = p.numerator, p.denominator - p.numerator
    low = high = total_low = total_high = one
    for i in range(k, 0, -1):
        # The term of i - 1 is i (1 - p)/((n - i + 1) p) times that of i.
        up, down = i * b, (n - i + 1) * a
        low, high = low * up // down, -(-high * up // down)
        total_low, total_high = total_low + low, total_high + high
        if high <= 1:
            # The ratios fall with i, and are below 1 where terms have become small: i further ones of at most a unit.
            total_high += i
            break
    exponent = add(mul(I(k), I(*ln(p))), mul(I(n - k), I(*ln(1 - p))))
    term = mul(I(math.comb(n, k)), monotone(exp, exponent))
    value = mul(term, I(Q(total_low, one), Q(total_high, one)))
    return value.lo, value.hi


def beyond(x, y):
    """Whether x is at least y, by no more than a rounding."""
    return 0 <= x - y <= abs(y) * Q(1, 2**100)


class Points:
    """The certificate's points beside inverses: each is looked at once, by one sign, and bounds every inverse that it dominates."""

    def __init__(self, records):
        self.known = []
        for record in records:
            if set(record) != {"at", "inverse", "side"} or record["side"] not in ("above", "below"):
                raise Refused("a point with other fields")
            head, *arguments = record["inverse"]
            self.known.append((head, [number(x) for x in arguments], record["side"] == "above", number(record["at"])))

    def holds(self, head, arguments, above, at):
        """Whether the inverse is at most (`above`) or at least the point. Both functions are strictly monotone there."""
        if head == "kl_inverse" and len(arguments) == 2:
            q, c = arguments
            if not 0 <= q <= 1 or c < 0 or above and at < q:
                raise Refused(f"no point for {head}: {float(at)}")
            if above and at >= 1 or not above and at <= q:
                return True
            value = kl(q, at)
            if value.lo is INF:
                return above
            right, wrong = (value.lo >= c, value.hi < c) if above else (value.hi <= c, value.lo > c)
        elif head == "binomial_tail_inverse" and len(arguments) == 3:
            n, k, delta = arguments
            if n.denominator != 1 or k.denominator != 1 or not 0 <= k < n:
                raise Refused(f"no arguments of {head}")
            if above and at >= 1 or not above and at <= 0:
                return True
            if not 0 < at < 1:
                raise Refused(f"no point for {head}: {float(at)}")
            low, high = tail(int(n), int(k), at)
            right, wrong = (high <= delta, low > delta) if above else (low >= delta, high < delta)
        else:
            raise Refused(f"a point for `{head}`")
        if wrong:
            raise Refused(f"a point on the wrong side of {head}: {float(at)}")
        return right

    def best(self, head, above, dominates):
        """The nearest point among those whose arguments lie beyond, and not far beyond: another one would say little."""
        found = [at for h, arguments, a, at in self.known
                 if h == head and a == above and dominates(*arguments) and self.holds(h, arguments, a, at)]
        if not found:
            raise OutOfReach(f"{head} without a point")
        return min(found) if above else max(found)

    def kl_inverse(self, q, c):
        """sup { p : kl(q, p) <= c } grows with q and c."""
        if not (0 <= q.lo and q.hi <= 1 and c.lo >= 0):
            raise OutOfReach("kl of what is no probability")
        high = Q(1) if q.hi == 1 else min(Q(1), self.best("kl_inverse", True, lambda x, y: beyond(x, q.hi) and beyond(y, c.hi)))
        low = q.lo if c.lo == 0 or q.lo == 1 else self.best("kl_inverse", False, lambda x, y: beyond(q.lo, x) and beyond(c.lo, y))
        return I(max(low, q.lo), high)

    def binomial_tail_inverse(self, n, k, delta):
        """sup { p : P(Bin(n, p) <= k) >= delta } grows with k and falls with delta."""
        def end(k, above, dominates):
            if k >= n:
                return Q(1)
            return self.best("binomial_tail_inverse", above, lambda m, j, d: m == n and dominates(j, d))
        low, high = math.floor(k.lo), math.ceil(k.hi)
        return I(max(Q(0), end(low, False, lambda j, d: j == low and beyond(d, delta.hi))),
                 min(Q(1), end(high, True, lambda j, d: j == high and beyond(delta.lo, d))))


def integer(a):
    n = a.point()
    if n is None or n.denominator != 1:
        raise OutOfReach("an integer that is not exactly known")
    return int(n)


def gamma(a):
    """At positive integers and half-integers."""
    x = a.point()
    if x is None or x <= 0 or (2 * x).denominator != 1 or x > 1000:
        raise OutOfReach("gamma at this point")
    if x.denominator == 1:
        return I(math.factorial(int(x) - 1))
    odd = math.prod(range(1, int(2 * x) - 1, 2))
    return mul(I(Q(odd, 2 ** int(x - Q(1, 2)))), monotone(root, PI))


def arctan(q):
    """Six halvings arctan x = 2 arctan(x/(1 + sqrt(1 + x^2))), then the alternating series."""
    if q < 0:
        low, high = arctan(-q)
        return -high, -low
    if q > 1:
        low, high = arctan(1 / q)
        half = mul(PI, I(Q(1, 2)))
        return half.lo - high, half.hi - low
    x = I(q)
    for _ in range(6):
        x = mul(x, inverse(add(I(1), monotone(root, add(I(1), mul(x, x))))))
    total, term, square = I(0), x, neg(mul(x, x))
    for k in range(24):
        total = add(total, mul(term, I(Q(1, 2 * k + 1))))
        term = mul(term, square)
    rest = max(abs(term.lo), abs(term.hi)) / 49
    total = mul(add(total, I(-rest, rest)), I(64))
    return total.lo, total.hi


def apply(op, a):
    if op == "add":
        total = I(0)
        for x in a:
            total = add(total, x)
        return total
    if op == "mul":
        total = I(1)
        for x in a:
            total = mul(total, x)
        return total
    if op == "neg":
        return neg(*a)
    if op == "div":
        return mul(a[0], inverse(a[1]))
    if op == "pow":
        return power(*a)
    if op in ("min", "max"):
        if any(INF in (x.lo, x.hi) for x in a):
            raise OutOfReach(f"{op} of an unbounded value")
        f = min if op == "min" else max
        return I(f(x.lo for x in a), f(x.hi for x in a))
    if op == "abs":
        x = bounded(a[0], "abs")
        return I(Q(0) if x.lo <= 0 <= x.hi else min(abs(x.lo), abs(x.hi)), max(abs(x.lo), abs(x.hi)))
    if op == "sqrt":
        if a[0].lo is INF or a[0].lo < 0:
            raise OutOfReach("sqrt of what may be negative")
        return monotone(root, a[0])
    if op == "exp":
        return monotone(exp, a[0]) if a[0].lo is not INF else I(Q(0), exp(a[0].hi)[1])
    if op == "ln":
        return monotone(ln, positive(a[0], "ln"))
    if op == "log2":
        x = positive(a[0], "log2")
        p = x.point()
        if p is not None and 1 in (p.numerator, p.denominator) and (p.numerator * p.denominator).bit_count() == 1:
            return I((p.numerator * p.denominator).bit_length() - 1) if p >= 1 else I(1 - p.denominator.bit_length())
        return mul(monotone(ln, x), inverse(I(*ln(Q(2)))))
    if op == "arctan":
        return monotone(arctan, a[0])
    if op == "tanh":
        y = monotone(exp, mul(I(2), bounded(a[0], "tanh")))
        at = lambda x: (x - 1) / (x + 1)
        return I(at(y.lo), at(y.hi))
    if op in ("floor", "ceil"):
        f = math.floor if op == "floor" else math.ceil
        return I(f(bounded(a[0], op).lo), f(a[0].hi))
    if op == "binomial":
        n, k = integer(a[0]), integer(a[1])
        if min(k, n - k) > 100_000:
            raise OutOfReach("a large binomial")
        return I(math.comb(n, k) if 0 <= k <= n else 0)
    if op == "gamma":
        return gamma(a[0])
    if op == "kl":
        q, p = (bounded(x, "kl") for x in a)
        corners = [kl(x, y) for x in (q.lo, q.hi) for y in (p.lo, p.hi)]
        if any(c.hi is INF for c in corners):
            raise OutOfReach("kl without bound")
        # Convex: largest at a corner; least at a corner too where q and p do not meet.
        meets = q.lo <= p.hi and p.lo <= q.hi
        return I(Q(0) if meets and (q.point() is None or p.point() is None) else min(c.lo for c in corners), max(c.hi for c in corners))
    if op == "binomial_tail":
        n, k, p = integer(a[0]), integer(a[1]), bounded(a[2], op)
        if p.point() is None or not 0 < p.lo < 1:
            raise OutOfReach("a binomial tail at an interval")
        return I(*tail(n, k, p.lo))
    raise OutOfReach(f"`{op}`")


# Reading.

def number(text):
    """A rational `p/q` or dyadic `m*2^e` in its one spelling."""
    if match := re.fullmatch(r"(-?[1-9]\d*)\*2\^(-?[1-9]\d*)", text):
        m, e = int(match[1]), int(match[2])
        if m % 2 == 0 or abs(e) > 2**20:
            raise Refused(f"expected an odd mantissa and a moderate exponent, found {text}")
        return Q(m) * Q(2) ** e
    if re.fullmatch(r"-?(0|[1-9]\d*)(/[1-9]\d*)?", text) and text != "-0":
        q = Q(text)
        if str(q) == text:
            return q
    raise Refused(f"expected a number in its one spelling, found {text!r}")


def spell(value, depth=0):
    """The canonical spelling of a JSON value: the first two levels are broken over lines."""
    if isinstance(value, str):
        out = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda c: f"\\u{ord(c[0]):04x}", out) + '"'
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    line = "\n" if depth < 2 and value else ""
    if isinstance(value, dict):
        entries, ends = [f"{spell(k)}:{spell(value[k], depth + 1)}" for k in sorted(value)], "{}"
    else:
        entries, ends = [spell(v, depth + 1) for v in value], "[]"
    return ends[0] + line + ("," + line).join(entries) + line + ends[1]


# From the spelling to what the rest of this program works on: fields that were left out, terms with their kinds in front.

OPERATIONS = {"+": "add", "*": "mul", "-": "neg", "/": "div", "^": "pow"}
BIGS = {"sum": "big_sum", "prod": "big_prod", "max over": "big_max", "min over": "big_min"}
CALLS = """abs min max sqrt exp ln log2 tanh arctan erf erfc lgamma gamma floor ceil binomial kl kl_inverse binomial_tail
    binomial_tail_inverse""".split()


def spelled_term(term):
    if isinstance(term, str):
        return term if term[:1] in "-0123456789" and term else [term] if term in ("pi", "e", "inf") else ["name", term]
    head, *rest = term
    if head in BIGS:
        return [BIGS[head], rest[0]] + [spelled_term(t) for t in rest[1:]]
    if head == "cases":
        return ["cases"] + [[c if c is None else spelled_formula(c), spelled_term(t)] for c, t in rest]
    rest = [spelled_term(t) for t in rest]
    return [OPERATIONS.get(head, head)] + rest if head in OPERATIONS or head in CALLS else ["of", head] + rest


def spelled_formula(formula):
    head, *rest = formula
    if head == "and":
        return ["and"] + [spelled_formula(part) for part in rest]
    if head in ("forall", "forall_real"):
        return [head, rest[0], spelled_term(rest[1]), spelled_term(rest[2]), spelled_formula(rest[3])]
    if head == "forall_each":
        return [head, rest[0], [spelled_term(t) for t in rest[1]], spelled_formula(rest[2])]
    if head == "holds":
        return ["holds", rest[0]] + [spelled_term(t) for t in rest[1:]]
    return [head] + [spelled_term(t) for t in rest]


def spelled_terms(terms):
    return {name: spelled_term(term) for name, term in terms.items()}


def spelled_net(net):
    nodes = net["architecture"]["nodes"]
    plain = lambda i, node: {"op": node, "inputs": [i - 1] if i else ["input"]} if isinstance(node, list) else node
    tensor = lambda t: t and {"shape": t[0], "data": t[1]}
    parameters = net.get("parameters")
    return {
        "architecture": {**net["architecture"], "nodes": [plain(i, node) for i, node in enumerate(nodes)]},
        "constraints": [{**c, "bound": spelled_term(c["bound"])} for c in net.get("constraints", [])],
        "parameters": parameters and [p and {"weight": tensor(p["weight"]), "bias": tensor(p.get("bias"))} for p in parameters],
        "weight_bits": net.get("weight_bits"),
    }


def spelled(doc):
    """The certificate with all fields, and terms with their kinds."""
    doc = {"assumptions": [], "definitions": {}, "files": [], "objects": {}, "points": [], "side": None, "steps": [], "theorems": {}, **doc}
    doc["definitions"] = {n: {"parameters": d.get("parameters", []), "body": spelled_term(d["body"])} for n, d in doc["definitions"].items()}
    for name, entry in doc["objects"].items():
        entry["is"] = spelled_net(entry["is"]) if "architecture" in entry["is"] else {"examples": None, "center": None, **entry["is"]}
    doc["theorems"] = {name: {"text": None, **record} for name, record in doc["theorems"].items()}
    for step in doc["steps"]:
        if "theorem" in step:
            step["bindings"] = spelled_terms(step["bindings"])
        else:
            step["subject"] = spelled_term(step["subject"])
    nothing = {"assumptions": [], "undischarged": [], "derivation": [], "draws": [], "stated": {}, "failure": "0", "spent": "0"}
    for i, claim in enumerate(doc["claims"]):
        claim = doc["claims"][i] = {**nothing, "kind": "claim", "verdict": "proved", "low": None, "high": None, **claim}
        claim["statement"] = spelled_formula(claim["statement"])
        claim["stated"] = spelled_terms(claim["stated"])
        claim["draws"] = [{**draw, "objects": spelled_terms(draw["objects"])} for draw in claim["draws"]]
        claim["derivation"] = [{"step": e[0], "low": e[1], "high": e[2], "uses": e[3:]} for e in claim["derivation"]]
    return doc


def spelled_library(library):
    for theorem in library["theorems"].values():
        theorem["ensures"] = spelled_formula(theorem["ensures"])
        theorem["requires"] = [spelled_formula(requirement) for requirement in theorem["requires"]]
        if theorem["failure"] is not None:
            theorem["failure"] = spelled_term(theorem["failure"])
    return library



def unique(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise Refused("a key stands twice")
    return dict(pairs)


class Side:
    """The side file, compared with its length and hash."""

    def __init__(self, record, folder):
        self.data = b""
        if record is not None:
            path = folder / record["file"]
            if "/" in record["file"] or path.is_symlink() or not path.is_file():
                raise Refused("the side file is not a file beside the certificate")
            self.data = path.read_bytes()
            if len(self.data) != record["bytes"] or hashlib.sha256(self.data).hexdigest() != record["sha256"]:
                raise Refused("the side file has another length or hash")

    def array(self, field):
        """Integers and a common exponent: number i is integers[i] times 2^exponent."""
        if not (field and isinstance(field[0], str) and field[0][0].isalpha()):
            values = [number(v) if isinstance(v, str) else Q(v) for v in field]
            e = -max((v.denominator.bit_length() - 1 for v in values), default=0)
            return [int(v / Q(2) ** e) for v in values], e
        layout, start, count, *rest = field
        width = {"u8": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "binary32": 4, "binary64": 8}[layout]
        e = int(rest[0]) if rest else 0
        raw = self.data[start:start + width * count]
        if len(raw) != width * count:
            raise Refused("an array reaches beyond the side file")
        words = [int.from_bytes(raw[i:i + width], "little", signed=layout[0] == "i") for i in range(0, len(raw), width)]
        if layout.startswith("binary"):
            mantissa_bits, bias = (23, 150) if width == 4 else (52, 1075)
            parts = []
            for word in words:
                sign = -1 if word >> (8 * width - 1) else 1
                exponent = word >> mantissa_bits & (1 << (8 * width - 1 - mantissa_bits)) - 1
                if exponent == (1 << (8 * width - 1 - mantissa_bits)) - 1:
                    raise Refused("an infinity or NaN")
                mantissa = word & (1 << mantissa_bits) - 1
                parts.append((sign * (mantissa | (1 << mantissa_bits if exponent else 0)), max(exponent, 1) - bias))
            least = min((e for m, e in parts if m), default=0)
            return [m << (x - least) if m else 0 for m, x in parts], e + least
        return words, e


# Objects.

PIECES = {"relu": (1, 1), "leaky_relu": (1, 1), "relu6": (2, 1), "hard_tanh": (2, 1), "identity": (0, 1), "heaviside": (1, 0)}


class Net:
    """A chain of dense layers; anything else is out of reach beyond its record."""

    def __init__(self, record):
        self.record = record
        self.nodes = record["architecture"]["nodes"]
        sizes = record["architecture"]["input"]
        self.units, self.bias, self.hidden = [math.prod(map(int, sizes))], [], []
        self.is_chain = len(sizes) == 1
        wants_dense = True
        for i, node in enumerate(self.nodes):
            op, *rest = node["op"]
            self.is_chain &= node["inputs"] == ([i - 1] if i else ["input"])
            if op == "dense":
                if not wants_dense:
                    self.hidden.append("identity")
                self.units.append(int(rest[0]))
                self.bias.append(rest[1])
                wants_dense = False
            elif op == "activation" and not wants_dense:
                self.hidden.append(rest[0])
                wants_dense = True
            else:
                self.is_chain = False
        self.is_chain &= not wants_dense

    def chain(self):
        if not self.is_chain:
            raise OutOfReach("a network that is no chain of dense layers")
        return self

    def layer_params(self, l):
        return self.units[l] * (self.units[l - 1] + self.bias[l - 1])

    def quantity(self, head, l):
        self.chain()
        depth = len(self.bias)
        if l is not None and not (0 <= l <= depth if head == "layer_units" else 1 <= l <= depth):
            raise OutOfReach("a layer outside the chain")
        known = [PIECES[a] for a in self.hidden if a in PIECES]
        if head in ("breakpoints", "degree"):
            if len(known) < len(self.hidden):
                raise OutOfReach("an activation that is not piecewise polynomial")
            return max((k[head == "degree"] for k in known + [(1, 0)]), default=1) if known else 1
        return {
            "params": lambda: sum(self.layer_params(k) for k in range(1, depth + 1)),
            "depth": lambda: depth,
            "width": lambda: max(self.units),
            "hidden_width": lambda: max(self.units[1:-1], default=0),
            "units": lambda: sum(self.units[1:]),
            "input_dim": lambda: self.units[0],
            "output_dim": lambda: self.units[-1],
            "layer_units": lambda: self.units[l],
            "layer_params": lambda: self.layer_params(l),
            "params_upto": lambda: sum(self.layer_params(k) for k in range(1, l + 1)),
        }[head]()


def errors(net, sample, side):
    """Misclassified examples of a ReLU chain, in exact integers; a tie is an error."""
    net.chain()
    examples, parameters = sample["examples"], net.record["parameters"]
    work = sample["size"] * sum(a * b for a, b in zip(net.units, net.units[1:]))
    if examples is None or parameters is None or any(a != "relu" for a in net.hidden) or work > FORWARD_LIMIT:
        raise OutOfReach("this count of errors")
    layers, exponents = [], []
    for p in (p for p in parameters if p):
        w, e = side.array(p["weight"]["data"])
        columns = p["weight"]["shape"][1]
        rows = [w[i:i + columns] for i in range(0, len(w), columns)]
        b, f = side.array(p["bias"]["data"]) if p["bias"] else ([0] * len(rows), 0)
        layers.append((rows, e, b, f))
    values, e = side.array(examples["values"])
    scale = number(examples["scale"])
    labels, _ = side.array(examples["labels"])
    # Inputs are value times scale; the denominator of the scale is cleared by scaling all biases.
    common, d, count = scale.denominator, examples["dimension"], 0
    for i in range(sample["size"]):
        x, at = [v * scale.numerator for v in values[i * d:(i + 1) * d]], e
        for depth, (rows, we, b, f) in enumerate(layers):
            grid = min(at + we, f)
            left, right = at + we - grid, f - grid
            x = [(sum(p * q for p, q in zip(row, x)) << left) + ((c * common) << right) for row, c in zip(rows, b)]
            at = grid
            if depth + 1 < len(layers):
                x = [v if v > 0 else 0 for v in x]
        label = labels[i]
        if len(x) == 1:
            count += x[0] == 0 or (x[0] > 0) != (label == 1)
        else:
            count += any(v >= x[label] for j, v in enumerate(x) if j != label)
    return count


# One certificate.

CODOMAINS = {"natural": (Q(0), INF), "nonnegative": (Q(0), INF), "at_least_one": (Q(1), INF), "unit": (Q(0), Q(1)), "real": (INF, INF)}
CONSTANTS = {"pi": PI}


def key(term):
    return json.dumps(term)


def printed(term):
    """The printed form of a quantity; other terms are out of reach."""
    if isinstance(term, str):
        return term
    head, *rest = term
    if head == "name":
        return rest[0]
    if head == "of" and rest[0] == "on":
        return f"{printed(rest[1])} on {printed(rest[2])}"
    if head == "of":
        return f"{rest[0]}({', '.join(map(printed, rest[1:]))})"
    raise OutOfReach("the printed form of this quantity")


def substitute(value, bindings):
    if isinstance(value, list):
        if value[:1] == ["name"] and len(value) == 2 and value[1] in bindings:
            return bindings[value[1]]
        return [substitute(v, bindings) for v in value]
    return value


class Certificate:
    def __init__(self, path, library):
        text = path.read_text(encoding="utf-8")
        self.doc = json.loads(text, object_pairs_hook=unique)
        if spell(self.doc) + "\n" != text:
            raise Refused("not in canonical spelling")
        if (self.doc["format"], self.doc["version"]) != ("supremum certificate", 3):
            raise Refused("expected version 3 of `supremum certificate`")
        self.doc = spelled(self.doc)
        self.side = Side(self.doc["side"], path.parent)
        self.points = Points(self.doc["points"])
        self.library = library
        self.nets, self.samples = {}, {}
        for name, entry in self.doc["objects"].items():
            record = entry["is"]
            if "architecture" in record:
                self.nets[name] = Net(record)
            elif "atoms" in record:
                self.samples[name] = record
        self.theorems = {}
        for name, record in self.doc["theorems"].items():
            known = library["theorems"].get(name)
            if known is None or record["text"] is not None:
                raise OutOfReach(f"the user's theorem `{name}`")
            digest = hashlib.sha256(known["text"].encode()).hexdigest()
            if not record["sha256"] == known["sha256"] == digest or record["status"] != known["status"]:
                raise Refused(f"the theorem `{name}` has another text")
            self.theorems[name] = known

    # Terms, with the facts of a derivation and variables of big operators.

    def term(self, term, facts, variables):
        if isinstance(term, str):
            return I(number(term))
        head, *rest = term
        if head == "name":
            if rest[0] in variables:
                value = variables[rest[0]]
                return value if isinstance(value, I) else I(value)
            definition = self.doc["definitions"].get(rest[0])
            if definition is not None and not definition["parameters"]:
                return self.term(definition["body"], facts, variables)
            raise OutOfReach(f"the name `{rest[0]}` as a number")
        if head in CONSTANTS:
            return CONSTANTS[head]
        if head == "e":
            return monotone(exp, I(1))
        if head.startswith("big_"):
            name, low, high, body = rest
            low, high = (integer(self.term(t, facts, variables)) for t in (low, high))
            if high - low > TERMS:
                raise OutOfReach("a big operator with many terms")
            parts = [self.term(body, facts, variables | {name: Q(i)}) for i in range(low, high + 1)]
            return apply({"big_sum": "add", "big_prod": "mul", "big_max": "max", "big_min": "min"}[head], parts)
        if head == "cases":
            for condition, value in rest:
                truth = True if condition is None else self.formula(condition, facts, variables)
                if truth is None:
                    raise OutOfReach("an undecided case")
                if truth:
                    return self.term(value, facts, variables)
            raise OutOfReach("a case without a branch")
        if head == "of":
            return self.quantity(rest[0], rest[1:], facts, variables)
        arguments = [self.term(t, facts, variables) for t in rest]
        if head == "kl_inverse":
            return self.points.kl_inverse(*(bounded(x, head) for x in arguments))
        if head == "binomial_tail_inverse":
            return self.points.binomial_tail_inverse(integer(arguments[0]), *(bounded(x, head) for x in arguments[1:]))
        return apply(head, arguments)

    def is_object(self, term, variables):
        """An object or a symbol such as a norm, by name."""
        return isinstance(term, list) and term[0] == "name" and term[1] not in variables and term[1] not in self.doc["definitions"]

    def canonical(self, term, facts, variables):
        """An argument: objects and symbols stay, numbers are worked out."""
        if self.is_object(term, variables):
            return term
        if isinstance(term, list) and term[0] == "of" and term[1] not in self.library["quantities"] and term[1] not in self.doc["definitions"]:
            return ["of", term[1]] + [self.canonical(t, facts, variables) for t in term[2:]]
        value = self.term(term, facts, variables).point()
        if value is None:
            raise OutOfReach("an argument that is not exactly known")
        return str(value)

    def quantity(self, head, arguments, facts, variables):
        definition = self.doc["definitions"].get(head)
        if definition is not None:
            if len(arguments) != len(definition["parameters"]):
                raise Refused(f"`{head}` with another number of arguments")
            # Objects are put in by name, numbers by value.
            objects, numbers = {}, {}
            for name, argument in zip(definition["parameters"], arguments):
                if self.is_object(argument, variables):
                    objects[name] = argument
                else:
                    numbers[name] = self.term(argument, facts, variables)
            return self.term(substitute(definition["body"], objects), facts, numbers)
        arguments = [self.canonical(t, facts, variables) for t in arguments]
        if head not in self.library["quantities"]:
            raise OutOfReach(f"`{head}`")
        low, high = CODOMAINS[self.library["quantities"][head]]
        found = [(low, high)]
        if head == "layer_lipschitz":
            net = self.nets[arguments[0][1]].chain()
            return self.quantity("activation_lipschitz", [["name", net.hidden[int(arguments[1]) - 1]]], facts, {})
        intrinsic = self.intrinsic(head, arguments)
        if intrinsic is not None:
            value = intrinsic if isinstance(intrinsic, I) else I(intrinsic)
            found.append((value.lo, value.hi))
        found += [(fact.lo, fact.hi) for fact in facts.get(key(["of", head] + arguments), [])]
        if head == "empirical_risk" and arguments[2] == ["name", "zero_one"]:
            count = facts.get(key(["of", "errors"] + arguments[:2]), [])
            size = self.samples[arguments[1][1]]["size"]
            found += [(c.lo / size, c.hi / size) for c in count if c.hi is not INF and c.lo is not INF]
        lows = [l for l, _ in found if l is not INF]
        highs = [h for _, h in found if h is not INF]
        return I(max(lows, default=INF), min(highs, default=INF))

    COMPUTED = ("radius dim moment path_norm variance noisy_params squared_distance nonzero operator_norm pool_comparisons cardinality "
                "activation_patterns").split()

    def intrinsic(self, head, arguments):
        """What the objects alone say; `None`: nothing here."""
        name = arguments[0][1] if arguments and isinstance(arguments[0], list) and arguments[0][0] == "name" else None
        if head in ("samples", "classes") and name in self.samples:
            return self.samples[name]["size" if head == "samples" else "classes"]
        structural = ("params depth width hidden_width units input_dim output_dim layer_units layer_params params_upto breakpoints degree").split()
        if head in structural and name in self.nets:
            return self.nets[name].quantity(head, int(arguments[1]) if len(arguments) > 1 else None)
        if head == "weight_bits" and name in self.nets and self.nets[name].record["parameters"] is not None:
            return self.nets[name].record["weight_bits"]
        if head in ("weight_norm", "bias_norm") and name in self.nets:
            part, l, norm = head.split("_")[0], int(arguments[1]), arguments[2][1]
            bounds = [c["bound"] for c in self.nets[name].record["constraints"] if (c["part"], int(c["layer"]), c["norm"]) == (part, l, norm)]
            if self.nets[name].record["parameters"] is None and len(bounds) == 1 and isinstance(bounds[0], str):
                return number(bounds[0])
            raise OutOfReach("a norm of weights")
        box = self.doc["objects"].get(name, {}).get("is", {}).get("box")
        if head == "radius" and box is not None:
            sides = [(int(count), max(abs(number(low)), abs(number(high)))) for count, low, high in box]
            norm = arguments[1][1]
            if norm == "l2":
                return monotone(root, I(sum(count * side**2 for count, side in sides)))
            if norm in ("l1", "linf"):
                return max(side for _, side in sides) if norm == "linf" else sum(count * side for count, side in sides)
        if head == "dim" and box is not None:
            return sum(int(count) for count, _, _ in box)
        if head in structural or head in self.COMPUTED:
            raise OutOfReach(f"`{head}` of this object")
        return None

    # Formulas: True, False, or None where undecided.

    def formula(self, formula, facts, variables):
        head, *rest = formula
        if head in ("<=", "<", ">=", ">", "="):
            return compare(head, *(self.term(t, facts, variables) for t in rest))
        if head == "within":
            value, low, high = (self.term(t, facts, variables) for t in rest)
            return both([compare("<=", low, value), compare("<=", value, high)])
        if head == "and":
            return both(self.formula(f, facts, variables) for f in rest)
        if head == "forall":
            name, low, high, body = rest
            low, high = (integer(self.term(t, facts, variables)) for t in (low, high))
            if high - low > TERMS:
                raise OutOfReach("a quantifier over many numbers")
            return both(self.formula(body, facts, variables | {name: Q(i)}) for i in range(low, high + 1))
        if head == "forall_real":
            name, low, high, body = rest
            low, high = (bounded(self.term(t, facts, variables), "a quantifier") for t in (low, high))
            # True on the whole interval is true of every number; false on it, of one.
            return self.formula(body, facts, variables | {name: I(low.lo, high.hi)})
        if head == "forall_each":
            name, members, body = rest
            return both(self.formula(substitute(body, {name: m}), facts, variables) for m in members)
        if head == "holds":
            return self.holds(rest[0], rest[1:])
        raise OutOfReach(f"`{head}`")

    def holds(self, name, arguments):
        symbol = arguments[0][1] if isinstance(arguments[0], list) and arguments[0][0] == "name" else None
        net, sample = self.nets.get(symbol), self.samples.get(symbol)
        hidden = lambda allowed: net.is_chain and all(a in allowed for a in net.hidden)
        if name == "vector_norm":
            return symbol in ("l1", "l2", "linf")
        if name == "bounded_loss":
            return symbol in ("zero_one", "ramp")
        if name == "iid" and sample is not None:
            if isinstance(sample["origin"], dict):
                return True
            declared = [self.samples[a["iid"]] for a in self.doc["assumptions"] if "iid" in a]
            if sample["origin"] == "file" and any(set(sample["atoms"]) <= set(d["atoms"]) for d in declared):
                return True
        if name == "supported" and sample is not None:
            domain = arguments[1][1]
            declared = [self.samples[a["supported"]] for a in self.doc["assumptions"] if a.get("domain") == domain]
            if any(set(sample["atoms"]) <= set(d["atoms"]) for d in declared):
                return True
        if name == "independent" and isinstance(arguments[1], list):
            atoms = self.samples[arguments[1][1]]["atoms"]
            depends = self.doc["objects"][symbol]["depends_on"]
            declared = [a["depends_on"] for a in self.doc["assumptions"] if a.get("object") == symbol]
            depends = declared[0] if depends is None and declared else depends
            bounds = [c["bound"] for c in net.record["constraints"]] if net else []
            if net is not None and depends is not None and all(isinstance(b, str) for b in bounds):
                return not set(depends) & set(atoms)
        if net is not None:
            record = net.record
            test = {
                "chain": lambda: net.is_chain,
                "layered": lambda: net.is_chain or None,
                "scalar_output": lambda: net.chain().units[-1] == 1,
                "biased": lambda: net.is_chain and all(net.bias),
                "unconstrained": lambda: record["parameters"] is None and not record["constraints"],
                "concrete": lambda: record["parameters"] is not None,
                "relu_units": lambda: hidden(("relu",)),
                "threshold_units": lambda: hidden(("heaviside",)),
                "sigmoid_units": lambda: hidden(("sigmoid",)),
                "piecewise_polynomial": lambda: hidden(PIECES),
                "piecewise_linear": lambda: hidden([a for a, (_, degree) in PIECES.items() if degree == 1]),
                "homogeneous": lambda: hidden(("relu", "identity")) or None,
                "nonexpansive": lambda: hidden(("relu", "identity", "tanh", "hard_tanh", "relu6")) or None,
                "contractive": lambda: hidden(("relu", "identity", "tanh", "hard_tanh")) or None,
                "identity_on_positives": lambda: hidden(("relu", "identity")) or None,
                "no_bias": lambda: (net.is_chain and not any(net.bias)) or None,
            }.get(name)
            if name == "member":
                other = self.nets[arguments[1][1]].record
                if record["parameters"] is not None and other["parameters"] is None and not other["constraints"]:
                    return record["architecture"] == other["architecture"]
            if name == "fits":
                other = self.samples[arguments[1][1]]
                k, out = other["classes"], net.chain().units[-1]
                return other["examples"]["dimension"] == net.units[0] and (out == k or (out == 1 and k == 2))
            if name == "norm_class":
                norms = sorted((int(c["layer"]), c["norm"]) for c in record["constraints"] if c["part"] == "weight")
                wanted = [(l, arguments[1][1]) for l in range(1, len(net.chain().bias) + 1)]
                return record["parameters"] is None and norms == wanted and all(number(c["bound"]) >= 0 for c in record["constraints"])
            if test is not None and (truth := test()) is not None:
                return truth
        raise OutOfReach(f"the property `{name}`")

    def step(self, step, facts, stated):
        """The quantity that a step is about, and its enclosure."""
        if "theorem" not in step:
            subject = step["subject"]
            if step["witness"]["kind"] == "computation" and subject[1] == "errors":
                net, sample = subject[2][1], subject[3][1]
                return subject, I(errors(self.nets[net], self.samples[sample], self.side))
            raise OutOfReach(f"a witness `{step['witness']['kind']}`")
        theorem = self.theorems[step["theorem"]]
        bindings = step["bindings"]
        if sorted(bindings) != sorted(name for name, _ in theorem["parameters"]):
            raise Refused("other parameters than the theorem's")
        for requirement in theorem["requires"]:
            if requirement[:2] == ["holds", "fixed_before"]:
                if not any(substitute(requirement[2], bindings) == self.canonical(v, {}, {}) for v in stated.values()):
                    raise OutOfReach("a number fixed before the sample")
                continue
            truth = self.formula(substitute(requirement, bindings), facts, {})
            if truth is None:
                raise OutOfReach("an undecided requirement")
            if not truth:
                raise Refused(f"a requirement of `{step['theorem']}` fails: {requirement}")
        relation, subject, *sides = substitute(theorem["ensures"], bindings)
        subject = ["of", subject[1]] + [self.canonical(t, facts, {}) for t in subject[2:]]
        sides = [self.term(side, facts, {}) for side in sides]
        low, high = CODOMAINS[self.library["quantities"][subject[1]]]
        if relation in ("<=", "<", "="):
            high = sides[0].hi
        if relation in (">=", ">", "="):
            low = sides[0].lo
        if relation == "within":
            low, high = sides[0].lo, sides[1].hi
        if self.library["quantities"][subject[1]] == "natural":
            low, high = (INF if low is INF else math.ceil(low)), (INF if high is INF else math.floor(high))
        return subject, I(low, high)

    def claim(self, claim):
        """What was taken on trust; raises where the claim does not follow."""
        trusted, entries, draws = set(), [], list(claim["draws"])
        for entry in claim["derivation"]:
            step = self.doc["steps"][entry["step"]]
            low, high = (INF if entry[end] is None else number(entry[end]) for end in ("low", "high"))
            facts = {}
            for used in entry["uses"]:
                if used >= len(entries):
                    raise Refused("a step uses a later one")
                subject, value = entries[used]
                facts.setdefault(key(subject), []).append(value)
            try:
                subject, value = self.step(step, facts, claim["stated"])
                if "of" in step and printed(subject) != step["of"]:
                    raise Refused(f"expected a step about {printed(subject)}, found {step['of']}")
                self.within(value, entry["low"], entry["high"], printed(subject), trusted)
            except OutOfReach as reason:
                trusted.add(str(reason))
                subject = step.get("subject") or substitute(self.theorems[step["theorem"]]["ensures"][1], step["bindings"])
                subject = ["of", subject[1]] + [self.canonical_or_same(t) for t in subject[2:]]
            entries.append((subject, I(low, high)))
            if "theorem" in step and self.theorems[step["theorem"]]["failure"] is not None:
                failure = substitute(self.theorems[step["theorem"]]["failure"], step["bindings"])
                objects = {n: t for n, t in step["bindings"].items() if not isinstance(t, str)}
                match = [d for d in draws if d["theorem"] == step["theorem"] and all(d["objects"].get(n) == t for n, t in objects.items() if n in d["objects"])]
                try:
                    spent = self.term(failure, {}, {})
                    match = [d for d in match if spent.hi is not INF and spent.hi <= number(d["probability"])]
                except OutOfReach:
                    pass
                if not match:
                    raise Refused(f"an event of `{step['theorem']}` that no draw pays for")
                draws.remove(match[0])
        spent = sum((number(d["probability"]) for d in claim["draws"]), Q(0))
        if spent != number(claim["spent"]) or spent > number(claim["failure"]):
            raise Refused("the draws do not add up to what is spent, or exceed the failure allowed")
        facts = {}
        for subject, value in entries:
            facts.setdefault(key(subject), []).append(value)
        self.decide(claim, facts, trusted)
        return trusted

    @staticmethod
    def within(value, low, high, what, trusted):
        """A value within stated ends. This checker's enclosure may be wider than the kernel's by its last digits, which it then trusts."""
        for stated, found, beyond in ((low, value.lo, lambda a, b: a < b), (high, value.hi, lambda a, b: a > b)):
            if stated is None or (found is not INF and not beyond(found, number(stated))):
                continue
            if found is INF or abs(found - number(stated)) > abs(number(stated)) * Q(1, 10**15):
                raise Refused(f"{what}: expected a value within the stated [{low}, {high}], found {value}")
            trusted.add("the last digits of an end")

    def canonical_or_same(self, term):
        try:
            return self.canonical(term, {}, {})
        except OutOfReach:
            return term

    def decide(self, claim, facts, trusted):
        """The verdict, and that the left side lies in the stated enclosure."""
        statement = claim["statement"]
        if claim["verdict"] not in ("proved", "refuted"):
            raise Refused("expected a verdict")
        asked = statement[0] in ("upper", "lower", "both")
        if asked or statement[0] in ("<=", "<", ">=", ">", "=", "within"):
            self.within(self.term(statement[1], facts, {}), claim["low"], claim["high"], "the left side", trusted)
        elif claim["low"] is not None or claim["high"] is not None:
            raise Refused("an enclosure of a statement without a left side")
        if asked:
            ends = {"upper": ["high"], "lower": ["low"], "both": ["low", "high"]}[statement[0]]
            if claim["verdict"] != "proved" or any(claim[end] is None for end in ends):
                raise Refused("a bound that is asked for is proved with an end, or not at all")
            return
        try:
            truth = self.formula(statement, facts, {})
        except OutOfReach as reason:
            trusted.add(str(reason))
            return
        if truth is None:
            trusted.add("a comparison closer than this checker's enclosures, or of exact square roots")
        elif truth != (claim["verdict"] == "proved"):
            raise Refused(f"expected the claim to be {truth}, found it {claim['verdict']}")


def compare(relation, a, b):
    below = lambda x, y: x is not INF and y is not INF and x <= y
    strictly = lambda x, y: x is not INF and y is not INF and x < y
    if relation in (">=", ">"):
        return compare({">=": "<=", ">": "<"}[relation], b, a)
    if relation == "<=":
        return True if below(a.hi, b.lo) else False if strictly(b.hi, a.lo) else None
    if relation == "<":
        return True if strictly(a.hi, b.lo) else False if below(b.hi, a.lo) else None
    if a.point() is not None and a.point() == b.point():
        return True
    return False if strictly(a.hi, b.lo) or strictly(b.hi, a.lo) else None


def both(truths):
    unknown = False
    for truth in truths:
        if truth is False:
            return False
        unknown |= truth is None
    return None if unknown else True


# What a text with other fields than the documented ones runs into.
MALFORMED = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, OSError)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    library = spelled_library(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    full = part = wrong = 0
    reasons = {}
    for path in map(Path, sys.argv[2:]):
        try:
            certificate = Certificate(path, library)
        except OutOfReach as reason:
            print(f"{path.name}: out of reach: {reason}")
            continue
        except (Refused, *MALFORMED) as reason:
            print(f"{path.name}: refused: {reason!r}")
            wrong += 1
            continue
        total, counts = Q(0), [0, 0]
        for claim in certificate.doc["claims"]:
            total += number(claim["spent"])
            try:
                trusted = certificate.claim(claim)
            except (Refused, *MALFORMED) as reason:
                print(f"{path.name}: {claim['name']}: refused: {reason!r}")
                wrong += 1
                continue
            except OutOfReach as reason:
                trusted = {str(reason)}
            counts[bool(trusted)] += 1
            for reason in trusted:
                reasons[reason] = reasons.get(reason, 0) + 1
        ledger = certificate.doc["ledger"]
        if total != number(ledger["spent"]) or total > number(ledger["budget"]):
            print(f"{path.name}: refused: the ledger does not add up")
            wrong += 1
        print(f"{path.name}: {counts[0]} claims in full, {counts[1]} in part")
        full, part = full + counts[0], part + counts[1]
    print(f"all: {full} in full, {part} in part, {wrong} refused")
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"  {count:4} taken as stated: {reason}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
