"""The peers in Python: l2-SAM at L = 2 as a good user of NumPy, PyTorch and JAX would write it.

usage: peers.py DIR WORKLOAD REPEATS THREADS

Reads the problem that samflow-bench wrote to DIR (WORKLOAD.txt and raw doubles), checks each peer against the
reference answer, then times it. Prints one line a peer:
    name,threads,best_s,median_s,cpu_s,error,note
note is empty where the peer was timed. OMP_NUM_THREADS tells whether the libraries use THREADS threads themselves; if
they use one, the peers divide the trajectories among THREADS Python threads (NumPy and PyTorch release the lock).

To add peers for a workload: a function that returns {name: make}, listed in PEERS (the default is `trajectories`).
make(problem, threads) returns run(steps) -> answer of the shape of the starts.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

ENOUGH_SECONDS = 5  # no further runs after that, however many are asked for


class Problem:
    def __init__(self, folder, name):
        with open(os.path.join(folder, name + ".txt"), encoding="ascii") as f:
            values = dict(line.split() for line in f)
        for key in ("n", "d", "count", "depth", "steps", "check_steps"):
            setattr(self, key, int(values[key]))
        for key in ("rho", "eta", "tolerance"):
            setattr(self, key, float(values[key]))

        def read(what, shape):
            return np.fromfile(os.path.join(folder, f"{name}.{what}.f64")).reshape(shape)

        self.z = read("z", (self.n, self.d))
        self.theta = read("theta", (self.count, 2, self.d))
        self.check = read("check", (self.count, 2, self.d))


# ---- NumPy, straightforward: the formulas as they stand ----------------------------------------------------------


def numpy_straightforward(p, threads):
    def gradient(w1, w2):
        margins = (w1 * w2) @ p.z.T
        slopes = 1 / (1 + np.exp(margins))
        field = slopes @ p.z / p.n
        return -field * w2, -field * w1

    def run(steps):
        w1, w2 = p.theta[:, 0], p.theta[:, 1]
        for _ in range(steps):
            g1, g2 = gradient(w1, w2)
            scale = p.rho / np.sqrt((g1**2).sum(axis=1) + (g2**2).sum(axis=1))[:, None]
            g1, g2 = gradient(w1 + scale * g1, w2 + scale * g2)
            w1, w2 = w1 - p.eta * g1, w2 - p.eta * g2
        return np.stack([w1, w2], axis=1)

    return run


# ---- NumPy, the best: no temporaries, blocks that stay in cache, threads --------------------------------------------


def numpy_small(p, w, steps):
    """One example: features first, so that every operation runs over contiguous trajectories. w: (2, d, count)."""
    w1, w2 = np.ascontiguousarray(w[0]), np.ascontiguousarray(w[1])
    z = p.z[0][:, None]
    h1, h2, t, u = (np.empty_like(w1) for _ in range(4))
    norm, margin = np.empty(w1.shape[1]), np.empty(w1.shape[1])
    for _ in range(steps):
        # the gradient is -s z w; its factor s does not matter for the direction of eps
        np.multiply(w2, z, out=h1)
        np.multiply(w1, z, out=h2)
        np.einsum("ij,ij->j", h1, h1, out=norm)
        norm += np.einsum("ij,ij->j", h2, h2, out=margin)
        np.sqrt(norm, out=norm)
        np.divide(-p.rho, norm, out=norm)
        h1 *= norm
        h2 *= norm
        h1 += w1
        h2 += w2
        np.multiply(h1, h2, out=t)
        np.matmul(p.z[0], t, out=margin)
        np.exp(margin, out=margin)
        margin += 1.0
        np.divide(p.eta, margin, out=margin)
        np.multiply(z, margin, out=u)
        h1 *= u
        h2 *= u
        w1 += h2
        w2 += h1
    return np.stack([w1, w2])


def numpy_many(p, w, steps):
    """Many examples and trajectories: products of matrices into buffers. w: (2, count, d)."""
    w1, w2 = np.ascontiguousarray(w[0]), np.ascontiguousarray(w[1])
    margins = np.empty((w1.shape[0], p.n))
    beta, field, h1, h2 = (np.empty_like(w1) for _ in range(4))
    zt = np.ascontiguousarray(p.z.T)

    def gradient_field(a, b):
        np.multiply(a, b, out=beta)
        np.matmul(beta, zt, out=margins)
        np.exp(margins, out=margins)
        np.add(margins, 1.0, out=margins)
        np.reciprocal(margins, out=margins)
        np.matmul(margins, p.z, out=field)

    for _ in range(steps):
        gradient_field(w1, w2)
        np.multiply(field, w2, out=h1)
        np.multiply(field, w1, out=h2)
        norm = np.einsum("ij,ij->i", h1, h1)
        norm += np.einsum("ij,ij->i", h2, h2)
        np.sqrt(norm, out=norm)
        np.divide(-p.rho, norm, out=norm)
        h1 *= norm[:, None]
        h2 *= norm[:, None]
        h1 += w1
        h2 += w2
        gradient_field(h1, h2)
        np.multiply(field, p.eta / p.n, out=field)
        h1 *= field
        h2 *= field
        w1 += h2
        w2 += h1
    return np.stack([w1, w2])


def numpy_one(p, w, steps):
    """One trajectory: matrix times vector into buffers. w: (2, d)."""
    w1, w2 = w[0].copy(), w[1].copy()
    margins = np.empty(p.n)
    beta, field, h1, h2 = (np.empty_like(w1) for _ in range(4))

    def gradient_field(a, b):
        np.multiply(a, b, out=beta)
        np.dot(p.z, beta, out=margins)
        np.exp(margins, out=margins)
        np.add(margins, 1.0, out=margins)
        np.reciprocal(margins, out=margins)
        np.dot(margins, p.z, out=field)

    for _ in range(steps):
        gradient_field(w1, w2)
        np.multiply(field, w2, out=h1)
        np.multiply(field, w1, out=h2)
        scale = -p.rho / np.sqrt(np.dot(h1, h1) + np.dot(h2, h2))
        h1 *= scale
        h2 *= scale
        h1 += w1
        h2 += w2
        gradient_field(h1, h2)
        field *= p.eta / p.n
        h1 *= field
        h2 *= field
        w1 += h2
        w2 += h1
    return np.stack([w1, w2])


def numpy_best(p, threads):
    if p.count == 1:
        return lambda steps: numpy_one(p, p.theta[0], steps)[None]

    single = p.n == 1
    block = 4096 if single else 256
    parts = [slice(i, min(i + block, p.count)) for i in range(0, p.count, block)]
    starts = [np.ascontiguousarray(p.theta[s].transpose((1, 2, 0) if single else (1, 0, 2))) for s in parts]

    def run(steps):
        work = numpy_small if single else numpy_many
        with ThreadPoolExecutor(threads if blas_threads() == 1 else 1) as pool:
            done = list(pool.map(lambda w: work(p, w, steps), starts))
        return np.concatenate([x.transpose((2, 0, 1) if single else (1, 0, 2)) for x in done])

    return run


# ---- PyTorch -------------------------------------------------------------------------------------------------------


def torch_steps(torch, p, w1, w2, z, zt, steps):
    """In place, on a block of trajectories (count, d)."""
    margins = torch.empty((w1.shape[0], p.n), dtype=torch.float64)
    beta, field, h1, h2 = (torch.empty_like(w1) for _ in range(4))
    norm, other = (torch.empty((w1.shape[0], 1), dtype=torch.float64) for _ in range(2))

    def gradient_field(a, b):
        torch.mul(a, b, out=beta)
        torch.matmul(beta, zt, out=margins)
        margins.neg_().sigmoid_()
        torch.matmul(margins, z, out=field)

    for _ in range(steps):
        gradient_field(w1, w2)
        torch.mul(field, w2, out=h1)
        torch.mul(field, w1, out=h2)
        torch.sum(h1 * h1, dim=1, keepdim=True, out=norm)
        torch.sum(h2 * h2, dim=1, keepdim=True, out=other)
        norm.add_(other).rsqrt_().mul_(-p.rho)
        h1.mul_(norm).add_(w1)
        h2.mul_(norm).add_(w2)
        gradient_field(h1, h2)
        field.mul_(p.eta / p.n)
        h1.mul_(field)
        h2.mul_(field)
        w1.add_(h2)
        w2.add_(h1)
    return torch.stack([w1, w2], dim=1)


def torch_best(p, threads):
    import torch

    own = blas_threads()
    torch.set_num_threads(own)
    z = torch.from_numpy(p.z)
    zt = z.t() if p.count == 1 else z.t().contiguous()
    block = p.count if own > 1 else max(1, min(4096 if p.n == 1 else 256, p.count))
    starts = [torch.from_numpy(p.theta[i : i + block]) for i in range(0, p.count, block)]

    def work(theta, steps):
        with torch.no_grad():
            return torch_steps(torch, p, theta[:, 0].contiguous().clone(), theta[:, 1].contiguous().clone(), z, zt, steps)

    def run(steps):
        with ThreadPoolExecutor(threads if own == 1 and p.count > 1 else 1) as pool:
            return torch.cat(list(pool.map(lambda theta: work(theta, steps), starts))).numpy()

    return run


# ---- JAX -----------------------------------------------------------------------------------------------------------


def jax_best(p, threads):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    z = jnp.asarray(p.z)

    def gradient(w):
        s = jax.nn.sigmoid(-((w[:, 0] * w[:, 1]) @ z.T))
        field = -(s @ z) / p.n
        return jnp.stack([field * w[:, 1], field * w[:, 0]], axis=1)

    def step(_, w):
        g = gradient(w)
        hat = w + p.rho * g / jnp.sqrt((g**2).sum(axis=(1, 2), keepdims=True))
        return w - p.eta * gradient(hat)

    @jax.jit
    def advance(w, steps):
        return jax.lax.fori_loop(0, steps, step, w)

    return lambda steps: np.asarray(advance(jnp.asarray(p.theta), steps))


# ---- the run -------------------------------------------------------------------------------------------------------


def blas_threads():
    return int(os.environ.get("OMP_NUM_THREADS", "1"))


def trajectories(p, threads):
    peers = {"numpy": numpy_best, "pytorch": torch_best, "jax": jax_best}
    if blas_threads() > 1 or threads == 1:
        peers["numpy-straightforward"] = numpy_straightforward
    return peers


PEERS = {}  # workload: function like `trajectories`


def error_of(p, answer):
    apart = np.abs(answer - p.check).reshape(p.count, -1).max(axis=1)
    return float((apart / np.abs(p.check).reshape(p.count, -1).max(axis=1)).max())


def compete(name, make, p, repeats, threads):
    try:
        run = make(p, threads)
    except ImportError:
        if blas_threads() > 1 or threads == 1:
            print(f"{name},0,nan,nan,nan,nan,not installed")
        return
    error = error_of(p, run(p.check_steps))
    if not error <= p.tolerance:
        print(f"{name},{threads},nan,nan,nan,{error},wrong numbers")
        return
    seconds, cpu = [], []
    while len(seconds) < repeats and sum(seconds) < ENOUGH_SECONDS:
        start, used = time.perf_counter(), time.process_time()
        run(p.steps)
        seconds.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    label = name if blas_threads() > 1 or threads == 1 else name + "-blocks"
    print(f"{label},{threads},{min(seconds)},{sorted(seconds)[len(seconds) // 2]},{min(cpu)},{error},", flush=True)


def main():
    folder, workload, repeats, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    p = Problem(folder, workload)
    if p.count == 1 and blas_threads() == 1:
        threads = 1  # one trajectory has nothing to divide
    for name, make in PEERS.get(workload, trajectories)(p, threads).items():
        compete(name, make, p, repeats, threads)


if __name__ == "__main__":
    main()
