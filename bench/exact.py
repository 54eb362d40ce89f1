"""W5 and W6: questions that the exact reduction answers, beside SciPy's LSODA, in one run.

usage: exact.py LIBRARY PROGRAM OUT THREADS [--only W5,W6] [--quick]

W5: when does the dominant feature change, mu = (1, 2), alpha = 0.6, rho = 1 (l2-SAM, L = 2, N = 1)? In process, through
the library; the peer integrates log w and t in the rescaled clock with an event. Discrete updates cannot answer it: in
double precision the weights freeze after some 1e14 steps.
W6: regime and limit of a map of points over (alpha/rho, mu_2/mu_1), by `samflow sweep` into a file, its writing
included; the peer integrates a random sample of the points until theory decides them, and its time for the whole map is
EXTRAPOLATED from the sample.

Gates before the times count: W5 against DOP853 at the smallest tolerance, W6 against every regime of the sample. Writes
OUT/exact.csv, Markdown to standard output. Exit status 1 if a gate fails.
"""

import argparse
import csv
import ctypes
import os
import random
import sqlite3
import subprocess
import sys
import time

import numpy as np
from scipy.integrate import solve_ivp

REPEATS = 200
SAMPLE = {False: 400, True: 60}
SIDE = {False: 1000, True: 300}
HEADER = "| implementation | threads | best s | note |\n| --- | --- | --- | --- |"


class Leader(ctypes.Structure):
    _fields_ = [("index", ctypes.c_size_t), ("tau", ctypes.c_double), ("log_time", ctypes.c_double),
                ("log_loss", ctypes.c_double)]


class Samflow:
    """The reduction through the public interface."""

    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.context = ctypes.c_void_p()
        assert self.lib.sf_context_create(None, ctypes.byref(self.context)) == 0

    def leaders(self, mu, alpha, rho):
        lib, pointer, d = self.lib, ctypes.c_void_p, len(mu)
        strengths, start = np.array(mu, float), np.full(d, float(alpha))
        reduction, leaders, count = pointer(), ctypes.POINTER(Leader)(), ctypes.c_size_t()
        begin = time.perf_counter()
        status = lib.sf_reduction_create(self.context, ctypes.c_size_t(d), strengths.ctypes.data_as(pointer),
                                         start.ctypes.data_as(pointer), start.ctypes.data_as(pointer),
                                         ctypes.c_double(rho), 0, ctypes.byref(reduction))
        assert status == 0, status
        status = lib.sf_reduction_dominance(reduction, ctypes.byref(leaders), ctypes.byref(count))
        seconds = time.perf_counter() - begin
        assert status == 0, status
        found = [(leaders[i].index, leaders[i].tau, leaders[i].log_time) for i in range(count.value)]
        lib.sf_reduction_destroy(ctypes.byref(reduction))
        return found, seconds


def flow(mu, rho):
    """Equal layers in the rescaled clock: the derivative of (log w_1, log w_2), and the norm n of the gradient."""
    mu = np.asarray(mu, float)

    def norm(log_w):
        return np.sqrt(2.0 * np.sum((mu * np.exp(log_w)) ** 2))

    def derivative(log_w):
        return mu - rho / norm(log_w) * mu**2

    return norm, derivative


# ---- W5 ------------------------------------------------------------------------------------------------------------


def switch_time(method, mu, alpha, rho, rtol):
    """log t at which |beta_2| passes |beta_1| from below."""
    norm, derivative = flow(mu, rho)
    strengths = np.asarray(mu, float)

    def right(_, state):
        log_w = state[:2]
        hat = np.exp(log_w) * (1.0 - rho / norm(log_w) * strengths)
        return np.append(derivative(log_w), 1.0 + np.exp(strengths @ hat**2))  # dt/dtau = 1/s

    def crossing(_, state):
        return state[1] - state[0]

    crossing.terminal, crossing.direction = True, 1
    done = solve_ivp(right, (0.0, 100.0), [np.log(alpha), np.log(alpha), 0.0], method=method, rtol=rtol, atol=1e-14,
                     events=crossing)
    return float(np.log(done.y_events[0][-1][2]))


def w5(samflow, rows):
    question = ((1, 2), 0.6, 1.0)
    found, best = samflow.leaders(*question)
    for _ in range(REPEATS):
        best = min(best, samflow.leaders(*question)[1])
    exact = switch_time("DOP853", *question, 2.3e-14)
    error = abs(found[-1][2] - exact) / exact
    peer = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        answer = switch_time("LSODA", *question, 1e-10)
        peer = min(peer, time.perf_counter() - begin)
    peer_error = abs(answer - exact) / exact
    good = len(found) == 2 and found[-1][0] == 1 and error <= 1e-10 and peer_error <= 1e-6
    print(f"\n### W5: when does the dominant feature change, mu = (1, 2), alpha = 0.6, rho = 1\n\n{HEADER}")
    rows.append(("W5", "samflow", 1, best, f"log t = {found[-1][2]:.10g}, t = {np.exp(found[-1][2]):.3g}; error {error:.0e}"))
    rows.append(("W5", "LSODA (SciPy)", 1, peer, f"error {peer_error:.0e}"))
    rows.append(("W5", "discrete updates", 0, None, "cannot: weights freeze after some 1e14 steps"))
    show(rows, "W5")
    print(f"\nOurs: {1e6 * best:.0f} us in process, {peer / best:.0f} times as fast as the peer.")
    return good


# ---- W6 ------------------------------------------------------------------------------------------------------------


def regime(ratio, alpha):
    """Integrates until theory decides: all features shrink for ever below n = mu_1, and the stronger one gains on the
    weaker one for ever above n = mu_1 + mu_2 (rho = 1, mu = (1, ratio))."""
    mu = (1.0, ratio)
    norm, derivative = flow(mu, 1.0)

    def collapsed(_, log_w):
        return norm(log_w) - 1.0

    def grown(_, log_w):
        return norm(log_w) - (1.0 + ratio)

    start = np.log([alpha, alpha])
    if grown(0.0, start) >= 0.0:
        return "major_first"
    if collapsed(0.0, start) <= 0.0:
        return "collapse"
    collapsed.terminal, collapsed.direction, grown.terminal, grown.direction = True, -1, True, 1
    done = solve_ivp(lambda _, log_w: derivative(log_w), (0.0, 1e3), start, method="LSODA", rtol=1e-10, atol=1e-12,
                     events=(collapsed, grown))
    return "collapse" if len(done.t_events[0]) else "minor_first" if len(done.t_events[1]) else "undecided"


def grid_file(out, side):
    path = os.path.join(out, "W6.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write("data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\noptimizer: {method: l2-sam, rho: 1}\n"
                "dynamics: {mode: exact}\nsweep:\n  axes:\n"
                f"    data.example[1]: {{name: ratio, linspace: [1.01, 10, {side}]}}\n"
                f"    network.init: {{name: alpha, linspace: [0.3, 1.3, {side}]}}\n"
                "  observables: [regime, limit]\n")
    return path


def sweep(program, grid, result, threads):
    for ending in ("", "-wal", "-shm"):
        if os.path.exists(result + ending):
            os.remove(result + ending)
    begin = time.perf_counter()
    subprocess.run([program, "sweep", grid, "-o", result, "--threads", str(threads), "--quiet"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begin


def w6(program, out, threads, quick, rows):
    side = SIDE[quick]
    grid, result = grid_file(out, side), os.path.join(out, "W6.db")
    counts = sorted({1, threads})
    seconds = {n: min(sweep(program, grid, result, n) for _ in range(2)) for n in counts}
    with sqlite3.connect(result) as database:
        points = database.execute("SELECT ratio, alpha, regime, limit_kind, limit_index FROM result").fetchall()
    sample = random.Random(1).sample(points, SAMPLE[quick])
    begin = time.perf_counter()
    answers = [regime(ratio, alpha) for ratio, alpha, *_ in sample]
    peer = (time.perf_counter() - begin) / len(sample) * len(points)
    limits = {"collapse": ("zero", None), "minor_first": ("basis", 1), "major_first": ("basis", 1)}
    wrong = sum(answer != ours or limits[ours] != (kind, index)
                for answer, (_, _, ours, kind, index) in zip(answers, sample))
    print(f"\n### W6: regime and limit of {side} x {side} points over (alpha/rho, mu_2/mu_1), into a file\n\n{HEADER}")
    for n in counts:
        rows.append(("W6", "samflow sweep", n, seconds[n], f"{len(points) / seconds[n]:.3g} points/s"))
    rows.append(("W6", "LSODA (SciPy)", 1, peer, f"EXTRAPOLATED from {len(sample)} random points; {wrong} of them disagree"))
    show(rows, "W6")
    print(f"\nWork: {len(points)} points, {side} critical scales. Peer against ours: {peer / seconds[counts[-1]]:.0f} times as "
          f"long. Ours on {counts[-1]} threads against one: {seconds[1] / seconds[counts[-1]]:.2f} times as fast.")
    os.remove(result)
    return wrong == 0 and len(points) == side * side


# ---- the run -------------------------------------------------------------------------------------------------------


def show(rows, workload):
    for name, implementation, threads, seconds, note in rows:
        if name == workload:
            print(f"| {implementation} | {threads or ''} | {'' if seconds is None else f'{seconds:.4g}'} | {note} |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("library", "program", "out"):
        parser.add_argument(name)
    parser.add_argument("threads", type=int)
    parser.add_argument("--only", default="W5,W6")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    wanted, rows, good = arguments.only.split(","), [], True
    if "W5" in wanted:
        good &= w5(Samflow(arguments.library), rows)
    if "W6" in wanted:
        good &= w6(arguments.program, arguments.out, arguments.threads, arguments.quick, rows)
    if rows:
        with open(os.path.join(arguments.out, "exact.csv"), "w", newline="", encoding="utf-8") as f:
            writer = csv.writer(f)
            writer.writerow(["workload", "implementation", "threads", "best_s", "note"])
            writer.writerows(rows)
    if not good:
        print("\nexact.py: an answer is wrong, so the times above mean nothing")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
