"""Families of random experiments. Each is a function (rng, program) -> (worst disagreement, word): word is None, or why
nothing could be compared. A disagreement raises Wrong with the experiment.
"""
import csv
import json
import math
import os
import subprocess
import sys
import tempfile

import mpmath
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "verdict"))
import definitions
import test_limit
import test_theory
from experiments import Failed, draw, draw_examples, draw_layers, settings_of, short


class Wrong(Exception):
    pass


def wrong(what, command, settings):
    raise Wrong(f"{what}\n    {command}: {json.dumps(settings)}")


def ran(program, settings, command="simulate", options=(), **more):
    """The answer, or the fault that there is none: every experiment here is one that the settings allow."""
    try:
        return program(command, settings, *options, **more)
    except Failed as error:
        wrong(str(error), command, settings)


# ---- flows ------------------------------------------------------------------------------------------------------

def flow_of(case, width=0.0):
    return definitions.Flow(case["z"], case["w"], case["method"], case["rho"], case["p"], case["loss"], width)


def compare(records, states, flow):
    """Largest disagreement of records of the program with states of the reference, and its name."""
    worst, what, start = 0.0, "", np.abs(np.prod(flow.w0, axis=0))

    def note(error, text):
        nonlocal worst, what
        if not error <= worst:
            worst, what = (error if error == error else math.inf), text

    for record, (w, tau) in zip(records, states):
        beta, at = np.prod(w, axis=0), f"at log t {record['log_time']}"
        got = np.array([np.nan if x is None else x for x in record["beta"]])
        high = np.abs(beta).max()
        note(float(np.abs(got - beta).max() / (high or 1.0)), f"beta {got.tolist()}, right is {beta.tolist()} {at}")
        note(abs(record["tau"] - tau) / tau, f"tau {record['tau']}, right is {tau} {at}")
        loss = definitions.log_loss(beta, flow.z, flow.loss)
        note(abs(record["log_loss"] - loss) / max(1.0, abs(loss)), f"log loss {record['log_loss']}, right is {loss} {at}")
        m = flow.z @ beta
        note(abs(record["min_margin"] - m.min()) / max(np.abs(flow.z) @ np.maximum(np.abs(beta), 1e-3 * start)) if high else 0.0,
             f"min margin {record['min_margin']}, right is {m.min()} {at}")
    return worst, what


def leader_check(answer, states, records, settings):
    """Who leads by the events, against the largest |beta| of the reference."""
    for record, (w, tau) in zip(records, states):
        beta = np.abs(np.prod(w, axis=0))
        top = int(np.argmax(beta))
        named = None
        for event in answer["events"]:
            if event["kind"] == "dominance" and event["tau"] <= record["tau"]:
                named = event["to"]
        if named is not None and beta[named] < beta[top] * (1 - 1e-6):
            wrong(f"by the events {named} leads at log t {record['log_time']}, right is {top}, |beta| {beta.tolist()}", "simulate",
                  settings)


def follow(rng, program, case, until_sign=False, width=0.0):
    flow = flow_of(case, width)
    if flow.log_unit is None:
        settings = settings_of(case, mode="flow", until={"tau": 1.0}, samples=2)
        answer = ran(program, settings)
        if answer["final"]["layers"] != [[float(x) for x in row] for row in case["w"]]:
            wrong(f"moves from a point of rest to {answer['final']['layers']}", "simulate", settings)
        return 0.0, None
    end = flow.log_unit + rng.choice([rng.uniform(-2, 3), rng.uniform(0, 12), rng.uniform(5, 60)])
    settings = settings_of(case, mode="flow", until={"log_time": end}, samples=rng.choice([2, 5]))
    answer = ran(program, settings)
    records = [r for r in answer["trajectory"] if r["log_time"] is not None and r["tau"] > 0]
    times = [r["log_time"] for r in records]
    if not times:
        return 0.0, "no records"
    if any(b <= a for a, b in zip(times, times[1:])):
        times = sorted(set(times))
        records = [next(r for r in records if r["log_time"] == t) for t in times]
    states = flow.run(times, until_sign=until_sign)
    if flow.end in ("budget", "gave up"):
        return 0.0, f"reference {flow.end}"
    if flow.end == "rest":
        if answer["status"] != "collapsed" and end > flow.log_end + 1e-3:
            wrong(f"comes to 0 at log t {flow.log_end}, found {answer['status']}", "simulate", settings)
    elif flow.end == "reached" and answer["status"] == "collapsed" and \
            np.abs(np.prod(states[-1][0], axis=0) * flow.z).max() > 1e-4 * np.abs(np.prod(flow.w0, axis=0) * flow.z).max():
        wrong(f"collapsed at log t {answer['final']['log_time']}, the reference goes on to {times[-1]}", "simulate", settings)
    worst, what = compare(records, states, flow)
    if worst > 1e-8:
        coarse = compare(records, flow.run(times, rtol=1e-9, until_sign=until_sign), flow)[0]
        rough = flow.run(times, rtol=1e-9, until_sign=until_sign)
        own = max([float(np.abs(np.prod(a[0], 0) - np.prod(b[0], 0)).max() / (np.abs(np.prod(a[0], 0)).max() or 1.0))
                   + abs(a[1] - b[1]) / a[1] for a, b in zip(states, rough)], default=0.0)
        allowed = 1e-7 + 30 * own
        if worst > allowed:
            wrong(f"off by {worst:.1e} (reference good to {own:.1e}, at rtol 1e-9 {coarse:.1e}): {what}", "simulate", settings)
        if own > 1e-6:
            return 0.0, "ill-conditioned"
    leader_check(answer, states, records, settings)
    return worst, None


def flow_smooth(rng, program):
    """gd, l2-SAM, unnormalized SAM, lp-SAM with p = 2: continuous fields."""
    case = draw(rng, ("gd", "l2-sam", "l2-sam", "usam", "lp-sam"), layers=None)
    if case["method"] == "lp-sam":
        case["p"] = 2.0
    return follow(rng, program, case)


def flow_sign(rng, program):
    """linf-SAM and lp-SAM up to the first gradient coordinate that passes 0."""
    return follow(rng, program, draw(rng, ("linf-sam", "lp-sam")), until_sign=True)


# ---- discrete updates -------------------------------------------------------------------------------------------

def discrete(rng, program):
    """Iterates against 50 digits."""
    case = draw(rng, ("gd", "l2-sam", "linf-sam", "lp-sam", "usam"), features=(1, 2, 3))
    unit = max(abs(x) for row in case["w"] for x in row)
    high = max(abs(x) for row in case["z"] for x in row)
    natural = min(unit ** 2, 1e30) / max(high * unit ** len(case["w"]), 1e-300)  # of size |w|^2 / |margin|
    eta = short(rng, min(max(natural * 10.0 ** rng.uniform(-3, -0.5), 1e-250), 1e250))
    steps = sorted({rng.randint(1, 5), rng.choice([7, 20, 40])})
    if case["loss"] == "exponential" and high * len(case["w"][0]) * (unit + case["rho"]) ** len(case["w"]) > 600:
        case["loss"] = "logistic"
    settings = settings_of(case, mode="discrete", step=eta, steps=steps[-1], samples=1, at={"step": steps})
    try:
        right = definitions.update(case["z"], case["w"], case["method"], case["rho"], case["p"], case["loss"], eta, steps)
    except OverflowError:
        return 0.0, "beyond 50 digits"
    if right[-1][1] < 1e-11:
        return 0.0, "a sign within rounding"
    if max(abs(x) for row in right[-1][0] for x in row) > 1e6 * (unit + case["rho"]):
        return 0.0, "diverges"
    answer = ran(program, settings)
    w = np.array([[float(x) for x in row] for row in right[-1][0]])
    got = np.array(answer["final"]["layers"], float)
    moved = definitions.update(case["z"], [[x * (1 + 1e-13 * rng.uniform(-1, 1)) for x in row] for row in case["w"]],
                               case["method"], case["rho"], case["p"], case["loss"], eta, steps)
    response = np.abs(np.array([[float(x) for x in row] for row in moved[-1][0]]) - w).max() / np.abs(w).max()
    error = float(np.abs(got - w).max() / np.abs(w).max())
    if not error <= 1e-12 + 100 * response:
        wrong(f"layers {got.tolist()}, right are {w.tolist()} (off by {error:.1e}, 1e-13 at the start makes {response:.1e})",
              "simulate", settings)
    if response > 1e-9:
        return 0.0, "ill-conditioned"
    z = np.array(case["z"])
    for step, (layers, _) in zip(steps, right):
        record = next((r for r in answer["trajectory"] if r["step"] == step), None)
        if record is None:
            wrong(f"no record of step {step}", "simulate", settings)
        beta = np.array([float(mpmath.fprod(row[j] for row in layers)) for j in range(len(layers[0]))])
        loss = definitions.log_loss(beta, z, case["loss"])
        slack = 1e-10 * (1 + max(np.abs(z) @ np.abs(beta)))
        if not abs(record["log_loss"] - loss) <= slack or not abs(record["min_margin"] - (z @ beta).min()) <= slack:
            wrong(f"at step {step} log loss {record['log_loss']} and margin {record['min_margin']}, right are {loss} and "
                  f"{(z @ beta).min()}", "simulate", settings)
    return error, None


# ---- closed forms -----------------------------------------------------------------------------------------------

def gates(rng, program):
    """GD and linf-SAM, N = 1, equal layers, mu > 0, any depth and start: w_j(tau) in 60 digits, t by quadrature."""
    depth = rng.choice([2, 3, 4, 5, 6, 7, 10, 30, 100, 300, 1000])
    method, d = rng.choice(["gd", "linf-sam"]) if depth <= 64 else "gd", rng.randint(1, 4)
    unit = 10.0 ** (rng.uniform(-30, 3) if depth <= 4 and rng.random() < 0.4 else rng.uniform(-0.3, 0.3) / max(1, depth / 6))
    rho = short(rng, unit * 10 ** rng.uniform(-1, 0.2)) if method != "gd" else 0.0
    alpha = [short(rng, unit * rng.uniform(0.4, 1.6)) for _ in range(d)]
    scale = 10.0 ** rng.choice([0, 0, -9, 9])
    mu = [short(rng, scale * 10 ** rng.uniform(-0.5, 0.5)) for _ in range(d)]
    with mpmath.workdps(60):
        blow = [mpmath.inf] * d
        for j in range(d):
            x = mpmath.mpf(alpha[j]) - mpmath.mpf(rho)
            if depth > 2 and x > 0:
                blow[j] = 1 / ((depth - 2) * mpmath.mpf(mu[j]) * mpmath.power(x, depth - 2))
        end = min(blow)
        if mpmath.isinf(end):
            end = rng.uniform(0.1, 5) / mu[0] if depth == 2 else mpmath.power(unit, 2 - depth) / mu[0] * rng.uniform(0.05, 2)
        taus = [float(end * x) for x in (rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.95))]
        if not all(1e-290 < t < 1e290 for t in taus):
            return 0.0, "beyond double precision"
        settings = settings_of({"z": [mu], "y": [1], "w": [alpha] * depth, "method": method, "rho": rho, "loss": "logistic"},
                               mode="flow", until={"tau": taus[1]}, samples=1, at={"tau": taus})
        answer = ran(program, settings)
        worst = 0.0

        def margin(tau):
            """<beta^, mu>, with beta^ = (w - rho)^L, or what sliding at 0 leaves: rho^L."""
            total = mpmath.mpf(0)
            for j in range(d):
                w = definitions.gate(mu[j], alpha[j], rho, depth, tau)
                total += mu[j] * ((w - rho) ** depth if w is not None else mpmath.mpf(rho) ** depth)
            return total

        for tau in taus:
            record = next((r for r in answer["trajectory"] if r["tau"] == tau), None)
            if record is None and answer["status"] == "collapsed":
                record = answer["final"]
                if any(definitions.gate(m, a, rho, depth, tau) is not None for m, a in zip(mu, alpha)):
                    wrong("collapsed while a coordinate moves", "simulate", settings)
            if record is None:
                wrong(f"no record at tau {tau}: {answer['status']}", "simulate", settings)
            for j in range(d):
                w = definitions.gate(mu[j], alpha[j], rho, depth, tau)
                log_beta = -mpmath.inf if w is None else depth * mpmath.log(w)
                got = record["log_abs_beta"][j]
                if w is None or got is None:
                    if (w is None) != (got is None):
                        wrong(f"log |beta_{j}| {got} at tau {tau}, right is {log_beta}", "simulate", settings)
                    continue
                # what rounding of tau and of the start make
                x = abs(w - rho)
                response = depth / w * (mpmath.mpf(mu[j]) * x ** (depth - 1) * tau + x) * mpmath.mpf(2) ** -52
                error = float(abs(got - log_beta) / (max(1, depth / 5) + 30 * response / 1e-10))
                if not error <= 1e-9:
                    wrong(f"log |beta_{j}| {got} at tau {tau}, right is {mpmath.nstr(log_beta, 17)}", "simulate", settings)
                worst = max(worst, error)
        tau = mpmath.mpf(taus[0])
        points = sorted({mpmath.mpf(0), tau, *[x for x in (tau * (1 - mpmath.mpf(10) ** -k) for k in (1, 2, 4, 8)) if x < tau]})
        with mpmath.workdps(20):
            got = answer["trajectory"][0]["log_time"] if answer["trajectory"][0]["tau"] == taus[0] else next(
                (r["log_time"] for r in answer["trajectory"] if r["tau"] == taus[0]), None)
            if got is not None:
                log_t = mpmath.log(mpmath.quad(lambda s: 1 + mpmath.exp(margin(s)), points))
                error = float(abs(got - log_t) / max(1, abs(log_t)))
                if not error <= 1e-8:
                    wrong(f"log t {got} at tau {taus[0]}, right is {mpmath.nstr(log_t, 15)}", "simulate", settings)
                worst = max(worst, error)
    return worst, None


def predict_gates(rng, program):
    """Fate, times and limit that `predict` gives for GD and linf-SAM, N = 1, equal layers: Theorem 3.2, Corollary 3.5."""
    depth, d = rng.choice([2, 2, 3, 4, 5, 6, 9, 20, 100]), rng.randint(1, 5)
    method = rng.choice(["gd", "linf-sam", "linf-sam"])
    unit = 10.0 ** rng.uniform(-3, 2) if depth < 10 else 10.0 ** rng.uniform(-0.5, 0.5)
    rho = short(rng, unit * 10 ** rng.uniform(-0.5, 0.3)) if method != "gd" else 0.0
    alpha = [short(rng, unit * rng.uniform(0.3, 1.7)) for _ in range(d)]
    if rho and rng.random() < 0.4:  # just inside or outside of the gate
        alpha[0] = rho * rng.choice([0.95, 0.999, 1.0, 1.001])
    mu = [short(rng, 10 ** rng.uniform(-0.5, 0.5)) for _ in range(d)]
    if d > 1 and rng.random() < 0.2:
        mu[1], alpha[1] = mu[0], alpha[0]
    if rng.random() < 0.15:
        mu[rng.randrange(d)] = 0.0
    if not any(mu):
        mu[0] = 1.0
    settings = settings_of({"z": [mu], "y": [1], "w": [alpha] * depth, "method": method, "rho": rho, "loss": "logistic"})
    answer = ran(program, settings, "predict")
    with mpmath.workdps(60):
        m = mpmath.mpf
        x = [m(a) - m(rho) for a in alpha]
        rate = [m(mu[j]) * mpmath.power(x[j], depth - 2) if x[j] > 0 and mu[j] > 0 else m(0) for j in range(d)]
        best = max(rate)
        end = 1 / ((depth - 2) * best) if depth > 2 and best > 0 else mpmath.inf
        for j, gate in enumerate(answer["gates"] or []):
            if mu[j] == 0:
                kind = {"constant"}
            elif x[j] > 0:
                kind = {"grows"} if depth == 2 else {"blow_up"}
            elif x[j] == 0:
                kind = {"level", "constant"}
            else:
                kind = {"zero"} if depth % 2 == 0 else {"level"}
            if gate["kind"] not in kind:
                wrong(f"gate of {j} is {gate['kind']}, right is {kind}", "predict", settings)
            if gate["kind"] == "zero":
                k = depth - 2
                right = mpmath.log(m(rho) / -x[j]) / mu[j] if k == 0 else \
                    (mpmath.power(-x[j], -k) - mpmath.power(m(rho), -k)) / (k * m(mu[j]))
                slack = 1e-12 + 4e-16 * rho / float(-x[j]) * max(1, k)
                if gate["tau"] is None or not abs(gate["tau"] / right - 1) <= slack * 10:
                    wrong(f"gate of {j} reaches 0 at {gate['tau']}, right is {mpmath.nstr(right, 17)}", "predict", settings)
            if gate["kind"] == "blow_up":
                right = 1 / ((depth - 2) * rate[j])
                if gate["tau"] is None or not abs(gate["tau"] / right - 1) <= 1e-12 + 1e-14 * depth * (1 + alpha[j] / float(x[j])):
                    wrong(f"gate of {j} blows up at {gate['tau']}, right is {mpmath.nstr(right, 17)}", "predict", settings)
        limit = answer["limit"]
        if best > 0:
            near = [j for j in range(d) if rate[j] >= best * (1 - m(10) ** -9)]
            ties = [j for j in range(d) if rate[j] == best or (mu[j] == mu[near[0]] and alpha[j] == alpha[near[0]])]
            if len(near) > 1 and len(ties) < len(near):
                return 0.0, "near tie"
            if len(near) == 1:
                if limit["kind"] != "basis" or limit["index"] != near[0]:
                    wrong(f"limit {limit}, right is basis {near[0]}", "predict", settings)
            else:
                share = np.array([float(x[j] ** 2 if depth == 2 else mpmath.power(m(mu[j]), m(-depth) / (depth - 2)))
                                  if j in near else 0.0 for j in range(d)])
                if depth == 2 or all(mu[j] == mu[near[0]] for j in near):
                    right = share / share.sum()
                    if limit["kind"] != "direction" or not np.abs(np.array(limit["direction"]) - right).max() <= 1e-9:
                        wrong(f"limit {limit}, right is the direction {right.tolist()}", "predict", settings)
        else:
            right = np.array([float(m(alpha[j]) ** depth) if mu[j] == 0 or x[j] == 0 else
                              (float(m(rho) ** depth) if depth % 2 else 0.0) for j in range(d)])
            if not right.any():
                if limit["kind"] != "zero":
                    wrong(f"limit {limit}, right is zero", "predict", settings)
            elif limit["kind"] != "point" or not np.abs(np.array(limit["point"]) / np.where(right, right, 1) - (right != 0)).max() <= 1e-12 * depth:
                wrong(f"limit {limit}, right is the point {right.tolist()}", "predict", settings)
    return 0.0, None


# ---- invariances ------------------------------------------------------------------------------------------------

def changed(rng, case):
    """A case that is the same by another name, with what became of features (None: a new one), log t and beta."""
    n, d, depth = len(case["z"]), len(case["z"][0]), len(case["w"])
    out, features, shift, unit = json.loads(json.dumps(case)), list(range(d)), 0.0, 1.0
    kind = rng.choice(["features", "layers", "labels", "examples", "copies", "a feature without data", "units", "rotation"])
    if kind == "features":
        rng.shuffle(features)
        out["z"] = [[row[j] for j in features] for row in case["z"]]
        out["w"] = [[row[j] for j in features] for row in case["w"]]
    elif kind == "layers":
        rng.shuffle(out["w"])
    elif kind == "labels":
        out["y"] = [-y for y in case["y"]] if n > 1 else case["y"]
    elif kind == "examples":
        order = rng.sample(range(n), n)
        out["z"], out["y"] = [case["z"][i] for i in order], [case["y"][i] for i in order]
    elif kind == "copies":
        k = rng.randint(2, 3)
        out["z"], out["y"] = case["z"] * k, case["y"] * k
    elif kind == "a feature without data" and case["method"] != "lp-sam":
        out["z"] = [row + [0.0] for row in case["z"]]
        out["w"] = [row + [0.0] for row in case["w"]]  # at 0, so that it does not take the lead either
    elif kind == "units":
        k = rng.randint(-12 // depth, 12 // depth)
        out["z"] = [[x * 2.0 ** (k * depth) for x in row] for row in case["z"]]
        out["w"] = [[x * 2.0**-k for x in row] for row in case["w"]]
        out["rho"] = case["rho"] * 2.0 ** (-2 * k if case["method"] == "usam" else -k)
        shift, unit = -2 * k * math.log(2), 2.0 ** (-k * depth)
    elif kind == "rotation" and depth <= 2 and case["method"] in ("gd", "l2-sam", "usam"):
        # one feature becomes two: shares cos, sin of the weights (L = 2) or of weights and data (L = 1)
        c, s = 0.6, 0.8
        out["w"] = [[*row[:-1], row[-1] * c, row[-1] * s] for row in case["w"]]
        out["z"] = [[*row[:-1], *((row[-1] * c, row[-1] * s) if depth == 1 else (row[-1], row[-1]))] for row in case["z"]]
        features = [*range(d - 1), (d - 1, c if depth == 1 else None)]
    return kind, out, features, shift, unit


def carried(beta, features, unit):
    """beta of the changed case in the terms of the first one."""
    d = 1 + max(j if isinstance(j, int) else j[0] for j in features)
    back = [0.0] * d
    for k, j in enumerate(features):
        if isinstance(j, int):
            back[j] = beta[k] / unit
        else:
            back[j[0]] = beta[k] / j[1] if j[1] else beta[k] + beta[k + 1]
    return np.array(back)


def invariance(rng, program):
    """The same experiment told differently: simulate in flow and discrete mode."""
    case = draw(rng, ("gd", "l2-sam", "linf-sam", "lp-sam", "usam"), depths=(1, 2, 2, 3, 4), examples=(1, 2, 3), features=(1, 2, 3),
                extreme=0.1)
    flow = flow_of(case)
    if flow.log_unit is None:
        return 0.0, "at rest"
    kind, other, features, shift, unit = changed(rng, case)
    other["as_points"] = kind == "copies"
    mode, end = rng.choice(["flow", "discrete"] if abs(flow.log_unit) < 250 else ["flow"]), flow.log_unit + rng.uniform(-1, 6)
    eta = 0.05 * math.exp(min(max(flow.log_unit, -250), 250))

    def run(which, move, stretch=0.0):
        which = dict(which)
        if stretch:
            which["w"] = [[x * (1 + stretch * rng.uniform(-1, 1)) for x in row] for row in case["w"]]
        settings = settings_of(which, mode="flow", until={"log_time": end + move}, samples=1) if mode == "flow" else \
            settings_of(which, mode="discrete", step=eta * math.exp(move), steps=30, samples=1)
        return settings, ran(program, settings)

    first, a = run(case, 0.0)
    second, b = run(other, shift)
    if a["status"] != b["status"]:
        wrong(f"{kind}: {a['status']} and {b['status']}\n    {json.dumps(first)}", "simulate", second)
    if a["final"]["log_time"] is None and mode == "flow":
        return 0.0, "no log t"
    x, y = np.array(a["final"]["beta"], float), carried(b["final"]["beta"], features, unit)
    error = float(np.abs(x - y).max() / (np.abs(x).max() or 1.0))
    small = 1e-9 if mode == "flow" else 1e-12
    if not error <= small:
        _, c = run(case, 0.0, 1e-11 if mode == "flow" else 1e-14)
        response = float(np.abs(np.array(c["final"]["beta"], float) - x).max() / (np.abs(x).max() or 1.0))
        if response > 1e-7:
            return 0.0, "ill-conditioned"
        if not error <= small + 100 * response:
            wrong(f"{kind}: beta {x.tolist()} and {y.tolist()}, apart by {error:.1e} (1e-11 at the start makes {response:.1e})\n"
                  f"    simulate: {json.dumps(first)}", "simulate", second)
    return error, None


def no_contradiction(rng, program):
    """limit and predict of one experiment told in two ways, and with each other: what is named is the same."""
    case = draw(rng, ("gd", "l2-sam", "linf-sam"), depths=(1, 2, 2, 3), examples=(1, 1, 2, 3), features=(1, 2, 3), extreme=0.1,
                separable="separable")
    kind, other, features, _, unit = changed(rng, case)
    if kind == "rotation":
        return 0.0, "limits of parts"
    other["as_points"] = kind == "copies"
    answers = []
    for which, names, size in ((case, list(range(len(case["z"][0]))), 1.0), (other, features, unit)):
        settings = settings_of(which)
        for command in ("predict", "limit"):
            got = ran(program, settings, command)
            got = got["limit"] if command == "predict" else got
            name = got["kind"] if got["evidence"] != "unknown" else None
            index = names[got["index"]] if got["index"] is not None and got["index"] < len(names) else None
            answers.append((name, index, command, settings))
    named = [a for a in answers if a[0] and a[0] != "unknown"]
    for a in named[1:]:
        same = a[0] == named[0][0] or {a[0], named[0][0]} <= {"basis", "max_margin"}  # a max-margin direction may be a basis vector
        if not same or (a[0] == named[0][0] == "basis" and a[1] != named[0][1]):
            wrong(f"{kind}: {a[2]} says {a[:2]}, {named[0][2]} {named[0][:2]}\n    {json.dumps(named[0][3])}", a[2], a[3])
    return 0.0, None if named else "nothing named"


# ---- margin -----------------------------------------------------------------------------------------------------

def margin(rng, program):
    """Max-margin directions proved by weak duality in rationals: min <b, z_n> / |b| <= margin <= |Z' lambda|_dual / sum lambda."""
    from fractions import Fraction
    n, d = rng.randint(1, 6), rng.randint(1, 4)
    z = draw_examples(rng, n, d)
    column = [2.0 ** rng.choice([0, 0, rng.randint(-30, 30)]) for _ in range(d)]
    z = [[x * c for x, c in zip(row, column)] for row in z]
    norm = rng.choice(["l1", "l2"])
    settings = {"data": {"points": z, "labels": [1] * n}}
    got = ran(program, settings, "margin", codes=(0, 3), options=("--norm", norm))
    exact = [[Fraction(x) for x in row] for row in z]
    if got.get("separable"):
        b, weights = [Fraction(x) for x in got["direction"]], [Fraction(x) for x in got["multipliers"]]
        least = min(sum(x * y for x, y in zip(row, b)) for row in exact)
        pull = [sum(w * row[j] for w, row in zip(weights, exact)) for j in range(d)]
        total = sum(weights)
        if norm == "l1":
            low, high = float(least / sum(map(abs, b))), float(max(map(abs, pull)) / total)
        else:
            low = float(least) / math.sqrt(float(sum(x * x for x in b)))
            high = math.sqrt(float(sum(x * x for x in pull))) / float(total)
        if min(weights) < 0 or not low > 0:
            wrong(f"no margin by {got['direction']}, multipliers {got['multipliers']}", "margin --norm " + norm, settings)
        gap = max(abs(got["margin"] / low - 1), high / low - 1)
        if not gap <= 1e-9:
            wrong(f"margin {got['margin']}, exactly {low}, bound {high}", "margin --norm " + norm, settings)
        return gap, None
    if "certificate" not in got:
        return 0.0, got.get("separability", "no verdict")
    weights = [Fraction(x) for x in got["certificate"]]
    size = max(max(abs(row[j]) for row in exact) or 1 for j in range(d))
    off = max(abs(float(sum(w * row[j] for w, row in zip(weights, exact)))) / (float(max(abs(row[j]) for row in exact)) or 1.0)
              for j in range(d))
    if min(weights) < 0 or not abs(float(sum(weights)) - 1) <= 1e-12 or not off <= 1e-10 or not size > 0:
        wrong(f"certificate {got['certificate']} leaves {off:.1e}", "margin --norm " + norm, settings)
    return off, None


# ---- sweeps -----------------------------------------------------------------------------------------------------

def sweep(rng, program):
    """Rows of a sweep are what simulate and predict say of each point."""
    case = draw(rng, ("l2-sam", "linf-sam"), depths=(1, 2, 3), examples=(1, 2), features=(1, 2), extreme=0.0, layers="alike")
    base = settings_of(case, mode="discrete", step=short(rng, 10 ** rng.uniform(-3, -1)), steps=rng.randint(3, 40))
    radii = sorted({short(rng, 10 ** rng.uniform(-2, 0.3)) for _ in range(3)})
    grid = {**base, "sweep": {"axes": {"optimizer.rho": {"name": "rho", "values": radii}},
                              "observables": ["final_loss", "min_margin", "predicted_limit"]}}
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("grid.yaml", "result.db", "result.csv")]
        with open(paths[0], "w") as file:
            json.dump(grid, file)
        for words in (("sweep", paths[0], "-o", paths[1]), ("export", paths[1], "-o", paths[2])):
            done = subprocess.run([program.path, *words, "--quiet"], capture_output=True, text=True, timeout=120)
            if done.returncode:
                wrong(f"{words[0]} ended with {done.returncode}: {done.stderr}", "sweep", grid)
        with open(paths[2], newline="") as file:
            rows = list(csv.DictReader(file))
    if sorted(float(row["rho"]) for row in rows) != radii:
        wrong(f"rows of rho {[row['rho'] for row in rows]}, right are {radii}", "sweep", grid)
    for row in rows:
        one = json.loads(json.dumps(base))
        one["optimizer"]["rho"] = float(row["rho"])
        final, limit = ran(program, one)["final"], ran(program, one, "predict")["limit"]
        for name in ("log_loss", "min_margin"):
            # batches add in another order
            if not abs(float(row[name]) - final[name]) <= 1e-13 * max(1.0, abs(final[name])):
                wrong(f"{name} {row[name]} at rho {row['rho']}, simulate says {final[name]}", "sweep", grid)
        if (row["predicted_limit"] or None if "predicted_limit" in row else limit["kind"]) not in (limit["kind"], None):
            wrong(f"limit {row['predicted_limit']} at rho {row['rho']}, predict says {limit['kind']}", "sweep", grid)
    return 0.0, None


# ---- meanings that a mutation once survived (script/check-mutants) --------------------------------------------------------

def near_blow_up(rng, program):
    """Two blow-ups 1e-8 to 3e-4 apart are no tie: the limit is the basis vector of the first one."""
    depth, d = rng.randint(3, 6), rng.randint(2, 4)
    rho = rng.choice([0.0, 0.4])
    mu = [rng.uniform(0.5, 0.9) for _ in range(d)]
    i, j = rng.sample(range(d), 2)
    mu[i] = 1.5
    mu[j] = mu[i] * (1 - 10 ** rng.uniform(-8, -3.5))
    settings = settings_of({"z": [mu], "y": [1], "w": [[1.0] * d] * depth, "method": "linf-sam" if rho else "gd", "rho": rho,
                            "loss": "logistic"})
    limit = ran(program, settings, "predict")["limit"]
    if limit["kind"] != "basis" or limit["index"] != i:
        wrong(f"limit {limit}, right is basis {i}", "predict", settings)
    return 0.0, None


def near_strengths(rng, program):
    """(1, 1 + e), e < 0.09, rho = 1: alpha in (0.55, 0.95) is above the critical scale and below that from which the major feature
    leads, 0.99 and more: minor first."""
    mu = [1.0, 1 + rng.uniform(0.01, 0.09)]
    rng.shuffle(mu)
    settings = settings_of({"z": [mu], "y": [1], "w": [[rng.uniform(0.55, 0.95)] * 2] * 2, "method": "l2-sam", "rho": 1.0,
                            "loss": "logistic"})
    regime = ran(program, settings, "predict")["regime"]
    if regime != "minor_first":
        wrong(f"regime {regime}, right is minor_first", "predict", settings)
    return 0.0, None


def equal_strengths(rng, program):
    """The smallest index stands for features of equal strength and start."""
    copies = rng.randint(2, 3)
    mu = [1.0, *[2.0] * copies]
    alpha = rng.uniform(0.6, 0.8)
    settings = settings_of({"z": [mu], "y": [1], "w": [[alpha] * len(mu)] * 2, "method": "l2-sam", "rho": 1.0, "loss": "logistic"})
    answer = ran(program, settings, "predict")
    found = [answer["peak_ratio"]["major"], answer["dominance"][-1]["index"]]
    if found != [1, 1]:
        wrong(f"major feature and last leader {found}, right is 1", "predict", settings)
    return 0.0, None


def slackness(rng, program):
    """Z' lambda = (1, 1) is met exactly by lambda > 0 on both examples, so beta > 0 of unequal margins fails complementary
    slackness or stationarity, by an amount that grows with the difference of the margins: it has a residual."""
    a, b = rng.uniform(2, 4), rng.uniform(0.5, 1.5)
    z = [[a, b], [b, a]]
    case = {"z": z, "y": [1, 1], "w": [[0.9, rng.uniform(0.3, 0.6)]] * 2, "method": "gd", "rho": 0.0, "loss": "logistic"}
    settings = settings_of(case)
    for end in ("3", "30", "300", "3000"):  # examples count as active only near the smallest margin: late
        answer = ran(program, settings, "limit", options=("--log-time", end))
        if not answer["reached"] or answer["kkt_residual"] is None:
            continue
        margins = np.array(z) @ np.array(answer["reached"])
        apart = margins.max() / margins.min() - 1
        if apart > 1e-5 and not answer["kkt_residual"] > apart / 100:
            wrong(f"residual {answer['kkt_residual']} of margins {margins.tolist()}", "limit --log-time " + end, settings)
    return 0.0, None


def mirrored_certificate(rng, program):
    """Of (x, -x) the residual |sum lambda z| is that of the 2 d features: sqrt 2 times the one of x."""
    from fractions import Fraction
    d, n = rng.randint(1, 3), rng.randint(5, 8)
    z = [[round(rng.gauss(0, 1), 3) for _ in range(d)] for _ in range(n)]
    settings = {"data": {"points": z, "labels": [1] * n, "mirror": True}}
    got = ran(program, settings, "margin", codes=(0, 3), options=("--norm", rng.choice(["l1", "l2"])))
    if "certificate" not in got:
        return 0.0, "separable"
    weights = [Fraction(x) for x in got["certificate"]]
    off = [sum(w * Fraction(row[j]) for w, row in zip(weights, z)) for j in range(d)]
    right = math.sqrt(2 * float(sum(x * x for x in off)))
    if right < 1e-18:
        return 0.0, "exactly 0"
    if not abs(got["residual"] / right - 1) <= 0.15:
        wrong(f"residual {got['residual']}, exactly {right}", "margin", settings)
    return 0.0, None


# ---- the experiments of known answer beside verdict ------------------------------------------------------------------

def known(check):
    """A kind of tests/verdict as a family."""
    def family(rng, program):
        try:
            answer = check(rng, program)
        except AssertionError as error:
            raise Wrong(str(error)) from None
        return (answer[0] if isinstance(answer, tuple) else 0.0), None
    family.__doc__ = check.__doc__
    return family


KINDS = {f.__name__: f for f in (flow_smooth, flow_sign, discrete, gates, predict_gates, invariance, no_contradiction, margin, sweep,
                                near_blow_up, near_strengths, equal_strengths, slackness, mirrored_certificate)}
KINDS.update({f"theory: {name}": known(lambda rng, program, name=name, check=check: check(name, rng, program))
              for name, check in test_theory.KINDS.items()})
KINDS.update({f"limit: {check.__name__}": known(check) for check in test_limit.KINDS})
