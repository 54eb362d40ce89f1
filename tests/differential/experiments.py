"""Random experiments over what the settings allow, and the program as seen from outside."""
import json
import math
import subprocess


class Failed(Exception):
    """The program ended with an error; code and message."""

    def __init__(self, command, code, message):
        super().__init__(f"{command} ended with {code}: {message}")
        self.code, self.message = code, message


class Slow(Exception):
    """The program was stopped after SECONDS."""


SECONDS = 40


class Program:
    def __init__(self, path):
        self.path = path

    def __call__(self, command, settings, *options, codes=(0,)):
        """The JSON document of a command; whatever the exit code, if it is one of codes."""
        if command in ("simulate", "limit"):
            options = (*options, "--max-seconds", str(SECONDS))
        done = subprocess.run([self.path, command, "--json", "--quiet", *options, "-"], input=json.dumps(settings),
                              capture_output=True, text=True, timeout=300)
        if done.returncode == 143:
            raise Slow
        if done.returncode not in codes:
            raise Failed(command, done.returncode, done.stderr.strip()[:400])
        return json.loads(done.stdout) if done.stdout.strip() else {"error": done.stderr.strip(), "code": done.returncode}


def settings_of(case, **dynamics):
    """The experiment file of a case: z, layers, method, rho, p, loss."""
    z = case["z"]
    data = {"example": z[0]} if len(z) == 1 and not case.get("as_points") else \
        {"points": [[y * x for x in row] for row, y in zip(z, case["y"])], "labels": case["y"]}
    optimizer = {"method": case["method"]}
    if case["method"] != "gd":
        optimizer["rho"] = case["rho"]
    if case["method"] == "lp-sam":
        optimizer["p"] = case["p"]
    layers = case["w"]
    alike = all(row == layers[0] for row in layers)
    out = {"data": data, "network": {"depth": len(layers), "init": layers[0] if alike else {"layers": layers}},
           "optimizer": optimizer, "loss": case["loss"]}
    if dynamics:
        out["dynamics"] = {k: v for k, v in dynamics.items() if k not in ("samples", "at")}
        record = {k: dynamics[k] for k in ("samples", "at") if k in dynamics}
        if record:
            out["record"] = record
    return out


def short(rng, x):
    """x with few digits or with all."""
    return float(f"{x:.{rng.choice([1, 2, 17])}g}")


def draw_examples(rng, n, d, kind=None):
    kind = kind or rng.choice(["separable", "separable", "separable", "any"])
    aim = [rng.gauss(0, 1) for _ in range(d)]
    if rng.random() < 0.5:
        aim = [abs(x) for x in aim]
    z = []
    for _ in range(n):
        row = [rng.choice([1, 1, 1, 0.5]) * rng.gauss(0, 1) if rng.random() < 0.9 else 0.0 for _ in range(d)]
        if kind == "separable" and sum(a * b for a, b in zip(row, aim)) < 0:
            row = [-x for x in row]
        z.append([short(rng, x) for x in row])
    if d > 1 and rng.random() < 0.15:  # equal features
        for row in z:
            row[1] = row[0]
    if n > 1 and rng.random() < 0.1:
        z[1] = list(z[0])
    if not any(any(row) for row in z):
        z[0][0] = 1.0
    return z


def draw_layers(rng, depth, d, unit, kind=None):
    kind = kind or rng.choice(["alike", "alike", "one number", "unequal", "mixed signs", "zeros"])
    if kind == "one number":
        return [[unit] * d for _ in range(depth)]
    row = [short(rng, unit * rng.uniform(0.3, 1.7)) for _ in range(d)]
    if kind == "alike":
        return [list(row) for _ in range(depth)]
    if kind == "unequal":
        return [[short(rng, unit * rng.uniform(0.3, 1.7)) for _ in range(d)] for _ in range(depth)]
    if kind == "mixed signs":
        return [[short(rng, unit * rng.gauss(0, 1)) or unit for _ in range(d)] for _ in range(depth)]
    return [[0.0 if l == 1 or (depth == 1 and rng.random() < 0.5) else x for x in row] for l in range(depth)]


def draw(rng, methods=("gd", "l2-sam", "linf-sam", "lp-sam"), depths=(1, 2, 2, 3, 3, 4, 5, 6), examples=(1, 1, 2, 3, 4, 6),
         features=(1, 2, 2, 3, 4), extreme=0.3, layers=None, separable=None):
    """A case: z, y, w, method, rho, p, loss."""
    n, d, depth = rng.choice(examples), rng.choice(features), rng.choice(depths)
    scale = 10.0 ** rng.uniform(-12, 12) if rng.random() < extreme else 1.0
    scale = 2.0 ** round(math.log2(scale))
    z = [[x * scale for x in row] for row in draw_examples(rng, n, d, separable)]
    natural = scale ** (-1.0 / depth)  # margins of order 1
    if rng.random() < extreme:
        natural *= 10.0 ** rng.choice([-30, -10, -5, -3, 1, 2, 3])
    unit = short(rng, natural * 10 ** rng.uniform(-0.8, 0.3))
    method = rng.choice(methods)
    return {"z": z, "y": [rng.choice([-1, 1]) for _ in z] if n > 1 else [1], "w": draw_layers(rng, depth, d, unit, layers),
            "method": method, "rho": short(rng, unit * 10 ** rng.uniform(-1.3, 0.4)),
            "p": rng.choice([1.1, 1.5, 2.0, 3.0, 4.0, 10.0]), "loss": rng.choice(["logistic", "logistic", "exponential"])}
