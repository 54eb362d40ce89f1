"""Writes reference.h: flows computed without samflow, for tests/flow.

reduction: l2-SAM, L = 2, one example, by the exact reduction (theory, section 3) in 30 digits: B from
dB/dtau = rho/n by Taylor steps of mpmath.odefun. log t by Gauss-Legendre
quadrature of 1 + exp(margin at the perturbed point).
general: any depth and method, several examples, in the weights themselves by DOP853 at rtol 3e-14 (double
precision, good to about 1e-11).

Usage: python3 make_reference.py > reference.h   (needs mpmath, numpy, scipy)
"""
import mpmath as mp
import numpy as np
from scipy.integrate import solve_ivp

mp.mp.dps = 30


def number(x):
    return mp.nstr(mp.mpf(x), 20, min_fixed=1, max_fixed=0)


# ---- the reduction -------------------------------------------------------------------------------------------

def reduction(mu, w1, w2, rho, taus):
    mu, w1, w2 = ([mp.mpf(x) for x in v] for v in (mu, w1, w2))
    rho = mp.mpf(rho)
    u0 = [a + b for a, b in zip(w1, w2)]
    v0 = [a - b for a, b in zip(w1, w2)]

    def amplitudes(tau, b):
        return [(u * mp.e**(m * tau - m * m * b), v * mp.e**(-m * tau - m * m * b)) for m, u, v in zip(mu, u0, v0)]

    def norm(tau, b):
        return mp.sqrt(sum(m * m * (u * u + v * v) for m, (u, v) in zip(mu, amplitudes(tau, b))) / 2)

    def margin_hat(tau, b):
        n = norm(tau, b)
        return sum(m * ((u * (1 - rho * m / n))**2 - (v * (1 + rho * m / n))**2) / 4
                   for m, (u, v) in zip(mu, amplitudes(tau, b)))

    solution = mp.odefun(lambda tau, y: [rho / norm(tau, y[0])], 0, [mp.mpf(0)])
    rows, log_t, last = [], None, mp.mpf(0)
    total = mp.mpf(0)
    for tau in taus:
        tau = mp.mpf(tau)
        pieces = mp.linspace(last, tau, 9)
        total += mp.quad(lambda x: 1 + mp.e**margin_hat(x, solution(x)[0]), pieces)
        b = solution(tau)[0]
        beta = [(u * u - v * v) / 4 for u, v in amplitudes(tau, b)]
        margin = sum(m * x for m, x in zip(mu, beta))
        rows.append((tau, beta, mp.log(total), mp.log(mp.log1p(mp.e**-margin))))
        last = tau
    return rows


def collapse_time(mu, alpha, rho):
    """tau at which equal layers alpha reach 0: tau(B) = integral of n / rho."""
    mu = [mp.mpf(m) for m in mu]
    alpha, rho = mp.mpf(alpha), mp.mpf(rho)
    solution = mp.odefun(lambda b, y: [mp.sqrt(2 * sum((m * alpha * mp.e**(m * y[0] - m * m * b))**2 for m in mu)) / rho],
                         0, [mp.mpf(0)])
    end = 30 / min(mu)**2
    return solution(end)[0]


REDUCTIONS = [
    ("balanced growth", [1, 2], [0.5, 0.5], [0.5, 0.5], 0.1, [0.5, 1, 2]),
    ("minor first", [1, 2, 3], [0.6, 0.6, 0.6], [0.6, 0.6, 0.6], 1, [0.5, 1.5, 2.5]),
    ("near critical", [1, 2], [0.53, 0.53], [0.53, 0.53], 1, [1, 3, 4]),
    ("collapse", [1, 2], [0.4, 0.4], [0.4, 0.4], 1, [0.3, 0.5, 0.6]),
    ("unbalanced, negative", [0.9, -0.5, 1.2], [0.3, 1.4, -0.8], [-1.6, 0.2, 0.1], 0.7, [0.5, 1.5, 2.5]),
    ("from beta = 0", [1, -2], [0.7, 0.9], [0, 0], 0.2, [0.1, 1, 1.5]),
]

# ---- the weights themselves ----------------------------------------------------------------------------------


def log_slope(m, loss):
    return -m if loss else -np.logaddexp(0, m)


def field(z, beta, loss):
    log_s = log_slope(z @ beta, loss)
    s = np.exp(log_s - log_s.max())
    return (s / s.sum()) @ z, log_s.max() + np.log(s.sum() / len(z))


def others(w):
    return np.array([np.delete(w, k, 0).prod(0) for k in range(len(w))])


def perturbation(z, w, method, rho, p, loss):
    g, log_scale = field(z, w.prod(0), loss)
    g = -g * others(w)
    if method == "GD":
        return 0 * g
    if method == "L2":
        return rho * g / np.sqrt((g * g).sum())
    if method == "USAM":
        return rho * g * np.exp(log_scale)
    q = p / (p - 1)
    return rho * np.sign(g) * abs(g)**(q - 1) / ((abs(g)**q).sum()**(1 / q))**(q - 1)


def general(z, w, method, rho, p, loss, tau):
    z, w = np.array(z, float), np.array(w, float)

    def rate(_, y):
        here = y[:-1].reshape(w.shape)
        hat = here + perturbation(z, here, method, rho, p, loss)
        g, log_scale = field(z, hat.prod(0), loss)
        return np.append((g * others(hat)).ravel(), np.exp(-log_scale))

    done = solve_ivp(rate, (0, tau), np.append(w.ravel(), 0), method="DOP853", rtol=3e-14, atol=1e-18)
    assert done.success
    end = done.y[:, -1]
    return end[:-1].reshape(w.shape).prod(0), np.log(end[-1])


def generals():
    random = np.random.default_rng(1)
    for depth in (1, 2, 3, 4):
        for method in ("GD", "L2", "LP", "USAM"):
            n, d = int(random.integers(1, 6)), 3
            z = np.round(random.normal(size=(n, d)) + 1.2, 2)
            w = np.round(random.normal(size=(depth, d)) * 0.3 + 0.9, 2)
            loss = int(random.integers(0, 2))
            rho = round(float(random.uniform(0.05, 0.3)), 2)
            yield depth, method, n, d, z, w, loss, rho, 3.0 if method == "LP" else 0.0, 0.2 if depth > 2 else 0.7


def main():
    print("/* Made by make_reference.py; do not edit. */")
    print("static const reduction_case REDUCTION[] = {")
    for name, mu, w1, w2, rho, taus in REDUCTIONS:
        rows = reduction(mu, w1, w2, rho, taus)
        print('    {"%s", %d, {%s}, {%s}, {%s}, %r,\n     {' % (name, len(mu), *(", ".join(map(repr, v)) for v in (mu, w1, w2)), rho))
        for tau, beta, log_t, log_loss in rows:
            print("      {%s, {%s}, %s, %s}," % (number(tau), ", ".join(map(number, beta)), number(log_t), number(log_loss)))
        print("     }},")
    print("};\n")
    print("static const double COLLAPSE_TAU = %s; // mu = (1, 2), alpha = 0.4, rho = 1\n" % number(collapse_time([1, 2], 0.4, 1)))
    print("static const general_case GENERAL[] = {")
    for depth, method, n, d, z, w, loss, rho, p, tau in generals():
        beta, log_t = general(z, w, method, rho, p, loss, tau)
        print("    {%d, SF_METHOD_%s, %s, %r, %r, %d, %d,\n     {%s},\n     {%s},\n     %r, {%s}, %.16g}," % (
            depth, method, "SF_LOSS_EXPONENTIAL" if loss else "SF_LOSS_LOGISTIC", rho, p, n, d,
            ", ".join(map(repr, map(float, z.ravel()))), ", ".join(map(repr, map(float, w.ravel()))), tau,
            ", ".join("%.16g" % x for x in beta), log_t))
    print("};")


main()
