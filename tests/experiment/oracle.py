"""Discrete iterates against 50-digit arithmetic on random cases: depths 1 to 4, up to 10 examples, every method, both
losses, equal, unequal and negative starts.

usage: oracle.py SEED COUNT   ($SAMFLOW_PROGRAM; exit status 77, skipped, without mpmath)

Every coordinate of beta and of the layers must be within 1e-11, relative. Some runs amplify rounding beyond that
whatever the program does (a discrete run that collapses chatters chaotically). For those the same update is repeated
in 53-bit arithmetic, operation by operation; samflow may be off by 100 times what that is, and they are counted.
"""

import importlib.util
import json
import math
import os
import random
import subprocess
import sys

if importlib.util.find_spec("mpmath") is None:
    print("skipped: mpmath is not installed")
    sys.exit(77)

import mpmath as mp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "acceptance"))
from generate_cases import gradient, perturbed

METHODS = {"gd": "gd", "l2": "l2-sam", "linf": "linf-sam", "lp": "lp-sam", "usam": "usam"}


def make_case(rng):
    depth, n, d = rng.randint(1, 4), rng.choice([1, 1, 2, 3, 10]), rng.choice([1, 2, 5, 20])
    steps = rng.choice([1, 10, 100, 500] + ([2000] if n * d <= 20 else []))
    first = [rng.uniform(-0.3, 1) for _ in range(d)]
    equal = rng.random() < 0.4
    return {"depth": depth, "steps": steps, "method": rng.choice(list(METHODS)), "rho": rng.uniform(0.01, 0.5),
            "eta": rng.uniform(0.005, 0.2), "p": rng.choice([1.5, 3.0, 4.0]),
            "loss": rng.choice(["logistic", "exponential"]), "labels": [rng.choice([-1, 1]) for _ in range(n)],
            "points": [[rng.uniform(-1, 1.5) for _ in range(d)] for _ in range(n)],
            "layers": [first if equal else [rng.uniform(-0.5, 1) for _ in range(d)] for _ in range(depth)]}


def iterate(case, precision):
    """beta and the layers after all steps, in arithmetic of so many bits; None for a run that diverges."""
    with mp.workprec(precision):
        z = [[label * mp.mpf(x) for x in row] for label, row in zip(case["labels"], case["points"])]
        layers = [[mp.mpf(w) for w in layer] for layer in case["layers"]]
        eta, rho, p = mp.mpf(case["eta"]), mp.mpf(case["rho"]), mp.mpf(case["p"])
        for _ in range(case["steps"]):
            g, _ = gradient(z, perturbed(z, layers, case["method"], rho, p, case["loss"]), case["loss"])
            layers = [[w - eta * s for w, s in zip(layer, slope)] for layer, slope in zip(layers, g)]
            if any(abs(w) > 1e3 for layer in layers for w in layer):
                return None
        return [mp.fprod(column) for column in zip(*layers)] + [w for layer in layers for w in layer]


def samflow(case):
    experiment = {"data": {"points": case["points"], "labels": case["labels"]},
                  "network": {"depth": case["depth"], "init": {"layers": case["layers"]}},
                  "optimizer": {"method": METHODS[case["method"]], "rho": case["rho"],
                                **({"p": case["p"]} if case["method"] == "lp" else {})},
                  "loss": case["loss"],
                  "dynamics": {"mode": "discrete", "step": case["eta"], "steps": case["steps"]},
                  "record": {"samples": 2}}
    done = subprocess.run([os.environ["SAMFLOW_PROGRAM"], "simulate", "-", "--json"], input=json.dumps(experiment),
                          capture_output=True, text=True, check=True)
    final = json.loads(done.stdout)["final"]
    return final["beta"] + [w for layer in final["layers"] for w in layer]


def largest_error(values, expected):
    return max(float(abs(mp.mpf(v) - e) / abs(e)) if e else float(abs(v)) for v, e in zip(values, expected))


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    worst, amplified, failed = 0.0, 0, 0
    for index in range(count):
        case = make_case(rng)
        expected = iterate(case, 170)
        if expected is None:
            continue
        error = largest_error(samflow(case), expected)
        if error <= 1e-11:
            worst = max(worst, error)
            continue
        plain = iterate(case, 53)
        plain = math.inf if plain is None else largest_error(plain, expected)
        if error <= 100 * plain:
            amplified += 1
        else:
            failed += 1
            print(f"FAILED case {index} of seed {seed}: error {error:.2e}, plain 53-bit arithmetic {plain:.2e}")
    print(f"{count} cases: largest error {worst:.2e} of those that can be told; {amplified} amplify rounding")
    return 1 if failed or amplified > count / 5 else 0


if __name__ == "__main__":
    sys.exit(main())
