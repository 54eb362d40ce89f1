"""Makes reference cases in high precision, in the form that test_cases.py reads: an answer independent of samflow.

usage: generate_cases.py FAMILY SEED COUNT > FAMILY.json

  discrete        the update theta <- theta - eta grad F(theta + eps), 50 digits
  reduced_flow    l2-SAM, L = 2, N = 1: Taylor integration of dB/dtau = rho / n (40 digits); log t by Gauss-Legendre
                  quadrature backwards from the end, in pieces over which the perturbed margin changes little
  critical_alpha  bisection on the fate of that flow, with the flow run in s = -log n after n has passed its minimum
  dominance       switches of equal-layer starts where tau / B crosses mu_i + mu_{i+1}
  linf_flow       closed forms of Theorem 3.2, equal layers

Needs mpmath.
"""

import json
import random
import sys

import mpmath as mp

mp.mp.dps = 50


def text(value):
    return mp.nstr(value, 25)


def decimal(rng, low, high, digits=3):
    return f"{rng.uniform(low, high):.{digits}f}"


# ---- discrete ---------------------------------------------------------------------------------------------


def gradient(z, layers, loss):
    depth, d, n = len(layers), len(layers[0]), len(z)
    beta = [mp.fprod(layer[j] for layer in layers) for j in range(d)]
    margins = [mp.fdot(beta, row) for row in z]
    slopes = [mp.exp(-m) if loss == "exponential" else 1 / (1 + mp.exp(m)) for m in margins]
    field = [mp.fsum(s * row[j] for s, row in zip(slopes, z)) / n for j in range(d)]
    return [[-field[j] * mp.fprod(layers[k][j] for k in range(depth) if k != l) for j in range(d)]
            for l in range(depth)], margins


def perturbed(z, layers, method, rho, p, loss):
    g, _ = gradient(z, layers, loss)
    flat = [x for layer in g for x in layer]
    if method == "gd" or all(x == 0 for x in flat):
        return layers
    if method == "l2":
        norm = mp.sqrt(mp.fsum(x * x for x in flat))
        eps = [[rho * x / norm for x in layer] for layer in g]
    elif method == "linf":
        eps = [[rho * mp.sign(x) for x in layer] for layer in g]
    elif method == "lp":
        q = p / (p - 1)
        norm = mp.fsum(abs(x) ** q for x in flat) ** (1 / q)
        eps = [[rho * mp.sign(x) * (abs(x) / norm) ** (q - 1) for x in layer] for layer in g]
    else:
        eps = [[rho * x for x in layer] for layer in g]
    return [[w + e for w, e in zip(layer, shift)] for layer, shift in zip(layers, eps)]


def discrete(rng, index):
    depth, n, d = rng.randint(1, 4), rng.choice([1, 1, 2, 3, 10]), rng.choice([1, 2, 5, 20])
    steps = rng.choice([1, 10, 100, 500] + ([2000] if n * d <= 20 else []))
    method = rng.choice(["gd", "l2", "linf", "lp", "usam"])
    rho, eta = decimal(rng, 0.01, 0.5, 2), decimal(rng, 0.005, 0.2)
    p = rng.choice(["1.5", "3", "4"])
    y = [rng.choice([-1, 1]) for _ in range(n)]
    if method == "linf" and n > 1:
        steps = min(steps, 100)  # a sign may flip on rounding where a gradient coordinate passes 0
    x = [[decimal(rng, -1, 1.5) for _ in range(d)] for _ in range(n)]
    equal = rng.random() < 0.4
    first = [decimal(rng, -0.3, 1) for _ in range(d)]
    w0 = [first if equal else [decimal(rng, -0.5, 1) for _ in range(d)] for _ in range(depth)]
    z = [[label * mp.mpf(v) for v in row] for label, row in zip(y, x)]
    layers = [[mp.mpf(v) for v in layer] for layer in w0]
    step_size, radius, power = mp.mpf(eta), mp.mpf(rho), mp.mpf(p)
    for _ in range(steps):
        g, _ = gradient(z, perturbed(z, layers, method, radius, power, "logistic"), "logistic")
        layers = [[w - step_size * s for w, s in zip(layer, slope)] for layer, slope in zip(layers, g)]
    beta = [mp.fprod(layer[j] for layer in layers) for j in range(d)]
    margins = [mp.fdot(beta, row) for row in z]
    loss = mp.fsum(mp.log1p(mp.exp(-m)) for m in margins) / n
    return {"id": f"XA{index}",
            "input": {"method": method, "L": depth, "N": n, "d": d, "eta": eta, "rho": rho, "T": steps, "y": y, "x": x,
                      "W0": w0, **({"p": p} if method == "lp" else {})},
            "output": {"at_step": [{"step": steps, "W": [[text(w) for w in layer] for layer in layers],
                                    "beta": [text(b) for b in beta], "margins": [text(m) for m in margins],
                                    "log_loss": text(mp.log(loss))}]}}


# ---- the reduction ----------------------------------------------------------------------------------------


class Reduction:
    """l2-SAM, L = 2, N = 1: everything as a function of (tau, B)."""

    def __init__(self, mu, w1, w2, rho):
        self.mu, self.rho = [mp.mpf(m) for m in mu], mp.mpf(rho)
        self.u = [mp.mpf(a) + mp.mpf(b) for a, b in zip(w1, w2)]
        self.v = [mp.mpf(a) - mp.mpf(b) for a, b in zip(w1, w2)]

    def squares(self, tau, b):
        u2 = [u * u * mp.exp(2 * (m * tau - m * m * b)) for u, m in zip(self.u, self.mu)]
        v2 = [v * v * mp.exp(2 * (-m * tau - m * m * b)) for v, m in zip(self.v, self.mu)]
        return u2, v2

    def n(self, tau, b):
        u2, v2 = self.squares(tau, b)
        return mp.sqrt(mp.fsum(m * m * (a + c) for m, a, c in zip(self.mu, u2, v2)) / 2)

    def beta(self, tau, b):
        u2, v2 = self.squares(tau, b)
        return [(a - c) / 4 for a, c in zip(u2, v2)]

    def perturbed_margin(self, tau, b):
        u2, v2 = self.squares(tau, b)
        n = self.n(tau, b)
        return mp.fsum(m * (a * (1 - self.rho * m / n) ** 2 - c * (1 + self.rho * m / n) ** 2) / 4
                       for m, a, c in zip(self.mu, u2, v2))

    def integrate(self, stop):
        """Steps of a Gragg-Bulirsch-Stoer extrapolation in tau until stop(tau, B, n) says so; a list of knots."""
        tau, b, knots = mp.mpf(0), mp.mpf(0), [(mp.mpf(0), mp.mpf(0))]
        while not stop(tau, b, self.n(tau, b)):
            step = self.step(tau, b)
            b = self.extrapolated(tau, b, step)
            tau += step
            knots.append((tau, b))
        return knots

    def step(self, tau, b):
        # the field changes on the scale 1/mu in tau and on the scale n / (rho mu^2) through B
        top = max(abs(m) for m in self.mu)
        return mp.mpf(1) / 4 / (top + self.rho * top * top / self.n(tau, b))

    def extrapolated(self, tau, b, step):
        """One step by extrapolation of the modified midpoint rule, columns 2, 4, ..., 24."""
        table = []
        for column in range(1, 13):
            pieces = 2 * column
            h = step / pieces
            previous, current = b, b + h * self.rho / self.n(tau, b)
            for k in range(1, pieces):
                previous, current = current, previous + 2 * h * self.rho / self.n(tau + k * h, current)
            row = [(previous + current + h * self.rho / self.n(tau + step, current)) / 2]
            for k in range(1, column):
                ratio = mp.mpf(column) / (column - k)
                row.append(row[k - 1] + (row[k - 1] - table[-1][k - 1]) / (ratio * ratio - 1))
            table.append(row)
        return table[-1][-1]

    def to_tau(self, knots, tau):
        last = max(i for i, (t, _) in enumerate(knots) if t <= tau)
        start, b = knots[last]
        return self.extrapolated(start, b, tau - start) if tau > start else b

    def log_time(self, knots, tau):
        """t = int_0^tau (1 + e^M), each knot interval by Gauss-Legendre, backwards until the rest does not count."""
        inside = [k for k in knots if k[0] < tau] + [(tau, self.to_tau(knots, tau))]
        total = mp.mpf(0)
        for (left, b_left), (right, _) in zip(reversed(inside[:-1]), reversed(inside[1:])):
            def rate(s):
                return 1 + mp.exp(self.perturbed_margin(s, self.extrapolated(left, b_left, s - left) if s > left else b_left))
            change = abs(self.perturbed_margin(right, self.to_tau(knots, right)) - self.perturbed_margin(left, b_left))
            pieces = int(change / 4) + 1
            edge = right
            for i in range(pieces):
                lower = right - (right - left) * (i + 1) / pieces
                part = mp.quad(rate, [lower, edge], maxdegree=3)
                total += part
                edge = lower
                if i > 8 and part < total * mp.mpf(10) ** -25:
                    break
            if (tau - left) * rate(left) < total * mp.mpf(10) ** -25:
                break
        return mp.log(total)


def reduced_flow(rng, index):
    mp.mp.dps = 30
    d = rng.choice([1, 2, 3, 10])
    equal = rng.random() < 0.5
    mu = [decimal(rng, 0.1, 3) for _ in range(d)] if equal else [decimal(rng, -1.5, 1.5) for _ in range(d)]
    scale = rng.choice([0.2, 0.6, 1.0, 2.0])
    w1 = [decimal(rng, 0.05, scale) for _ in range(d)] if equal else [decimal(rng, -scale, scale) for _ in range(d)]
    w2 = w1 if equal else [decimal(rng, -scale, scale) for _ in range(d)]
    rho = decimal(rng, 0.05, 1.5, 2)
    flow = Reduction(mu, w1, w2, rho)
    end = mp.mpf(rng.choice([1, 2, 3])) / max(abs(m) for m in flow.mu)
    tiny = mp.mpf(10) ** -6
    knots = flow.integrate(lambda tau, b, n: tau >= end or n < tiny)
    collapsed = knots[-1][0] < end
    limit = knots[-1][0] * mp.mpf("0.98") if collapsed else end
    taus = [mp.mpf(mp.nstr(limit * k / 3, 8)) for k in (1, 2, 3)]
    rows = []
    for tau in taus:
        b = flow.to_tau(knots, tau)
        beta = flow.beta(tau, b)
        margin = mp.fdot(beta, flow.mu)
        rows.append({"tau": text(tau), "beta": [text(x) for x in beta], "log_t": text(flow.log_time(knots, tau)),
                     "log_loss": text(mp.log(mp.log1p(mp.exp(-margin))))})
    return {"id": f"XB{index}", "input": {"d": d, "mu": mu, "w1_0": w1, "w2_0": w2, "rho": rho, "N": 1, "L": 2},
            "output": {"fate": "collapse" if collapsed else "not decided", "at_tau": rows}}


def fate(mu, alpha, rho):
    """+1 growth, -1 collapse, of equal layers alpha."""
    flow = Reduction(mu, [alpha] * len(mu), [alpha] * len(mu), rho)
    low, high = flow.rho * min(flow.mu), flow.rho * max(flow.mu)
    knots = flow.integrate(lambda tau, b, n: n < low or n > high)
    return 1 if flow.n(*knots[-1]) > high else -1


def critical_alpha(rng, index):
    mp.mp.dps = 30
    mu = sorted(decimal(rng, 0.2, 4) for _ in range(rng.choice([2, 3, 5])))
    values = [mp.mpf(m) for m in mu]
    norm = mp.sqrt(2 * mp.fsum(m * m for m in values))
    low, high = min(values) / norm, max(values) / norm
    while high - low > mp.mpf(10) ** -11 * low:
        middle = (low + high) / 2
        low, high = (low, middle) if fate(mu, middle, 1) > 0 else (middle, high)
    return {"id": f"XC{index}", "input": {"mu": mu, "rho": "1"}, "output": {"alpha_c": text((low + high) / 2)}}


def dominance(rng, index):
    mp.mp.dps = 30
    mu = sorted(decimal(rng, 0.5, 4) for _ in range(rng.choice([2, 3])))
    values = [mp.mpf(m) for m in mu]
    norm = mp.sqrt(2 * mp.fsum(m * m for m in values))
    top = (values[-1] + values[-2]) / norm
    rho = decimal(rng, 0.3, 2, 2)
    while True:
        alpha = decimal(rng, 0.55, 1.0, 3)
        scaled = mp.mpf(alpha) * top
        if fate(mu, scaled, 1) > 0:
            break
    start = mp.nstr(scaled * mp.mpf(rho), 15)
    flow = Reduction(mu, [start] * len(mu), [start] * len(mu), rho)
    bounds = [values[i] + values[i + 1] for i in range(len(mu) - 1)]
    knots = flow.integrate(lambda tau, b, n: b > 0 and tau / b > bounds[-1] * mp.mpf("1.01") and n > flow.rho * values[-1])
    ratio0 = flow.n(0, 0) / flow.rho
    leader = sum(1 for bound in bounds if ratio0 > bound)
    order, switches = [leader + 1], []
    for (left, _), (right, b_right) in zip(knots, knots[1:]):
        spotlight = right / b_right
        now = sum(1 for bound in bounds if spotlight > bound)
        while now != leader:
            following = leader + (1 if now > leader else -1)
            bound = bounds[min(leader, following)]
            a, c = left, right
            sign = 1 if following > leader else -1
            for _ in range(60):
                m = (a + c) / 2
                crossed = sign * (m / flow.to_tau(knots, m) - bound) > 0
                a, c = (a, m) if crossed else (m, c)
            tau = (a + c) / 2
            b = flow.to_tau(knots, tau)
            margin = mp.fdot(flow.beta(tau, b), flow.mu)
            switches.append({"from": leader + 1, "to": following + 1, "tau": text(tau),
                             "log_t": text(flow.log_time(knots, tau)), "log_loss": text(mp.log(mp.log1p(mp.exp(-margin))))})
            leader = following
            order.append(leader + 1)
    return {"id": f"XD{index}", "input": {"mu": mu, "alpha": start, "rho": rho, "N": 1, "L": 2},
            "output": {"order_of_dominance": order, "switches": switches,
                       "initial_window_centre_n0/(2rho)": text(ratio0 / 2)}}


# ---- closed forms of Theorem 3.2 ----------------------------------------------------------------------------


def linf_weight(depth, mu, alpha, rho, tau):
    """w(tau) of one coordinate, mu > 0, before and after it reaches 0; None after its blow-up."""
    gap = alpha - rho
    if depth == 2:
        return max(rho + gap * mp.exp(mu * tau), mp.mpf(0))
    if gap == 0:
        return alpha
    # |w - rho|^{2-L} falls where |w - rho| grows (above rho, and below it for even L), else it rises
    grows = gap > 0 or depth % 2 == 0
    rest = abs(gap) ** (2 - depth) - (depth - 2) * mu * tau * (1 if grows else -1)
    if gap > 0:
        return None if rest <= 0 else rho + rest ** (mp.mpf(-1) / (depth - 2))
    if depth % 2 == 0 and rest <= rho ** (2 - depth):
        return mp.mpf(0)
    return rho - rest ** (mp.mpf(-1) / (depth - 2))


def linf_flow(rng, index):
    mp.mp.dps = 30
    depth, d = rng.choice([2, 3, 4, 5]), rng.choice([1, 2, 3])
    rho = decimal(rng, 0.2, 0.8, 2)
    mu = [decimal(rng, 0.3, 2, 2) for _ in range(d)]
    alpha = [decimal(rng, 0.1, 1.5, 2) for _ in range(d)]
    radius, m, a = mp.mpf(rho), [mp.mpf(x) for x in mu], [mp.mpf(x) for x in alpha]
    blow = [1 / ((depth - 2) * mj * (aj - radius) ** (depth - 2)) for mj, aj in zip(m, a) if depth > 2 and aj > radius]
    end = min(blow) * mp.mpf("0.999") if blow else mp.mpf(3)
    weights = lambda tau: [linf_weight(depth, mj, aj, radius, tau) for mj, aj in zip(m, a)]
    zeros = {j: mp.log(radius / (radius - a[j])) / m[j] if depth == 2 else
             ((radius - a[j]) ** (2 - depth) - radius ** (2 - depth)) / ((depth - 2) * m[j])
             for j in range(d) if depth % 2 == 0 and a[j] < radius}
    knots = sorted({mp.mpf(0), *[z for z in zeros.values()]})
    rate = lambda s: 1 + mp.exp(mp.fsum(mj * (w - radius) ** depth for mj, w in zip(m, weights(s))))
    rows = []
    for k in (1, 2, 3):
        tau = mp.mpf(mp.nstr(end * k / 3, 10))
        w = weights(tau)
        # time: pieces over which the perturbed margin changes by at most 4
        edges = [mp.mpf(0)] + [z for z in knots if 0 < z < tau] + [tau]
        fine = []
        for left, right in zip(edges, edges[1:]):
            change = abs(mp.log(rate(right)) - mp.log(rate(left)))
            pieces = int(change / 4) + 8
            fine += [left + (right - left) * (1 - (1 - mp.mpf(i) / pieces) ** 2) for i in range(pieces)]
        fine.append(tau)
        total = mp.fsum(mp.quad(rate, [l, r], maxdegree=6) for l, r in zip(fine, fine[1:]))
        beta = [x ** depth for x in w]
        margin = mp.fdot(beta, m)
        rows.append({"tau": text(tau), "beta": [text(b) for b in beta], "log_t": text(mp.log(total)),
                     "log_loss": text(mp.log(mp.log1p(mp.exp(-margin))))})
    coordinates = [{"coordinate": j + 1, **({"tau_zero": text(zeros[j])} if j in zeros else {})} for j in range(d)]
    stars = []
    growing = [j for j in range(d) if a[j] > radius]
    if growing:
        speed = {j: m[j] * (a[j] - radius) ** (depth - 2) for j in growing}
        stars = [j + 1 for j in growing if speed[j] == max(speed.values())]
    limit = {"j_star": stars}
    if blow:
        limit["tau_max"] = text(min(blow))
    return {"id": f"XG{index}",
            "input": {"L": depth, "d": d, "mu": mu, "alpha (w_l=alpha for all l)": alpha, "rho": rho},
            "output": {"per_coordinate": coordinates, "limit": limit, "at_tau": rows}}


FAMILIES = {"discrete": discrete, "reduced_flow": reduced_flow, "critical_alpha": critical_alpha,
            "dominance": dominance, "linf_flow": linf_flow}


def main():
    family, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(f"{family} {seed}")
    json.dump({"cases": [FAMILIES[family](rng, i) for i in range(count)]}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
