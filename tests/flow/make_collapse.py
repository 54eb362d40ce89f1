"""Prints the table of tests/flow/collapse.c: l2-SAM, one example, rho = 1, layers of unequal size, to where two layers of every
coordinate vanish: tau there, and the weights. 30 digits (mpmath), Gragg-Bulirsch-Stoer extrapolation in a clock that is
the arc length of the logarithms of what vanishes; stops at ||g|| = 1e-18, which is about the error of tau.

Usage: python3 make_collapse.py   (needs mpmath; half a minute)
"""
import mpmath as mp

mp.mp.dps = 30
CASES = [([1.07], [[0.15], [0.6], [0.33], [0.68]]), ([0.55], [[0.15], [0.51], [0.49]]),
         ([0.82, 1.74], [[0.43, 0.47], [0.16, 0.2], [0.06, 0.18]])]
SUBSTEPS = [2, 4, 6, 8, 10, 12, 14, 16]


def others(w, d):
    """the product of the other layers, for every weight"""
    return [mp.fprod(w[k] for k in range(i % d, len(w), d) if k != i) for i in range(len(w))]


def changes(w, dw, d):
    """d/dtau of others"""
    return [mp.fsum(dw[m] * mp.fprod(w[k] for k in range(i % d, len(w), d) if k not in (i, m))
                    for m in range(i % d, len(w), d) if m != i) for i in range(len(w))]


def rates(y, mu):
    w, d = y[:-1], len(mu)
    products = others(w, d)
    g = [-mu[i % d] * h for i, h in enumerate(products)]
    n = mp.sqrt(mp.fsum(x * x for x in g))
    dw = [mu[i % d] * h for i, h in enumerate(others([x + e / n for x, e in zip(w, g)], d))]
    moved = changes(w, dw, d)
    rate = sum(mp.fsum(moved[i]**2 for i in range(j, len(w), d)) / mp.fsum(products[i]**2 for i in range(j, len(w), d))
               for j in range(d))
    pace = 1 / mp.sqrt(1 + rate)
    return [x * pace for x in dw] + [pace], n


def step(y, first, size, mu):
    """one extrapolated step, and its error"""
    table = []
    for k, m in enumerate(SUBSTEPS):
        h = size / m
        a, b = y, [p + h * q for p, q in zip(y, first)]
        for _ in range(1, m):
            a, b = b, [p + 2 * h * q for p, q in zip(a, rates(b, mu)[0])]
        row = [[(p + q + h * r) / 2 for p, q, r in zip(a, b, rates(b, mu)[0])]]
        for i in range(1, k + 1):
            c = (mp.mpf(m) / SUBSTEPS[k - i])**2 - 1
            row.append([p + (p - q) / c for p, q in zip(row[i - 1], table[k - 1][i - 1])])
        table.append(row)
    error = max(abs(p - q) / (abs(p) + mp.mpf(10)**-25) for p, q in zip(table[-1][-1], table[-1][-2]))
    return table[-1][-1], error


def collapse(mu, w):
    mu = [mp.mpf(str(x)) for x in mu]
    y, size = [mp.mpf(str(x)) for layer in w for x in layer] + [mp.mpf(0)], mp.mpf("0.25")
    while True:
        first, n = rates(y, mu)
        if n < mp.mpf(10)**-18:
            return y
        moved, error = step(y, first, size, mu)
        if error > mp.mpf(10)**-16:
            size /= 2
            continue
        y = moved
        if error < mp.mpf(10)**-20:
            size *= mp.mpf("1.3")


for mu, w in CASES:
    y = collapse(mu, w)
    print(mu, w, mp.nstr(y[-1], 16), [mp.nstr(v, 14) for v in y[:-1]])
