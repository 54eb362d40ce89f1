"""What the definitions say of one example, by means that share nothing with src/: the reduction of two layers integrated by
SciPy in its own clock, predictors in 80 bits, gates and blow-ups by quadrature of the decoupled coordinates.

Two layers, GD and l2-SAM (theory, section 3), nu = |mu|, w_2 mirrored where mu < 0, p = w_1 + w_2, q = w_1 - w_2:
    p_j(tau) = p_j e^{nu tau - nu^2 B},  q_j(tau) = q_j e^{-nu tau - nu^2 B},  dB/dtau = rho / n,
    n^2 = (1/2) sum nu^2 (p^2 + q^2),  |beta| = |p^2 - q^2| / 4.
The clock s: dtau/ds = n / (n + rho c) / c, dB/ds = rho / (n + rho c) / c, c = max nu: finite at collapse and growth.
"""
import numpy as np
from scipy.integrate import solve_ivp, quad
from scipy.optimize import brentq

REAL = np.longdouble


class Reduction:
    """The flow of two layers over one example, to the end of all that can happen to its order."""

    def __init__(self, mu, w1, w2, rho):
        mu, w1, w2 = (np.array(x, dtype=REAL) for x in (mu, w1, w2))
        self.rho, self.nu = REAL(rho), np.abs(mu)
        self.sign = np.where(mu < 0, -1.0, 1.0)
        other = w2 * self.sign
        self.p, self.q, self.w1, self.w2 = w1 + other, w1 - other, w1, other
        self.c = float(self.nu.max())
        self.grow = (self.nu > 0) & (self.p != 0)
        self.solve()

    def log_n(self, tau, b):
        nu, best = self.nu, []
        with np.errstate(divide="ignore"):
            up = np.log(nu) + np.log(np.abs(self.p)) + nu * tau - nu * nu * b
            down = np.log(nu) + np.log(np.abs(self.q)) - nu * tau - nu * nu * b
        best = np.concatenate([up, down])
        high = best.max()
        return float(high + np.log(np.sum(np.exp(2 * (best - high))) / 2) / 2) if high > -np.inf else -np.inf

    def rates(self, s, y):
        if self.rho == 0:
            return [1 / self.c, 0.0]
        x = self.log_n(y[0], y[1]) - float(np.log(self.rho * self.c))  # log n / (rho c)
        share = 1 / (1 + np.exp(-x))
        return [share / self.c, (1 - share) / self.c / self.c]

    def solve(self):
        """Goes on in pieces until growth or collapse is certain, and some more for late changes."""
        self.pieces, y, s = [], np.zeros(2), 0.0
        self.collapses = False
        moving = (self.nu > 0) & ((self.p != 0) | (self.q != 0))
        self.still = not moving.any()
        if self.still:
            return
        log_rho = float(np.log(self.rho)) if self.rho > 0 else -np.inf
        for k in range(400):
            step = 2.0 if k < 40 else 20.0
            piece = solve_ivp(self.rates, (s, s + step), y, method="DOP853", rtol=3e-14, atol=1e-16, dense_output=True)
            self.pieces.append(piece)
            s, y = s + step, piece.y[:, -1]
            log_n = self.log_n(*y)
            weakest = self.nu[self.grow].min() if self.grow.any() else np.inf
            self.collapses = self.rho > 0 and log_n < log_rho + float(np.log(weakest))  # all that grows shrinks
            if self.collapses and log_n < log_rho + np.log(self.c) - 60:
                break
            if log_n > max(log_rho, float(np.log(np.abs(self.p).max() + 1e-300))) + np.log(self.c) + 45 and self.grow.any():
                break
            if s > 120:
                break
        self.end = y

    def beta_logs(self, tau, b):
        """log |beta_j| in 80 bits."""
        nu, tau, b = self.nu, REAL(tau), REAL(b)
        e = np.expm1(-2 * nu * tau)
        first = np.where(2 * nu * tau < 1, 2 * self.w1 + self.q * e, self.p + self.q * np.exp(-2 * nu * tau))
        second = np.where(2 * nu * tau < 1, 2 * self.w2 - self.q * e, self.p - self.q * np.exp(-2 * nu * tau))
        with np.errstate(divide="ignore"):
            return 2 * nu * (tau - nu * b) + np.log(np.abs(first / 2)) + np.log(np.abs(second / 2))

    def path(self):
        """Places (piece, s) in order, dense at the start."""
        first = self.pieces[0]
        early = [10.0 ** e for e in np.arange(-16.0, 0.3, 0.1)]
        for root in self.passages():
            gap = lambda s: first.sol(s)[0] - root
            if gap(0.0) < 0 < gap(10.0 ** 0.28):
                s = brentq(gap, 0.0, 10.0 ** 0.28, xtol=1e-300, rtol=1e-15)
                early += [s] + [s * (1 + sign * 10.0 ** -k) for sign in (-1, 1) for k in range(3, 14)]
        for s in sorted(early):
            yield first, s
        for piece in self.pieces:
            places = list(np.linspace(piece.t[0], piece.t[-1], 60)[1:])
            for root in self.passages():  # where beta_j passes 0 another one leads for a moment
                gap = lambda s: piece.sol(s)[0] - root
                if gap(piece.t[0]) < 0 < gap(piece.t[-1]):
                    s = brentq(gap, piece.t[0], piece.t[-1], xtol=1e-300, rtol=1e-15)
                    places += [s] + [s * (1 + sign * 10.0 ** -k) for sign in (-1, 1) for k in range(3, 14)]
            for s in sorted(x for x in places if piece.t[0] <= x <= piece.t[-1]):
                if s > 10.0 ** 0.28:
                    yield piece, s

    def passages(self):
        """The tau at which some p^2 = q^2 e^{-4 nu tau}."""
        with np.errstate(divide="ignore", invalid="ignore"):
            tau = np.log(np.abs(self.q / self.p)) / (2 * self.nu)
        return [float(t) for t in tau if np.isfinite(t) and t > 0]

    def leaders(self, level=2.0**-49):
        """[(index, tau)]: who leads from when on."""
        if self.still:
            return []
        alive = np.where((self.nu > 0) & ((self.p != 0) | (self.q != 0)) | (self.w1 * self.w2 != 0))[0]
        if len(alive) == 0:
            return []

        def logs(piece, s):
            return self.beta_logs(*piece.sol(s))

        found, leader, before = [], None, None
        for piece, s in self.path():
            value = logs(piece, s)
            top = int(alive[np.argmax(value[alive])])
            if leader is None:
                ahead = all(value[top] - value[j] > level for j in alive if j != top and not self.twins(top, j))
                if ahead or s > 0.01:
                    leader = min(j for j in alive if j == top or self.twins(top, j))
                    found.append((int(leader), 0.0))
            elif top != leader and not self.twins(top, leader) and value[top] - value[leader] > 1e-15:
                low = before[1] if before[0] is piece else piece.t[0]
                at = self.change(logs, piece, leader, low, s, alive, found)
                leader = found[-1][0]
                assert at is not None
            before = (piece, s)
        if self.collapses or self.rho == 0 or not self.grow.any():
            return found
        return self.late(found, leader, alive)

    def twins(self, i, j):
        return self.nu[i] == self.nu[j] and self.p[i] ** 2 == self.p[j] ** 2 and self.q[i] ** 2 == self.q[j] ** 2

    def change(self, logs, piece, leader, low, high, alive, found):
        """All changes between two neighbouring samples, by the first crossing of the leader with anyone ahead of it."""
        at = None
        while True:
            value = logs(piece, high)
            ahead = [j for j in alive if value[j] - value[leader] > 1e-15 and not self.twins(j, leader)]
            if not ahead:
                return at
            best = None
            for j in ahead:
                f = lambda s, j=j: float(logs(piece, s)[j] - logs(piece, s)[leader])
                s = low if f(low) >= 0 else brentq(f, low, high, xtol=1e-300, rtol=1e-15)
                if best is None or s < best[0]:
                    best = (s, j)
            at, leader = best[0], best[1]
            leader = min(j for j in alive if self.twins(j, leader))
            found.append((int(leader), float(piece.sol(at)[0])))
            low = at

    def late(self, found, leader, alive):
        """B rests: straight lines in tau."""
        tau, b = REAL(self.end[0]), REAL(self.end[1])
        while True:
            value, best = self.beta_logs(tau, b), None
            for j in alive:
                if self.nu[j] * self.grow[j] > self.nu[leader] * self.grow[leader]:
                    t = tau + (value[leader] - value[j]) / 2 / (self.nu[j] - self.nu[leader])
                    if best is None or t < best[0]:
                        best = (t, j)
            if best is None:
                return found
            tau, leader = best[0], min(j for j in alive if self.twins(j, best[1]))
            found.append((int(leader), float(tau)))

    def regime(self):
        if self.still:
            return None
        if self.collapses:
            return "collapse"
        if not self.grow.any():
            return None
        top = self.nu[self.grow].max()
        return "minor_first" if any(self.nu[j] < top for j, _ in self.leaders()) else "major_first"

    def limit(self):
        """kind, index, direction."""
        d = len(self.nu)
        rests = (self.w1 * self.w2 * self.sign).astype(float)
        if self.still or self.collapses or not self.grow.any():
            point = np.where(self.nu == 0, rests, 0.0) if not self.still else rests
            return ("point", -1, point) if np.any(point != 0) else ("zero", -1, None)
        top = self.nu[self.grow].max()
        wins = self.grow & (self.nu == top)
        share = np.where(wins, (self.p / np.abs(self.p).max()) ** 2 * self.sign, 0)
        share = (share / np.abs(share).sum()).astype(float)
        if wins.sum() == 1:
            return "basis", int(np.argmax(wins)), share
        return "direction", -1, share


def blow_up_time(mu, layers):
    """GD of one coordinate, any L >= 3: tau at which it is infinite, inf if never. With a the layer of least size, the
    differences of squares are conserved: dw_a / dtau = mu prod_k sign_k sqrt(w_a^2 + c_k), c_k = w_k^2 - w_a^2 at 0."""
    w = np.sort(np.abs(np.array(layers, dtype=float)))
    if mu == 0 or (len(w) > 1 and w[1] == 0):
        return np.inf
    a, c = w[0], (w[1:] - w[0]) * (w[1:] + w[0])
    towards = np.sign(np.prod(np.sign(layers))) * np.sign(mu) if a > 0 else 1.0

    def slowness(x):
        return 1.0 / np.prod(np.sqrt(x * x + c))

    unit = max(w[1], 1e-300)
    def integral(low, high):  # in logs where that is better
        f = lambda t: slowness(np.exp(t)) * np.exp(t)
        return quad(f, np.log(low), np.log(high), epsabs=0, epsrel=1e-12, limit=400)[0]
    total, far = 0.0, 1e3 * w[-1]
    if towards < 0 and c[0] == 0:
        return np.inf
    points = sorted({far, *[x for x in w if x > 0]})
    if towards < 0:  # down to 0 and up again
        total += 2 * (quad(slowness, 0, a, epsabs=0, epsrel=1e-12, limit=400)[0])
    if a == 0:
        total += quad(slowness, 0, min(x for x in w if x > 0), epsabs=0, epsrel=1e-12, limit=400)[0]
        points = [x for x in points]
    knots = [x for x in points if x >= a and x > 0]
    for low, high in zip(knots[:-1], knots[1:]):
        if high > low:
            total += integral(low, high)
    k = len(w) - 2
    total += far ** -k / k if k > 0 else 0.0
    return total / abs(mu)
