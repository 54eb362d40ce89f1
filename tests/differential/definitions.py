"""The definitions, once more and by other means: flows in original time by SciPy, updates and closed forms by mpmath.

Nothing here comes from src/. Notation: z (N, d) signed examples, w (L, d) layers, beta = prod_l w_l, m = z beta,
log s_n = log(-loss'(m_n)), G = (1/N) sum s_n z_n, dF/dw_l = -G prod_{k != l} w_k, theta^ = theta + eps(theta).

Flow: dtheta/dt = -grad F(theta^), in the clock q = asinh(t / T), T = |theta| / |dtheta/dt| at the start; late, q is log t.
Nothing of it is a rescaled time, so the clock of the program is checked too: dtau = S(theta^) dt.
"""
import math
import time

import mpmath
import numpy as np
from scipy.integrate import solve_ivp

REST = 1e-7  # a flow that comes to 0 is followed to this share of its start


def log_slope(m, loss):
    return -np.logaddexp(0.0, m) if loss == "logistic" else -m


def log_loss(beta, z, loss):
    """log of the mean loss, also where the losses are far below the smallest double."""
    m = z @ beta
    if loss == "logistic":
        with np.errstate(over="ignore", divide="ignore"):
            each = np.where(m > 30, -m + np.log1p(-np.exp(-np.abs(m)) / 2), np.log(np.logaddexp(0.0, -m)))
    else:
        each = -m
    return float(np.logaddexp.reduce(each) - math.log(len(m)))


def others(w):
    """prod_{k != l} w_k, (L, d)."""
    before, after = np.ones_like(w), np.ones_like(w)
    for l in range(1, len(w)):
        before[l] = before[l - 1] * w[l - 1]
        after[-1 - l] = after[-l] * w[-l]
    return before * after


def pull(w, z, loss, rest):
    """(direction, log of its factor): -grad F = e^factor * direction, with rest = others(w)."""
    log_s = log_slope(z @ np.prod(w, axis=0), loss)
    top = log_s.max()
    return (np.exp(log_s - top) @ z / len(z)) * rest, top, log_s


def perturbation(w, z, loss, method, rho, p=None, width=0.0):
    """eps; width > 0: the sign of linf-SAM replaced by tanh(g / (width max |g|))."""
    if method == "gd" or rho == 0:
        return np.zeros_like(w)
    g, top, _ = pull(w, z, loss, others(w))
    g = -g
    if method == "usam":
        return rho * g * math.exp(top)
    high = np.abs(g).max()
    if not high > 0:
        return np.zeros_like(w)
    g = g / high
    if method == "l2-sam":
        return rho * g / np.linalg.norm(g)
    if method == "linf-sam":
        return rho * (np.tanh(g / width) if width else np.sign(g))
    q = p / (p - 1)
    size = np.abs(g)
    return rho * np.sign(g) * size ** (q - 1) / np.sum(size**q) ** ((q - 1) / q)


class OutOfBudget(Exception):
    pass


class Flow:
    """The flow of one experiment to a time, sampled where asked."""

    def __init__(self, z, w, method, rho, p=None, loss="logistic", width=0.0):
        self.z, self.w0 = np.atleast_2d(np.array(z, float)), np.array(w, float)
        self.method, self.rho, self.p, self.loss, self.width = method, rho, p, loss, width
        v, high, _ = self.velocity(self.w0)
        size = np.abs(self.w0).max() or 1.0
        speed = np.abs(v).max()
        self.log_unit = math.log(size / speed) - high if speed > 0 else None  # None: at rest
        self.size = size

    def velocity(self, w):
        """(direction, log factor, log S): dtheta/dt = e^factor direction."""
        at = w + perturbation(w, self.z, self.loss, self.method, self.rho, self.p, self.width)
        v, high, log_s = pull(at, self.z, self.loss, others(at))
        return v, high, float(np.logaddexp.reduce(log_s) - math.log(len(log_s)))

    def rates(self, q, y):
        v, high, log_s = self.velocity(y[:-1].reshape(self.w0.shape))
        log_dt = self.log_unit + abs(q) + math.log1p(math.exp(-2 * abs(q))) - math.log(2)  # dt/dq = T cosh q
        with np.errstate(over="ignore"):
            return np.append((v * np.exp(min(high + log_dt, 700.0))).ravel(), math.exp(min(log_s + log_dt, 700.0)))

    def q_of(self, log_t):
        x = log_t - self.log_unit
        return x + math.log(2) + 0.25 * math.exp(-2 * x) if x > 15 else math.asinh(math.exp(x))

    def gradient_signs(self, y):
        g, _, _ = pull(y[:-1].reshape(self.w0.shape), self.z, self.loss, others(y[:-1].reshape(self.w0.shape)))
        return g

    def run(self, log_times, rtol=1e-11, until_sign=False, budget=60000, seconds=20.0):
        """[(layers, tau)] at ascending log t, as far as the flow goes: it ends on coming to 0, at a gradient coordinate that
        passes 0 (until_sign), or out of budget. self.end says why, self.log_end when."""
        self.end, evaluations, until = "reached", [0], time.time() + seconds

        def rates(q, y):
            evaluations[0] += 1
            if evaluations[0] > budget or time.time() > until:
                raise OutOfBudget
            return self.rates(q, y)

        events = [lambda q, y: np.abs(y[:-1]).max() / self.size - REST if self.w0.any() else 1.0]
        start = np.append(self.w0.ravel(), 0.0)
        if until_sign:
            signs = np.sign(self.gradient_signs(start))
            loose = signs.ravel() != 0
            events.append(lambda q, y: np.min((self.gradient_signs(y) * signs).ravel()[loose], initial=1.0)
                          / (np.abs(self.gradient_signs(y)).max() or 1.0))
        for e in events:
            e.terminal = True
        times = [self.q_of(x) for x in log_times]
        floor = np.append(np.full(self.w0.size, rtol * 1e-3 * self.size), 0.0) + 1e-300
        try:
            out = solve_ivp(rates, (0.0, times[-1] * (1 + 1e-15)), start, method="LSODA", t_eval=times, rtol=rtol, atol=floor,
                            events=events, first_step=min(1e-3, times[-1] / 2))
        except OutOfBudget:
            self.end = "budget"
            return []
        if out.status < 0 or not all(np.isfinite(row).all() for row in out.y):
            self.end = "gave up"
            return []
        if out.status == 1:
            self.end = "rest" if len(out.t_events[0]) else "sign"
            q = float((out.t_events[0] if len(out.t_events[0]) else out.t_events[1])[0])
            self.log_end = self.log_unit + (math.log(math.sinh(q)) if q < 15 else q - math.log(2))
        return [(y[:-1].reshape(self.w0.shape), float(y[-1])) for y in np.array(out.y).T] if len(out.t) else []


# ---- discrete updates, 50 digits --------------------------------------------------------------------------------

def update(z, w, method, rho, p, loss, eta, steps, digits=50):
    """Layers after the given numbers of steps (ascending), and after each the smallest share of a gradient coordinate so far: a
    sign of linf-SAM that rounding could turn."""
    with mpmath.workdps(digits):
        m = mpmath.mpf
        z = [[m(x) for x in row] for row in z]
        w = [[m(x) for x in row] for row in w]
        n, depth, d = len(z), len(w), len(z[0])
        slope = (lambda u: 1 / (1 + mpmath.exp(u))) if loss == "logistic" else (lambda u: mpmath.exp(-u))

        def gradient(w):
            beta = [mpmath.fprod(w[l][j] for l in range(depth)) for j in range(d)]
            s = [slope(mpmath.fdot(row, beta)) for row in z]
            pull = [mpmath.fdot(s, [row[j] for row in z]) / n for j in range(d)]
            return [[-pull[j] * mpmath.fprod(w[k][j] for k in range(depth) if k != l) for j in range(d)] for l in range(depth)]

        def eps(g):
            flat = [abs(x) for row in g for x in row]
            high = max(flat)
            if high == 0 or method == "gd" or rho == 0:
                return [[m(0)] * d for _ in range(depth)]
            r = m(rho)
            if method == "usam":
                return [[r * x for x in row] for row in g]
            if method == "l2-sam":
                norm = mpmath.sqrt(mpmath.fsum(x * x for x in flat))
                return [[r * x / norm for x in row] for row in g]
            if method == "linf-sam":
                return [[r * mpmath.sign(x) for x in row] for row in g]
            q = m(p) / (m(p) - 1)
            norm = mpmath.fsum(x**q for x in flat if x) ** ((q - 1) / q)
            return [[r * mpmath.sign(x) * abs(x) ** (q - 1) / norm for x in row] for row in g]

        out, narrow = [], m(1)
        for step in range(steps[-1] + 1):
            if step in steps:
                out.append(([[x for x in row] for row in w], float(narrow)))
            if step == steps[-1]:
                break
            g = gradient(w)
            high = max(abs(x) for row in g for x in row)
            if high > 0:
                narrow = min([narrow] + [abs(x) / high for row in g for x in row if x != 0])
            e = eps(g)
            at = [[a + b for a, b in zip(x, y)] for x, y in zip(w, e)]
            g = gradient(at)
            w = [[a - m(eta) * b for a, b in zip(x, y)] for x, y in zip(w, g)]
        return out


# ---- one example, equal layers, gates: any depth, any start ------------------------------------------------------

def gate(mu, alpha, rho, depth, tau):
    """w_j(tau) of dw/dtau = mu (w - rho)^(L-1), mu > 0, w > 0 (mpmath; inf beyond the blow-up; None where it rests at 0)."""
    m = mpmath.mpf
    x, mu, tau = m(alpha) - m(rho), m(mu), m(tau)
    if depth == 1:
        return m(alpha) + mu * tau
    if depth == 2:
        w = m(rho) + x * mpmath.exp(mu * tau)
    elif x == 0:
        w = m(rho)
    else:
        k = depth - 2
        if x > 0:
            inverse = mpmath.power(x, -k) - k * mu * tau
            if inverse <= 0:
                return mpmath.inf
            w = m(rho) + mpmath.power(inverse, -m(1) / k)
        else:
            # even L: (w - rho)^(L-1) < 0: away from the gate, down; odd L: up, towards it
            inverse = mpmath.power(-x, -k) + (-k if depth % 2 == 0 else k) * mu * tau
            if inverse <= 0:
                return None
            w = m(rho) - mpmath.power(inverse, -m(1) / k)
    return w if w > 0 else None
