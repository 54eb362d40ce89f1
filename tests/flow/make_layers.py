"""Writes layers.h: Filippov flows of linf-SAM with layers of unequal size, computed without samflow, for tests/flow/layers.c.

The weights are integrated by DOP853 at rtol 3e-14 between events (a weight reaches 0) with the perturbation of the
definition, eps = rho sign(gradient). At an event the velocity of the weight on both sides decides: the same sign, it crosses;
both towards 0, it is held there, and the velocity (and dt/dtau) is the mean of those of the sides that keeps it there. One
weight of a case is held at a time; cases are chosen so that no gradient changes its sign.

Usage: python3 make_layers.py > layers.h   (needs numpy, scipy; writes about 1e-12)
"""
import numpy as np
from scipy.integrate import solve_ivp


def field(z, beta):
    log_s = -np.logaddexp(0, z @ beta)
    s = np.exp(log_s - log_s.max())
    return (s / s.sum()) @ z, log_s.max() + np.log(s.sum() / len(z))


def others(w):
    return np.array([np.delete(w, k, 0).prod(0) for k in range(len(w))])


class Flow:
    def __init__(self, z, w, rho):
        self.z, self.w, self.rho = np.array(z, float), np.array(w, float), rho
        self.shape = self.w.shape
        self.signs, self.held = np.sign(self.w), None
        self.s = np.sign(field(self.z, self.w.prod(0))[0])
        self.tau, self.t, self.held_events = 0.0, 0.0, []

    def velocity(self, w, signs):
        hat = w - self.rho * self.s * others(signs)
        g, log_scale = field(self.z, hat.prod(0))
        return g * others(hat), np.exp(-log_scale)

    def sides(self, w, place):
        both = []
        for side in (1.0, -1.0):
            signs = self.signs.copy()
            signs[place] = side
            both.append(self.velocity(w, signs))
        return both

    def share(self, w):
        """of the positive side of the weight that is held"""
        (plus, _), (minus, _) = self.sides(w, self.held)
        return minus[self.held] / (minus[self.held] - plus[self.held])

    def rate(self, _, y):
        w = y[:-1].reshape(self.shape)
        assert (np.sign(field(self.z, w.prod(0))[0]) == self.s).all()
        if self.held is None:
            dw, dt = self.velocity(w, self.signs)
        else:
            share = self.share(w)
            (plus, dt_plus), (minus, dt_minus) = self.sides(w, self.held)
            dw, dt = share * plus + (1 - share) * minus, share * dt_plus + (1 - share) * dt_minus
            dw[self.held] = 0.0
        return np.append(dw.ravel(), dt)

    def advance(self, tau):
        places = [p for p in np.ndindex(self.shape) if p != self.held]
        events = [lambda _, y, p=p: y[:-1].reshape(self.shape)[p] for p in places]
        if self.held is not None:
            events += [lambda _, y: self.share(y[:-1].reshape(self.shape)),
                       lambda _, y: 1 - self.share(y[:-1].reshape(self.shape))]
        for e, p in zip(events, places):
            e.terminal, e.direction = True, -self.signs[p]
        for e in events[len(places):]:
            e.terminal, e.direction = True, -1
        done = solve_ivp(self.rate, (self.tau, tau), np.append(self.w.ravel(), self.t), method="DOP853", rtol=3e-14,
                         atol=1e-17, events=events)
        self.tau, self.w, self.t = done.t[-1], done.y[:-1, -1].reshape(self.shape), done.y[-1, -1]
        if done.status != 1:
            return
        which = [i for i, found in enumerate(done.t_events) if len(found)][0]
        if which >= len(places):
            self.signs[self.held], self.held = (-1.0 if which == len(places) else 1.0), None
        else:
            self.meet(places[which])
        self.advance(tau)

    def meet(self, place):
        self.w[place] = 0.0
        (plus, _), (minus, _) = self.sides(self.w, place)
        if plus[place] * minus[place] > 0:
            self.signs[place] = np.sign(plus[place])
        else:
            assert plus[place] < 0 < minus[place] and self.held is None
            self.held = place
            self.held_events.append((self.tau, place[1]))


CASES = [
    # one example: growth; crossing; an odd number of the others below rho: sliding
    ([[1.0, -0.7]], [[0.9, 0.3], [0.7, 0.8], [0.8, 1.1]], 0.2, 1.2),
    ([[1.0, 0.6]], [[0.3, 0.4], [0.42, -0.3], [0.1, 0.2]], 0.5, 4.6),
    ([[1.1]], [[0.05], [0.45], [0.9]], 0.5, 1.2),
    ([[2.8, -3.2]], [[0.05, 0.6], [0.3, 0.35], [0.2, -0.1], [0.9, 0.7]], 0.8, 0.7),
    ([[3.0]], [[0.03], [0.4], [0.5], [0.9], [1.2]], 0.7, 1.5),
    # several examples
    ([[1.0, 0.4, -0.3], [0.2, 1.1, 0.5], [0.7, -0.2, 1.2]], [[0.5, 0.7, 0.3], [0.4, -0.6, 0.9], [0.8, 0.9, 0.5]], 0.2, 4.6),
    ([[1.0, 0.9], [0.7, 1.2]], [[0.8, 0.15], [0.7, 0.4]], 0.5, 0.8),
    ([[1.0, 0.9], [0.7, 1.2]], [[0.9, 0.05], [0.8, 0.45], [0.7, 0.9]], 0.5, 1.5),
]


def numbers(values):
    return ", ".join("%.16g" % v for v in np.ravel(values))


def main():
    print("/* Made by make_layers.py; do not edit. */")
    print("static const layers_case LAYERS[] = {")
    for z, w, rho, tau in CASES:
        flow = Flow(z, w, rho)
        flow.advance(tau)
        held = flow.held_events + [(0.0, 0)] * (2 - len(flow.held_events))
        print("    {%d, %d, %d, {%s},\n     {%s},\n     %r, %r,\n     {%s},\n     %.16g, %d, {%s}, {%s}}," % (
            len(w), len(z), len(z[0]), numbers(z), numbers(w), rho, tau, numbers(flow.w), np.log(flow.t),
            len(flow.held_events), numbers([h[0] for h in held]), ", ".join("%d" % h[1] for h in held)))
    print("};")


main()
