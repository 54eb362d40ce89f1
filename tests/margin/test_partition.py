"""`samflow margin` on random data of known separability, against answers that share nothing with it.

Data are built from their answer: a direction b and a split of the examples into a separated part W (margins b.z > 0), and a
balanced part S whose rows have a positive combination that is 0 and are orthogonal to b. Rows and columns are then multiplied by
powers of ten over up to 24 decades, which changes no verdict. Max-margin directions are checked by exact rationals: the margin
printed is that of the direction printed, and no other direction of scipy's linear programme or quadratic solver has a
larger one.

usage: test_partition.py SAMFLOW [SEED] [COUNT]
"""
import json
import math
import subprocess
import sys
from fractions import Fraction

try:
    import numpy as np
    from scipy.optimize import linprog
except ImportError:
    print("skipped: numpy and scipy are not installed")
    sys.exit(77)


def run(program, z, norm):
    points = [[float(x) for x in row] for row in z]
    text = json.dumps({"data": {"points": points, "labels": [1] * len(points)}})
    done = subprocess.run([program, "margin", "--json", "--norm", norm, "-"], input=text, capture_output=True, text=True,
                          timeout=60)
    if not done.stdout.strip():
        return {"error": done.stderr.strip(), "code": done.returncode}
    answer = json.loads(done.stdout)
    answer["code"] = done.returncode
    return answer


def balanced_rows(rng, k, basis):
    """k rows in the span of basis (m, d) with a positive combination that is exactly 0, in small integers."""
    m = len(basis)
    while True:
        c = rng.integers(-4, 5, size=(k - 1, m))
        weights = rng.integers(1, 4, size=k - 1)
        last = -(weights @ c)
        c = np.vstack([c, last])
        if (np.abs(c).sum(axis=1) > 0).all() and np.linalg.matrix_rank(c) == m:
            return c @ basis


def draw(rng, kind):
    """(z as integers, separated rows) before scaling; kind: separable, weak or none."""
    d = int(rng.integers(1, 6))
    if kind == "weak":
        d = max(d, 2)
    m = 0 if kind == "separable" else d if kind == "none" else int(rng.integers(1, d))
    # coordinates of an integer basis of R^d: the first m span S, the others carry W
    while True:
        basis = rng.integers(-3, 4, size=(d, d))
        if abs(np.linalg.det(basis)) > 0.5:
            break
    rows, separated = [], []
    if m:
        s = balanced_rows(rng, m + 1 + int(rng.integers(0, 3)), basis[:m])
        rows += list(s)
        separated += [False] * len(s)
    if m < d:
        n = int(rng.integers(1, 7))
        c = rng.integers(-3, 4, size=(n, d - m))
        c[:, 0] = rng.integers(1, 5, size=n)  # positive along one functional that vanishes on S
        across = rng.integers(-3, 4, size=(n, m)) @ basis[:m] if m else np.zeros((n, d), int)
        rows += list(c @ basis[m:] + across)
        separated += [True] * n
    order = rng.permutation(len(rows))
    return np.array(rows)[order], np.array(separated)[order]


def lp_direction(z, separated):
    """A direction of large l1 margin over the separated rows with margin 0 on the others, by HiGHS on equilibrated data."""
    n, d = z.shape
    column = np.abs(z).max(axis=0)
    column[column == 0] = 1.0
    scaled = z / column
    row = np.abs(scaled).max(axis=1)
    scaled = scaled / row[:, None]
    cost = np.concatenate([1 / column, 1 / column])
    cost = cost / cost.min()
    a = -np.hstack([scaled, -scaled])[separated]
    b = -(1 / row[separated])
    top = np.abs(b).max()
    kept = ~separated
    answer = linprog(cost, A_ub=a, b_ub=b / top, A_eq=np.hstack([scaled, -scaled])[kept] if kept.any() else None,
                     b_eq=np.zeros(kept.sum()) if kept.any() else None, method="highs")
    if answer.status != 0:
        return None
    return (answer.x[:d] - answer.x[d:]) / column * top


def exact_margin(z, beta, separated, norm):
    b = [Fraction(float(x)) for x in beta]
    margins = [sum(Fraction(float(x)) * y for x, y in zip(row, b)) for row in z]
    length = sum(abs(x) for x in b) if norm == "l1" else Fraction(math.sqrt(float(sum(x * x for x in b))))
    smallest = min(m for m, s in zip(margins, separated) if s)
    # a margin of 0 is compared with what the features could contribute, in units that do not matter
    column = np.abs(z).max(axis=0)
    share = max(abs(float(y)) * c for y, c in zip(b, column))
    off = max([abs(float(m)) / (share * sum(abs(x) / c for x, c in zip(row, column) if c))
               for m, s, row in zip(margins, separated, z) if not s], default=0.0)
    return float(smallest / length), off


def check(program, rng, kind, decades):
    integers, separated = draw(rng, kind)
    # powers of two are exact, so the split stays what it is
    rows = np.ldexp(1.0, rng.integers(-decades, decades + 1, size=len(integers)))
    columns = np.ldexp(1.0, rng.integers(-decades, decades + 1, size=integers.shape[1]))
    z = integers * rows[:, None] * columns
    problems = []
    want = {"separable": "separable", "weak": "weakly separable", "none": "not separable"}[kind]
    for norm in ("l1", "l2"):
        got = run(program, z, norm)
        if decades > 10 and "are separable, but their max-margin direction could not" in got.get("error", ""):
            continue  # the verdict is there, and says that doubles do not reach the direction
        if got.get("separability") != want:
            problems.append(f"{norm}: {got.get('separability', got)} instead of {want}")
            continue
        if got["code"] != (0 if kind == "separable" else 3) or got["separable"] != (kind == "separable"):
            problems.append(f"{norm}: exit code {got['code']}")
        if kind == "weak" and got["separated"] != [int(i) for i in np.flatnonzero(separated)]:
            problems.append(f"{norm}: separated {got['separated']}")
        if kind == "none" or (decades > 10 and "direction" not in got):
            continue
        if "direction" not in got:
            problems.append(f"{norm}: no direction")
            continue
        margin, off = exact_margin(z, got["direction"], separated, norm)
        if np.abs(z).max() > 1e11 * margin:
            continue  # the direction as doubles has no digits of this margin
        if not off <= 1e-12:
            problems.append(f"{norm}: balanced margins {off}")
        if not abs(got["margin"] / margin - 1) <= 1e-12:
            problems.append(f"{norm}: margin {got['margin']} of a direction with {margin}")
        if norm == "l1":
            beta = lp_direction(z, separated)
            best, loose = exact_margin(z, beta, separated, norm) if beta is not None else (0.0, 0.0)
            if loose <= 1e-9 and not margin >= best * (1 - 1e-6):
                problems.append(f"l1: margin {margin}, a linear programme has {best}")
        elif not got["kkt_residual"] <= 1e-8:
            problems.append(f"l2: KKT residual {got['kkt_residual']}")
    return problems, z


def main():
    program = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    failed = 0
    for kind in ("separable", "weak", "none"):
        for decades in (0, 10, 40):
            rng = np.random.default_rng([seed, decades, len(kind)])
            bad = 0
            for _ in range(count):
                problems, z = check(program, rng, kind, decades)
                if problems:
                    bad += 1
                    print(f"{kind}, 2^{decades}: {problems}\n  {z.tolist()}")
            failed += bad
            print(f"{kind:10} scales 2^+-{decades:2}: {count - bad} of {count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
