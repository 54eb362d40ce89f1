#!/usr/bin/env python3
"""samflow limit says no false word: random experiments whose limits are known from the definitions, of the kinds that once got a
false certificate.

usage: test_limit.py PROGRAM [--count N] [--seed S] [--share]     N experiments of each kind (default 2, seed 1)
--share also counts kinds over mixed random experiments without a known answer.
"""
import argparse
import json
import os
import random
import sys

import numpy as np
from scipy.optimize import minimize

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import oracle
from test_theory import Program


def experiment(points, layers, method="gd", rho=0.0, **data):
    optimizer = {"method": method, "rho": rho} if method != "gd" else {"method": "gd"}
    if method == "lp-sam":
        optimizer["p"] = 1.5
    source = {"points": points, "labels": [1] * len(points)} if isinstance(points[0], list) else {"example": points}
    return {"data": {**source, **data}, "network": {"depth": len(layers), "init": {"layers": layers}}, "optimizer": optimizer}


def equal(start, depth):
    return [list(start) for _ in range(depth)]


def expect(program, settings, kind, index=None, direction=None, also=()):
    """also: answers that are not wrong, though less than could be said."""
    got = program("limit", settings)
    where = f"{got['kind']} {got['index']} {got['evidence']} ({got['reason']}), right is {kind} {index}: {json.dumps(settings)}"
    assert got["kind"] == kind or got["kind"] in also, where
    assert (got["evidence"] == "unknown") == (got["kind"] == "unknown"), where
    if got["kind"] == kind:
        assert index is None or got["index"] == index, where
        if direction is not None:
            value = got["point"] if kind == "point" else got["direction"]
            assert np.abs(np.array(value) - direction).max() <= 1e-6 * max(1, np.abs(direction).max()), where
    return got


def resting_feature(rng, program):
    """A feature without data keeps its weights, whatever becomes of the others: the limit is a point."""
    d = rng.randint(2, 3)
    mu, k = [10 ** rng.uniform(-0.3, 0.3) for _ in range(d)], rng.randrange(d)
    mu[k] = 0.0
    if rng.random() < 0.5:  # GD along the stable manifold of 0
        first = [rng.uniform(0.2, 2) for _ in range(d)]
        layers = [first, [x if m == 0 else -x for x, m in zip(first, mu)]]
        settings = experiment(mu, layers)
    else:
        first = [0.05 if m else rng.uniform(0.2, 2) for m in mu]
        layers = equal(first, 2)
        settings = experiment(mu, layers, "l2-sam", 1.0)
    point = np.array([layers[0][j] * layers[1][j] if mu[j] == 0 else 0.0 for j in range(d)])
    expect(program, settings, "point", direction=point)


def scaled_collapse(rng, program):
    """Far below the critical scale, several examples: 0, whatever the scale of the examples. The l1-max-margin direction may be
    where the flow starts."""
    a, b = rng.uniform(0.3, 0.7), rng.uniform(0.8, 1.2)
    c = 10.0 ** rng.choice([0, -3, -6, -9, -12])
    settings = experiment([[b, a], [a, b]], equal([0.2 * b, 0.2 * b], 2), "l2-sam", 1.0, scale=c)
    expect(program, settings, "zero", also=("unknown",) if c < 1e-9 else ())


def scaled_deep(rng, program):
    """GD, L = 3: the feature of larger weight wins by far; the l1-max-margin direction is another one. Nothing has moved for
    long."""
    c = 10.0 ** rng.choice([0, -4, -8, -16])
    settings = experiment([[1.0, rng.uniform(1.3, 1.6)], [rng.uniform(1.1, 1.3), 0.0]], equal([2.0, 0.5], 3), scale=c)
    expect(program, settings, "basis", 0, also=("unknown",))


def tiny_start(rng, program):
    """GD, L >= 3, layers of any sizes, one sign wrong: by the times of blow-up of the coordinates, each by quadrature."""
    d, depth, unit = rng.randint(1, 3), rng.randint(3, 5), 10.0 ** rng.choice([0, -3, -10, -30])
    while True:
        mu = [rng.choice([1, -1]) * 10 ** rng.uniform(-0.5, 0.5) for _ in range(d)]
        layers = [[rng.choice([1, -1]) * rng.uniform(0.3, 2) * unit for _ in range(d)] for _ in range(depth)]
        times = sorted((oracle.blow_up_time(m, [l[j] / unit for l in layers]), j) for j, m in enumerate(mu))
        if d == 1 or times[1][0] > 1.01 * times[0][0]:
            break
    sign = float(np.sign(mu[times[0][1]]))
    got = expect(program, experiment(mu, layers), "basis", times[0][1], also=("unknown",) if unit < 1 else ())
    if got["kind"] == "basis":
        assert got["direction"][times[0][1]] == sign, got


def equal_layers_deep(rng, program):
    """GD, equal layers, any depth and start (Corollary 3.5 with rho = 0): argmax mu_j alpha_j^{L-2}."""
    depth, alpha = rng.randint(3, 9), 10.0 ** rng.uniform(-8, 1)
    mu = [rng.uniform(0.5, 3) for _ in range(3)]
    start = [alpha * rng.uniform(0.5, 1.5) for _ in range(3)]
    key = [np.log(m) + (depth - 2) * np.log(a) for m, a in zip(mu, start)]
    expect(program, experiment(mu, equal(start, depth)), "basis", int(np.argmax(key)))


def twice(rng, program):
    """The same example several times is one example, in limit and in predict."""
    method, rho = rng.choice([("gd", 0.0), ("l2-sam", 0.5), ("linf-sam", 0.5), ("lp-sam", 0.5)])
    mu = [rng.choice([1.0, 1.0, -1.0]) * rng.uniform(0.5, 2) for _ in range(2)]
    depth = rng.randint(1, 4)
    layers = [[rng.uniform(0.1, 1.5) for _ in mu] for _ in range(depth)]
    one, more = experiment(mu, layers, method, rho), experiment([mu] * rng.randint(2, 4), layers, method, rho)
    for command in ("limit", "predict"):
        a, b = program(command, one), program(command, more)
        for x in (a, b):
            x.pop("experiment")
        assert a == b, f"{command}: {json.dumps(one)}"


def two_layers(rng, program):
    """One example, GD and l2-SAM, against the reduction."""
    while True:
        d = rng.randint(1, 4)
        mu = [rng.choice([1, 1, -1, 0]) * 10 ** rng.uniform(-0.5, 0.5) for _ in range(d)]
        rho = rng.choice([0.0, 10 ** rng.uniform(-1, 0.5)])
        layers = [[rng.choice([0.0, rng.gauss(0, 0.7)]) for _ in range(d)] for _ in range(2)]
        if not any(mu):
            continue
        own = oracle.Reduction(mu, *layers, rho)
        if not own.still:
            break
    kind, index, direction = own.limit()
    expect(program, experiment(mu, layers, "l2-sam" if rho else "gd", rho), kind, None if index < 0 else index, direction)


def race(rng, program):
    """L >= 3, one example, every method whose eps is at most rho in each weight: a coordinate far ahead."""
    method = rng.choice(["l2-sam", "linf-sam", "lp-sam", "gd"])
    depth, rho, d = rng.randint(3, 5), 0.2, rng.randint(1, 3)
    mu = [rng.uniform(0.8, 1.2) for _ in range(d)]
    k = rng.randrange(d)
    layers = [[rng.uniform(2.0, 2.5) if j == k else rng.uniform(0.3, 0.6) for j in range(d)] for _ in range(depth)]
    got = expect(program, experiment(mu, layers, method, rho), "basis", k)
    assert got["evidence"] == "proved", got


def descent_to_a_point(rng, program):
    """GD, L = 2, data that no beta >= 0 separates: the minimum of a convex loss over beta >= 0."""
    points = [[1.0, rng.uniform(-2, -1.6)], [rng.uniform(-0.9, -0.7), 1.0], [rng.uniform(0, 1), rng.uniform(0, 1)]]
    z = np.array(points)
    loss = lambda b: np.logaddexp(0, -(z @ b)).mean()
    slope = lambda b: -(z.T @ (1 / (1 + np.exp(z @ b)))) / len(z)
    beta = minimize(loss, [0.5, 0.5], jac=slope, bounds=[(0, None)] * 2, method="L-BFGS-B",
                    options={"ftol": 1e-16, "gtol": 1e-12}).x
    got = expect(program, experiment(points, equal([0.5, 0.5], 2)), "point", also=("unknown",))
    if got["kind"] == "point":
        assert np.abs(np.array(got["point"]) - beta).max() <= 1e-5 * max(1, beta.max()), (got["point"], beta, points)


def weakly_separable(rng, program):
    """Two examples against each other along one coordinate, the others on one side of it: log t along the other coordinate. The
    span of the balanced examples is that of the first coordinate, so what can be separated has to be orthogonal to it."""
    depth = rng.choice([1, 2, 2])
    points = [[rng.uniform(0.5, 2), 0.0], [-rng.uniform(0.5, 2), 0.0], [rng.uniform(-1, 1), rng.uniform(0.3, 2)]]
    points += [[rng.uniform(-1, 1), rng.uniform(0.3, 2)]] * rng.choice([0, 1])
    swap = rng.random() < 0.5
    method, rho = rng.choice([("gd", 0.0), ("l2-sam", 0.1), ("linf-sam", 0.1)])
    init = [[rng.uniform(0.3, 1)] * 2] * depth
    got = expect(program, experiment([p[::-1] if swap else p for p in points], init, method, rho), "direction",
                 direction=np.array([1.0, 0.0] if swap else [0.0, 1.0]))
    assert got["weakly_separable"] and not got["tie"], got


KINDS = [weakly_separable, resting_feature, scaled_collapse, scaled_deep, tiny_start, equal_layers_deep, twice, two_layers, race,
         descent_to_a_point]


def mixed(rng):
    n, d, depth = rng.randint(1, 4), rng.randint(1, 4), rng.randint(1, 4)
    method = rng.choice(["gd", "l2-sam", "linf-sam", "lp-sam", "usam"])
    direction = [rng.gauss(0, 1) for _ in range(d)]
    points = []
    for _ in range(n):
        z = [rng.gauss(0, 1) for _ in range(d)]
        if sum(a * b for a, b in zip(z, direction)) < 0 and rng.random() < 0.85:
            z = [-x for x in z]
        points.append(z)
    unit = 10.0 ** rng.uniform(-1.5, 0.5)
    layers = [[abs(rng.gauss(0, 1)) * unit for _ in range(d)] for _ in range(depth)]
    layers = equal(layers[0], depth) if rng.random() < 0.5 else layers
    return experiment(points if n > 1 else points[0], layers, method, 10 ** rng.uniform(-1, 0.3))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default="")
    parser.add_argument("--share", action="store_true")
    arguments = parser.parse_args()
    program, failed = Program(arguments.program), 0
    if arguments.share:
        rng, counts = random.Random(arguments.seed), {}
        for _ in range(arguments.count):
            try:
                got = program("limit", mixed(rng))
                key = got["kind"], got.get("evidence")
            except AssertionError as error:
                key = "error", str(error)[:60]
            counts[key] = counts.get(key, 0) + 1
        for key in sorted(counts, key=str):
            print(*key, counts[key])
        sys.exit(0)
    for kind in KINDS:
        if arguments.kinds and kind.__name__ not in arguments.kinds.split(","):
            continue
        rng, agreed = random.Random(f"{arguments.seed} {kind.__name__}"), 0
        for _ in range(arguments.count):
            try:
                kind(rng, program)
                agreed += 1
            except AssertionError as error:
                failed += 1
                print(f"{kind.__name__}: {error}", flush=True)
        print(f"{kind.__name__}: {agreed} of {arguments.count}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
