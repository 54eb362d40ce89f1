#!/usr/bin/env python3
"""Writes reference.inc: points of the l2-SAM flow (L = 2, N = 1) with 40 digits.

dB/dtau = rho / n by Taylor series of order 30 in tau, mode by mode, with short fixed steps; switch times are roots of
log|beta_i| - log|beta_j|; t is a Gauss-Legendre quadrature of 1 + e^M on every step. Shares no code or step control with
the library; tests/theory/reduction.c compares with a Runge-Kutta integration of the network itself as well.
usage: reference.py > reference.inc
"""
from mpmath import mp, mpf, exp, log, sqrt, findroot
from mpmath.calculus.quadrature import GaussLegendre

mp.dps = 45
ORDER, STEP = 30, mpf(1) / 32
NODES = GaussLegendre(mp).calc_nodes(4, 160)


class Flow:
    def __init__(self, mu, w1, w2, rho):
        self.mu, self.rho = [mpf(x) for x in mu], mpf(rho)
        self.u = [mpf(a) + mpf(b) for a, b in zip(w1, w2)]
        self.v = [mpf(a) - mpf(b) for a, b in zip(w1, w2)]
        self.steps = []  # polynomials of B in tau, one a step

    def extend(self):
        k = len(self.steps)
        t0 = k * STEP
        b0 = self.value(self.steps[-1], STEP) if k else mpf(0)
        rates = self.mu + [-m for m in self.mu]
        u, v = self.uv(t0, b0)
        weights = [[r * r * x * x / 2] for r, x in zip(rates, u + v)]
        s, inverse, series = [sum(w[0] for w in weights)], None, [b0]
        inverse = [1 / sqrt(s[0])]
        for n in range(ORDER):
            series.append(self.rho * inverse[n] / (n + 1))
            for r, w in zip(rates, weights):
                rho_conv = sum(self.rho * inverse[l] * w[n - l] for l in range(n + 1))
                w.append(2 * r * (w[n] - r * rho_conv) / (n + 1))
            s.append(sum(w[n + 1] for w in weights))
            inverse.append(sum((-mpf(l) / 2 - (n + 1 - l)) * s[l] * inverse[n + 1 - l] for l in range(1, n + 2)) /
                           ((n + 1) * s[0]))
        self.steps.append(series)

    @staticmethod
    def value(series, x):
        total = mpf(0)
        for c in reversed(series):
            total = total * x + c
        return total

    def b(self, t):
        k = int(t / STEP)
        while len(self.steps) <= k:
            self.extend()
        return self.value(self.steps[k], t - k * STEP)

    def uv(self, t, b):
        return ([u * exp(m * t - m * m * b) for m, u in zip(self.mu, self.u)],
                [v * exp(-m * t - m * m * b) for m, v in zip(self.mu, self.v)])

    def n(self, t, b):
        u, v = self.uv(t, b)
        return sqrt(sum(m * m * (x * x + y * y) for m, x, y in zip(self.mu, u, v)) / 2)

    def beta(self, t):
        u, v = self.uv(t, self.b(t))
        return [(x * x - y * y) / 4 for x, y in zip(u, v)]

    def margin_perturbed(self, t):
        b = self.b(t)
        u, v = self.uv(t, b)
        k = self.rho / self.n(t, b)
        return sum(m * ((x * (1 - k * m)) ** 2 - (y * (1 + k * m)) ** 2) / 4 for m, x, y in zip(self.mu, u, v))

    def log_time(self, t):
        # backwards from the end, in panels over which M changes by 10 or so, until nothing more is added
        end, total, stop = self.margin_perturbed(t), mpf(0), mpf(t)
        while stop > 0:
            width = STEP
            while stop > width and abs(self.margin_perturbed(stop) - self.margin_perturbed(stop - width)) > 10:
                width /= 2
            start, part = max(stop - width, mpf(0)), mpf(0)
            for x, w in NODES:
                m = self.margin_perturbed((start + stop) / 2 + x * (stop - start) / 2)
                part += w * (stop - start) / 2 * (exp(m - end) + exp(-end))
            total += part
            stop = start
            if end > 200 and part < total * mpf(10) ** -45:
                break
        return end + log(total)

    def switch(self, i, j, guess):
        return findroot(lambda t: log(abs(self.beta(t)[i])) - log(abs(self.beta(t)[j])), (guess, guess * mpf('1.01')),
                        tol=mpf(10) ** -60, verify=False)


def number(x):
    return mp.nstr(x, 25)


def row(name, mu, w1, w2, rho, tau):
    flow = Flow(mu, w1, w2, rho)
    tau = mpf(tau)
    values = [flow.b(tau), log(flow.n(tau, flow.b(tau))), flow.margin_perturbed(tau), flow.log_time(tau)] + flow.beta(tau)
    print('    {"%s", %d, {%s}, {%s}, {%s}, %s, %s, %s, %s, %s, %s, {%s}},' % (
        name, len(mu), ', '.join(mu), ', '.join(w1), ', '.join(w2), rho, number(tau), number(values[0]), number(values[1]),
        number(values[2]), number(values[3]), ', '.join(number(x) for x in values[4:])), flush=True)


def change(name, mu, w1, w2, rho, i, j, guess):
    flow = Flow(mu, w1, w2, rho)
    tau = flow.switch(i, j, mpf(guess))
    print('    {"%s", %d, {%s}, {%s}, {%s}, %s, %d, %d, %s, %s},' % (
        name, len(mu), ', '.join(mu), ', '.join(w1), ', '.join(w2), rho, i, j, number(tau), number(flow.log_time(tau))),
        flush=True)


print('/* Made by reference.py: do not edit. */')
print('static const point_case points[] = {')
row('growth', ['1', '2'], ['0.75', '0.75'], ['0.75', '0.75'], '1', '2')
row('unequal, signs, a weight of 0', ['0.5', '-1.5', '1'], ['0.25', '-1.25', '0'], ['1', '0.5', '-2'], '0.25', '1.5')
row('towards collapse', ['1', '2'], ['0.5', '0.5'], ['0.5', '0.5'], '1', '2.5')
row('small start and radius', ['3', '1'], ['0.0009765625', '0.00048828125'], ['0.0009765625', '0.001953125'], '0.00048828125', '1')
print('};')
print('static const change_case changes[] = {')
change('alpha = 0.75', ['1', '2'], ['0.75'] * 2, ['0.75'] * 2, '1', 0, 1, '0.8')
change('alpha = 0.625', ['1', '2'], ['0.625'] * 2, ['0.625'] * 2, '1', 0, 1, '2.6')
change('alpha = 0.5234375, near the critical scale', ['1', '2'], ['0.5234375'] * 2, ['0.5234375'] * 2, '1', 0, 1, '15')
change('three features', ['1', '2', '3'], ['0.5'] * 3, ['0.5'] * 3, '1', 1, 2, '3')
change('different starts', ['1', '1.5'], ['0.75', '0.25'], ['0.75', '0.25'], '0.5', 0, 1, '4')
change('unequal layers', ['1', '1.75'], ['1.5', '0.25'], ['0.5', '0.5'], '0.5', 0, 1, '2')
print('};')
