#!/usr/bin/env python3
"""predict and mode exact against oracle.py on random experiments of every kind that has been wrong: order of features, regime,
limit, log |beta|, collapses of linf-SAM, features that rest.

usage: test_theory.py PROGRAM [--count N] [--seed S] [--kinds a,b]     N experiments of each kind (default 2, seed 1)
"""
import argparse
import json
import os
import random
import subprocess
import sys

import mpmath
import numpy as np
from scipy.integrate import solve_ivp

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle


class Program:
    def __init__(self, path):
        self.path = path

    def __call__(self, command, settings):
        done = subprocess.run([self.path, command, "--json", "-"], input=json.dumps(settings), capture_output=True,
                              text=True, timeout=300)
        if done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)


def settings_of(mu, layers, method, rho, **dynamics):
    optimizer = {"method": method, "rho": rho} if method != "gd" and rho > 0 else {"method": "gd"}
    out = {"data": {"example": mu}, "network": {"depth": len(layers), "init": {"layers": layers}}, "optimizer": optimizer}
    if dynamics:
        out["dynamics"] = dynamics
    return out


# ---- two layers ------------------------------------------------------------------------------------------------

def draw_two(kind, rng):
    d = rng.randint(2, 5)
    mu = [rng.choice([1, 1, 1, -1]) * (round(10 ** rng.uniform(-0.7, 0.7), rng.choice([1, 2, 15])) or 1.0) for _ in range(d)]
    rho = 10 ** rng.uniform(-1, 0.5)
    a = 10 ** rng.uniform(-0.5, 0.5) * rho
    w1 = [a * rng.choice([1, 0.5, 1.3, 0.7]) for _ in range(d)]
    w2 = [x if m > 0 or rng.random() < 0.3 else -x for x, m in zip(w1, mu)]
    i, j = rng.sample(range(d), 2)
    if kind == "tie":  # two lead together at the start
        w1[i] = w1[j] = 2 * a
        w2[i], w2[j] = np.copysign(2 * a, mu[i]), np.copysign(2 * a, mu[j])
    if kind == "tie of products":
        s = rng.choice([0.5, 0.25, 2, 4])
        w1[i], w2[i], w1[j], w2[j] = 2 * a, 2 * a, 2 * a * s, 2 * a / s
    if kind == "near tie":
        w1[i], w1[j] = 2 * a, 2 * a * (1 + rng.choice([1, -1]) * 10 ** rng.uniform(-14, -6))
        w2[i], w2[j] = np.copysign(w1[i], mu[i]), np.copysign(w1[j], mu[j])
    if kind == "features at rest":
        mu = [0.0 if rng.random() < 0.3 else m for m in mu]
        mu[0] = mu[0] or 1.0
    if kind == "equal features":
        for k in range(1, d):
            mu[k] = mu[k - 1] * rng.choice([1, -1]) if rng.random() < 0.5 else mu[k]
    if kind == "unequal layers":
        w1, w2 = ([rng.gauss(0, a) for _ in range(d)] for _ in range(2))
    if kind == "start at 0":
        w1, w2 = [rng.choice([a, 2 * a, rng.gauss(0, a)]) for _ in range(d)], [0.0] * d
    return mu, [[float(x) for x in w1], [float(x) for x in w2]], 0.0 if rng.random() < 0.2 else rho


def log_abs_beta(mu, w1, w2, tau, b):
    """50 digits, from the definition."""
    with mpmath.workdps(60):
        m, t, b = mpmath.mpf(mu), mpmath.mpf(tau), mpmath.mpf(b)
        u = (mpmath.mpf(w1) + w2) * mpmath.exp(m * t - m * m * b)
        v = (mpmath.mpf(w1) - w2) * mpmath.exp(-m * t - m * m * b)
        beta = (u - v) * (u + v) / 4
        return mpmath.log(abs(beta)) if beta else -mpmath.inf


def check_two(kind, rng, program):
    mu, layers, rho = draw_two(kind, rng)
    settings = settings_of(mu, layers, "l2-sam", rho)
    answer, own = program("predict", settings), oracle.Reduction(mu, *layers, rho)
    scale = answer["critical_scale"]
    if scale and abs(scale / np.abs(layers).max() - 1) < 1e-6:
        return 0.0, None  # too close to call for the oracle
    worst, where = 0.0, json.dumps(settings)
    order, found = own.leaders(), [(x["index"], x["tau"]) for x in answer["dominance"] or []]
    assert [i for i, _ in order] == [i for i, _ in found], f"order {order}, found {found}: {where}"
    for (_, tau), (_, got) in zip(order, found):
        assert abs(got - tau) <= 1e-9 * tau + 1e-15, f"change at {tau}, found {got}: {where}"
        worst = max(worst, abs(got - tau) / tau if tau > 1e-6 else 0.0)
    assert own.regime() == answer["regime"], f"regime {own.regime()}, found {answer['regime']}: {where}"
    limit = answer["limit"]
    name, index, direction = own.limit()
    assert limit["kind"] == name and (limit["index"] == index or index < 0), f"limit {name} {index}, found {limit}: {where}"
    if direction is not None:
        got = np.array(limit["point"] if name == "point" else limit["direction"])
        assert np.abs(got - direction).max() <= 1e-12 * max(1, np.abs(direction).max()), f"{direction}, found {limit}: {where}"
    return worst, settings


def check_logs(kind, rng, program):
    """log |beta| of mode exact, also far out. GD: B = 0; a single coordinate of l2-SAM with all weight in u or v has
    a closed B."""
    d = rng.randint(1, 4)
    mu = [rng.choice([1, -1]) * 10 ** rng.uniform(-1, 1) for _ in range(d)]
    w1 = [rng.gauss(0, 1) for _ in range(d)]
    w2 = [x * rng.choice([1.0, -1.0, 0.0, 1 + 2.0 ** -40, rng.random()]) for x in w1]
    end = 10 ** rng.uniform(-2, 4) / max(abs(m) for m in mu)
    settings = settings_of(mu, [w1, w2], "gd", 0.0, mode="exact", until={"tau": end})
    answer = program("simulate", settings)
    worst = 0.0
    for record in answer["trajectory"][:: max(1, len(answer["trajectory"]) // 12)] + [answer["final"]]:
        for j in range(d):
            right, got = log_abs_beta(mu[j], w1[j], w2[j], record["tau"], 0), record["log_abs_beta"][j]
            if right == -mpmath.inf:
                assert got is None, f"log |beta_{j}| {got}, right is -inf: {json.dumps(settings)}"
                continue
            assert got is not None, f"log |beta_{j}| null at tau {record['tau']}, right is {right}: {json.dumps(settings)}"
            error = float(abs(got - right) / max(1, abs(right)))
            assert error <= 1e-12, f"log |beta_{j}| {got}, right is {right}: {json.dumps(settings)}"
            worst = max(worst, error)
    assert all(np.isfinite(x) for layer in answer["final"]["layers"] for x in layer if x is not None)
    assert all(x is not None for layer in answer["final"]["layers"] for x in layer if end * max(map(abs, mu)) < 600)
    return worst, settings


# ---- linf-SAM that comes to 0 ---------------------------------------------------------------------------------------

def rest_time(mu, w1, w2, rho):
    """Both layers of one coordinate come to 0: integrated from quadrant to quadrant, events located by SciPy."""
    w, tau = np.array([w1, w2]), 0.0
    signs = np.sign(w)
    for _ in range(8):
        crossing = [lambda t, y: y[0], lambda t, y: y[1]]
        for k, event in enumerate(crossing):
            event.terminal, event.direction = True, -signs[k]
        field = lambda t, y: [mu * (y[1] - rho * np.sign(mu) * signs[0]), mu * (y[0] - rho * np.sign(mu) * signs[1])]
        out = solve_ivp(field, (0, 200 / abs(mu)), w, events=crossing, rtol=1e-12, atol=1e-14)
        if not len(out.t_events[0]) and not len(out.t_events[1]):
            return np.inf
        tau, w = tau + out.t[-1], out.y[:, -1].copy()
        k = 0 if len(out.t_events[0]) else 1
        w[k] = 0.0
        if abs(w[1 - k]) < 1e-9:
            return tau
        if abs(w[1 - k]) < rho:  # it slides at 0, the other one loses |mu| rho
            return tau + abs(w[1 - k]) / rho / abs(mu)
        signs[k] = np.sign(mu) * np.sign(w[1 - k])
    return np.inf


def check_rest(kind, rng, program):
    d, rho = rng.randint(1, 3), 10 ** rng.uniform(-1, 0.5)
    while True:
        mu = [rng.choice([1, -1]) * 10 ** rng.uniform(-0.5, 0.5) for _ in range(d)]
        layers = [[rng.uniform(-2.2, 2.2) * rho for _ in range(d)] for _ in range(2)]
        right = max(rest_time(m, a, b, rho) for m, a, b in zip(mu, *layers))
        if np.isfinite(right):
            break
    settings = settings_of(mu, layers, "linf-sam", rho)
    collapse = program("predict", settings)["collapse"]
    assert collapse["tau"] is not None and abs(collapse["tau"] / right - 1) < 1e-8, \
        f"collapse at {right}, found {collapse}: {json.dumps(settings)}"
    return abs(collapse["tau"] / right - 1), settings


def check_slide(kind, rng, program):
    """One layer comes to 0 while the other one is just inside the gate, so that it slides there and does not cross: from (+,-)
    with u (v + 2 rho) = e (e + 2 rho) the other one is at e."""
    rho, mu, e = 10 ** rng.uniform(-1, 0.5), 10 ** rng.uniform(-0.5, 0.5), rng.uniform(0.92, 0.98)
    u = rho * e * rng.uniform(0.3, 0.8)
    v = rho * rho * e * (e + 2) / u - 2 * rho
    layers = [[(u + v) / 2], [(u - v) / 2]]
    first, last = np.log(rho * e / u) / mu, np.log(rho * e / u) / mu + e / mu
    settings = settings_of([mu], layers, "linf-sam", rho, until={"tau": 2 * last})
    events = [(x["kind"], x["tau"]) for x in program("simulate", settings)["events"]]
    assert [k for k, _ in events] == ["sliding", "sliding", "collapse"], f"{events}: {json.dumps(settings)}"
    for (_, got), right in zip(events, (first, last, last)):
        assert abs(got - right) < 1e-9 * right, f"{events}, right are {first} and {last}: {json.dumps(settings)}"
    return max(abs(events[0][1] / first - 1), abs(events[1][1] / last - 1)), settings


def check_thresholds(kind, rng, program):
    """alpha * 1: the strongest feature leads from the start iff tau / B = sqrt(2) alpha ||mu|| / rho >= mu_{d-1} + mu_d there."""
    d, rho = rng.randint(3, 6), 10 ** rng.uniform(-1, 0.5)
    mu = sorted(rng.uniform(0.5, 3) for _ in range(d))
    rng.shuffle(mu)
    two, norm = sum(sorted(mu)[-2:]), float(np.linalg.norm(mu))
    right = rho * two / (np.sqrt(2) * norm)
    for factor, regime in ((1.02, "major_first"), (0.98, None)):
        layer = [right * factor] * d
        answer = program("predict", settings_of(mu, [layer, layer], "l2-sam", rho))
        got = answer["thresholds"]
        assert abs(got["major_first_from"] / right - 1) < 1e-12, f"{right}: {got}"
        assert abs(got["growth_above"] * np.sqrt(2) * norm / rho / max(mu) - 1) < 1e-12, got
        assert abs(got["collapse_below"] * np.sqrt(2) * norm / rho / min(mu) - 1) < 1e-12, got
        assert (answer["regime"] == "major_first") == (regime == "major_first"), f"{answer['regime']} at {factor}"
        first = answer["dominance"][0]["index"]
        assert (mu[first] == max(mu)) == (factor > 1), (mu, first)
    return 0.0, mu


def check_resting_feature(kind, rng, program):
    """A feature without data keeps its weights through the collapse of all others."""
    d = rng.randint(2, 4)
    mu = [10 ** rng.uniform(-0.3, 0.3) for _ in range(d)]
    mu[rng.randrange(d)] = 0.0
    start = [0.05 * rng.uniform(0.5, 1) if m else rng.choice([-1, 1]) * 10 ** rng.uniform(-2, 1) for m in mu]
    settings = settings_of(mu, [start, start], "l2-sam", 1.0, mode=kind.split()[-1], until={"tau": 50})
    final = program("simulate", settings)["final"]
    for m, a, beta, w1, w2 in zip(mu, start, final["beta"], *final["layers"]):
        right = 0.0 if m else a
        assert (w1, w2) == (right, right) and abs(beta - right * right) <= 1e-15 * right * right, f"{final}: {json.dumps(settings)}"
    limit = program("predict", settings)["limit"]
    assert limit["kind"] == "point", f"{limit}: {json.dumps(settings)}"
    return 0.0, settings


KINDS = {name: check_two for name in ("tie", "tie of products", "near tie", "features at rest", "equal features",
                                      "unequal layers", "start at 0")}
KINDS.update({"log beta": check_logs, "collapse of linf-SAM": check_rest, "just inside the gate": check_slide, "thresholds": check_thresholds, "resting feature, flow": check_resting_feature,
              "resting feature, exact": check_resting_feature})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(KINDS).replace("feature, ", "feature; "))
    arguments = parser.parse_args()
    program, failed = Program(arguments.program), 0
    for kind in [k.replace("; ", ", ") for k in arguments.kinds.split(",")]:
        worst, done, rng = 0.0, 0, random.Random(f"{arguments.seed} {kind}")
        for _ in range(arguments.count):
            try:
                worst_here, settings = KINDS[kind](kind, rng, program)
                done += settings is not None
                worst = max(worst, worst_here)
            except AssertionError as error:
                failed += 1
                print(f"{kind}: {error}", flush=True)
        print(f"{kind}: {done} of {arguments.count} agree, worst {worst:.1e}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
