"""Max-margin classifiers: samflow, SciPy's HiGHS (l1) and LIBLINEAR (l2) on the same data, in one run.

usage: margin.py LIBRARY OUT [--quick]

LIBRARY is libsamflow.so, OUT the folder for margin.csv, $SAMFLOW_DATA the folder with mnist/ and golub/
(without it only synthetic problems run). --quick takes the two small problems. Times are those of the solver on data in memory; LIBLINEAR reads
a file, and the time of a run that stops after the first iteration is subtracted. gap: how far the smallest margin of the
direction found is below the best known one, relative: the accuracy that the time bought. Our answer must pass its gate,
margins and multipliers checked here with NumPy, before it is timed. LIBLINEAR has no hard margin: it gets the
L1-loss dual with a large C, and ever smaller tolerances until its gap is below 1e-6, a run exceeds its time, or a smaller tolerance changes nothing
(its 1000 iterations are used up).
"""

import csv
import ctypes
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

GATE = 1e-9
LIMIT_SECONDS = 60
REPEATS = 3


class Options(ctypes.Structure):
    _fields_ = [("norm", ctypes.c_int), ("nonnegative", ctypes.c_bool)]


class Samflow:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        for name in ("direction", "multipliers"):
            function = getattr(self.lib, "sf_margin_" + name)
            function.restype, function.argtypes = ctypes.POINTER(ctypes.c_double), [ctypes.c_void_p]

    def solve(self, z, norm):
        lib, pointer = self.lib, ctypes.c_void_p
        context, dataset, margin = pointer(), pointer(), pointer()
        z = np.ascontiguousarray(z, dtype=float)
        n, d = z.shape
        assert lib.sf_context_create(None, ctypes.byref(context)) == 0
        assert lib.sf_dataset_from_points(context, ctypes.c_size_t(n), ctypes.c_size_t(d), z.ctypes.data_as(pointer),
                                          None, ctypes.byref(dataset)) == 0
        best = float("inf")
        for _ in range(REPEATS):
            lib.sf_margin_destroy(ctypes.byref(margin))
            start = time.perf_counter()
            status = lib.sf_margin_solve(context, dataset, ctypes.byref(Options(norm, False)), ctypes.byref(margin))
            best = min(best, time.perf_counter() - start)
            assert status == 0, status
        beta = np.array(lib.sf_margin_direction(margin)[:d])
        multipliers = np.array(lib.sf_margin_multipliers(margin)[:n])
        lib.sf_margin_destroy(ctypes.byref(margin))
        lib.sf_dataset_destroy(ctypes.byref(dataset))
        lib.sf_context_destroy(ctypes.byref(context))
        return beta, multipliers, best


def kkt(z, norm, beta, multipliers):
    """The residual, by NumPy: stationarity and complementary slackness with beta scaled to smallest margin 1."""
    margins = z @ beta
    smallest = margins.min()
    q, b = z.T @ multipliers, beta / smallest
    if norm == 2:
        off = np.linalg.norm(q - b) / np.linalg.norm(b)
    else:
        off = np.linalg.norm(np.where(b != 0, q - np.sign(b), np.maximum(np.abs(q) - 1, 0)))
    return off + multipliers @ (margins / smallest - 1) / multipliers.sum()


def highs(z):
    from scipy.optimize import linprog

    n, d = z.shape
    start = time.perf_counter()
    answer = linprog(np.ones(2 * d), A_ub=np.hstack([-z, z]), b_ub=-np.ones(n), method="highs",
                     options={"time_limit": LIMIT_SECONDS})
    seconds = time.perf_counter() - start
    if answer.x is None:
        return None, seconds
    return answer.x[:d] - answer.x[d:], seconds


def liblinear(z, smallest_gap, reference):
    """Directions at falling tolerances until the gap is small enough; yields (beta, seconds, tolerance)."""
    with tempfile.TemporaryDirectory() as folder:
        data, model = os.path.join(folder, "data"), os.path.join(folder, "model")
        with open(data, "w", encoding="ascii") as f:
            for i, row in enumerate(z):  # both labels must occur: half of the examples enter as (-1, -z)
                sign = 1 if i % 2 == 0 else -1
                entries = " ".join(f"{j + 1}:{sign * v:.17g}" for j, v in enumerate(row) if v != 0)
                f.write(f"{sign:+d} {entries}\n")

        def run(tolerance):
            start = time.perf_counter()
            subprocess.run(["liblinear-train", "-s", "3", "-c", "1e9", "-B", "-1", "-e", str(tolerance), "-q", data, model],
                           check=True, timeout=LIMIT_SECONDS, stdout=subprocess.DEVNULL)
            return time.perf_counter() - start

        reading, before = run(1e30), None
        for tolerance in (1e-1, 1e-3, 1e-5, 1e-7):
            try:
                seconds = run(tolerance) - reading
            except subprocess.TimeoutExpired:
                return
            with open(model, encoding="ascii") as f:
                lines = f.read().split("\nw\n")[1].split()
            beta = np.zeros(z.shape[1])
            beta[: len(lines)] = [float(v) for v in lines]
            if before is not None and np.array_equal(beta, before):
                return
            before = beta
            yield beta, max(seconds, 0.0), tolerance
            if 1 - (z @ beta).min() / np.linalg.norm(beta) / reference < smallest_gap:
                return


def idx(path):
    with gzip.open(path) as f:
        blob = f.read()
    dims = struct.unpack(">" + "I" * blob[3], blob[4 : 4 + 4 * blob[3]])
    return np.frombuffer(blob, np.uint8, offset=4 + 4 * blob[3]).reshape(dims)


def problems(data, quick):
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20000, 100))
    if not quick:
        yield "normal 20000 x 100", z * np.sign(z @ rng.normal(size=100))[:, None]
    z = rng.normal(size=(100, 5000))
    yield "normal 100 x 5000", z
    if not data:
        print("margin.py: no SAMFLOW_DATA, so MNIST and Golub are left out", file=sys.stderr)
        return
    yield from golub(data, quick)
    if not quick:
        yield from mnist(data)


def mnist(data):
    x = idx(os.path.join(data, "mnist/t10k-images-idx3-ubyte.gz")).reshape(10000, -1) / 255
    y = idx(os.path.join(data, "mnist/t10k-labels-idx1-ubyte.gz"))
    for first, second in ((0, 1), (4, 9), (3, 5)):
        kept = (y == first) | (y == second)
        yield f"MNIST {first} against {second}", x[kept] * np.where(y[kept] == first, -1.0, 1.0)[:, None]


def golub(data, quick):
    with gzip.open(os.path.join(data, "golub/golub.csv.gz"), "rt") as f:
        rows = list(csv.reader(f))
    sign = np.where(np.array([float(v) for v in rows[1][1:]]) == 0, -1.0, 1.0)
    genes = np.array([[float(v) for v in row[1:]] for row in rows[2:]]).T
    if not quick:
        yield "Golub", genes * sign[:, None]
    yield "Golub, standardized", (genes - genes.mean(0)) / genes.std(0) * sign[:, None]


def compare(samflow, name, z):
    """Rows (problem, norm, solver, seconds, gap, note)."""
    for norm in (1, 2):
        beta, multipliers, seconds = samflow.solve(z, norm)
        residual = kkt(z, norm, beta, multipliers)
        assert residual <= GATE, f"{name}, l{norm}: KKT residual {residual}"
        best = (z @ beta).min()

        def gap(other, norm=norm, best=best):
            return 1 - (z @ other).min() / np.linalg.norm(other, norm) / best

        yield name, f"l{norm}", "samflow", seconds, 0.0, f"KKT residual {residual:.1e}"
        if norm == 1:
            other, seconds = highs(z)
            yield name, "l1", "HiGHS (SciPy)", seconds, gap(other) if other is not None else None, ""
            continue
        found = False
        try:
            for other, seconds, tolerance in liblinear(z, 1e-6, best):
                found = True
                yield name, "l2", "LIBLINEAR", seconds, gap(other), f"-e {tolerance:g}"
        except FileNotFoundError:
            yield name, "l2", "LIBLINEAR", None, None, "not installed"
            continue
        if not found:
            yield name, "l2", "LIBLINEAR", None, None, f"over {LIMIT_SECONDS} s"


def main():
    library, out = sys.argv[1:3]
    data, quick = os.environ.get("SAMFLOW_DATA"), "--quick" in sys.argv[3:]
    samflow, rows = Samflow(library), []
    print("\n### Max-margin classifiers\n\n| problem | norm | solver | seconds | gap | note |\n| --- | --- | --- | --- | --- | --- |")
    for name, z in problems(data, quick):
        for row in compare(samflow, name, z):
            rows.append(row)
            seconds = "-" if row[3] is None else f"{row[3]:.3f}"
            relative = "-" if row[4] is None else f"{row[4]:.1e}"
            print(f"| {row[0]} | {row[1]} | {row[2]} | {seconds} | {relative} | {row[5]} |", flush=True)
    with open(os.path.join(out, "margin.csv"), "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["problem", "norm", "solver", "seconds", "gap", "note"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
