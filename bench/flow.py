"""W7: flows on real data beside SciPy's integrators, in one run.

usage: flow.py PROGRAM OUT [--quick]

PROGRAM is samflow, OUT the folder for flow.csv, $SAMFLOW_DATA the folder with mnist/ and golub/. l2-SAM, L = 2, equal layers
alpha = rho = 0.1: MNIST 0 against 1 (2,115 x 784) to log t = 10, Golub standardized and mirrored (72 x 14,258) to log t = 12.
--quick takes Golub alone.

The peers integrate x = log w with dx/ds = pace G_hat (1 - kappa G) and t beside it, right-hand sides by NumPy, Jacobians by
their own differences; methods whose dense Jacobian of 14,258 columns fits into no memory sit Golub out. error: the largest
difference of beta from that of samflow at tolerance 1e-14, over the largest beta; that reference is itself checked
against the peers, which share nothing with it: some peer must come within GATE of it. cpu: user and system seconds, the
fairer number on a machine with other work; samflow's include reading the file and starting the program.
"""

import csv
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

from margin import golub, mnist

GATE = 1e-6
ALPHA = RHO = 0.1
REPEATS = 2


class Reduced:
    """The flow of equal layers; for mirrored data beta = w_+^2 - w_-^2."""

    def __init__(self, z, mirrored):
        self.z, self.mirrored = np.ascontiguousarray(z), mirrored
        self.d = z.shape[1] * (2 if mirrored else 1)
        self.scale = np.abs(z).mean(0).max()

    def field(self, beta):
        half = self.d // 2
        margins = self.z @ (beta[:half] - beta[half:] if self.mirrored else beta)
        logs = -np.logaddexp(0, margins)
        weights = np.exp(logs - logs.max())
        g = weights @ self.z / weights.sum()
        return np.concatenate([g, -g]) if self.mirrored else g, logs.max() + np.log(weights.sum() / len(self.z))

    def rates(self, _, y):
        w = np.exp(y[:-1])
        g, _ = self.field(w * w)
        n = np.sqrt(2) * np.linalg.norm(g * w)
        kappa = RHO / n
        g_hat, log_s = self.field((w * (1 - kappa * g)) ** 2)
        pace = n / (n + RHO * self.scale) / self.scale
        return np.append(pace * g_hat * (1 - kappa * g), pace * np.exp(-log_s))


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def peer(problem, end, method, tolerance):
    from scipy.integrate import solve_ivp

    def arrived(_, y):
        return y[-1] / np.exp(end) - 1

    arrived.terminal = True
    begin, used = time.perf_counter(), cpu(resource.RUSAGE_SELF)
    start = np.append(np.full(problem.d, np.log(ALPHA)), 0)
    answer = solve_ivp(problem.rates, (0, 1e9), start, method=method, rtol=tolerance, atol=tolerance, events=arrived)
    wall, used = time.perf_counter() - begin, cpu(resource.RUSAGE_SELF) - used
    return np.exp(2 * answer.y[:-1, -1]) if answer.status == 1 else None, wall, used


def ours(program, out, data, end, tolerance):
    experiment = {"data": data, "network": {"depth": 2, "init": ALPHA}, "optimizer": {"method": "l2-sam", "rho": RHO},
                  "dynamics": {"until": {"log_time": end}, "tolerance": tolerance}, "record": {"samples": 2}}
    result, best = os.path.join(out, "W7.json"), (np.inf, np.inf)
    for _ in range(REPEATS):
        begin, used = time.perf_counter(), cpu(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "simulate", "-", "-o", result], input=json.dumps(experiment).encode(), check=True,
                       stdout=subprocess.DEVNULL)
        best = min(best, (time.perf_counter() - begin, cpu(resource.RUSAGE_CHILDREN) - used))
    with open(result, encoding="utf-8") as f:
        beta = np.array(json.load(f)["final"]["beta"], float)
    os.remove(result)
    return beta, *best


def problems(folder, quick):
    z = [z for name, z in golub(folder, True)][0]
    yield ("Golub mirrored, log t = 12", {"file": "golub/golub.csv.gz", "transpose": True, "label": 0, "standardize": True,
                                          "mirror": True, "classes": [0, 1]}, Reduced(z, True), 12,
           [("DOP853", 1e-6), ("DOP853", 1e-9), ("RK45", 1e-6)])
    if quick:
        return
    z = next(mnist(folder))[1]
    yield ("MNIST 0 against 1, log t = 10", {"file": "mnist/t10k-images-idx3-ubyte.gz", "classes": [0, 1],
                                             "labels_file": "mnist/t10k-labels-idx1-ubyte.gz", "scale": 1 / 255},
           Reduced(z, False), 10, [("BDF", 1e-6), ("LSODA", 1e-6)])


def compare(program, out, name, data, problem, end, peers):
    """Rows (problem, implementation, tolerance, wall, cpu, error)."""
    reference = ours(program, out, data, end, 1e-14)[0]
    largest = np.abs(reference).max()
    for tolerance in (1e-12, 1e-7):
        beta, wall, used = ours(program, out, data, end, tolerance)
        yield name, "samflow", tolerance, wall, used, np.abs(beta - reference).max() / largest
    for method, tolerance in peers:
        beta, wall, used = peer(problem, end, method, tolerance)
        error = np.nan if beta is None else np.abs(beta - reference).max() / largest
        yield name, f"SciPy {method}", tolerance, wall, used, error


def main():
    program, out = sys.argv[1:3]
    folder, rows, good = os.environ.get("SAMFLOW_DATA"), [], True
    if not folder:
        print("flow.py: no SAMFLOW_DATA, so flows on real data are left out", file=sys.stderr)
        return
    print("\n### W7: flows on real data\n\n| problem | implementation | tolerance | wall s | cpu s | error | cpu ratio |\n"
          "| --- | --- | --- | --- | --- | --- | --- |")
    for problem in problems(folder, "--quick" in sys.argv[3:]):
        measured, base = [], None
        for row in compare(program, out, *problem):
            measured.append(row)
            base = base or row[4]
            print(f"| {row[0]} | {row[1]} | {row[2]:g} | {row[3]:.2f} | {row[4]:.2f} | {row[5]:.1e} | {row[4] / base:.1f} |",
                  flush=True)
        good &= any(row[5] <= GATE for row in measured if row[1] != "samflow")
        good &= all(row[5] <= 10 * max(row[2], 1e-11) for row in measured if row[1] == "samflow")
        rows += measured
    with open(os.path.join(out, "flow.csv"), "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["problem", "implementation", "tolerance", "wall_s", "cpu_s", "error"])
        writer.writerows(rows)
    if not good:
        print("\nflow.py: an answer is wrong, so the times above mean nothing")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
