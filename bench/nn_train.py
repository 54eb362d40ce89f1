"""Training a CNN: samflow and PyTorch on the same network, images, batches and threads, in one run.

usage: nn_train.py PROGRAM OUT

PROGRAM is samflow-bench-nn, OUT the folder for nn_train.{csv,md}. Images have the shape of MNIST, ten classes. Before
anything is timed, both take the same steps from the same weights and must agree (GATE, largest difference of a weight).
Then they take turns, REPEATS times; the table has the medians. PyTorch is given what makes it fastest: the better of the
plain and the channels-last layout, fused vector operations for the perturbation. samflow also sums in an order that does
not depend on the threads.
"""

import csv
import os
import random
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import numpy
import torch
from torch import nn

COUNT, SIDE, CLASSES = 1024, 28, 10
GATE, GATE_STEPS = 1e-4, 3
REPEATS, SECONDS = 3, 1.0
RHO, RATE = 0.05, 0.05


def order_of(count, seed, epoch):
    """The order of images of an epoch (doc comments of base.h and nn.h): Fisher-Yates by Philox4x32-10."""
    words, counter, low, order = [], 0, 0xFFFFFFFF, list(range(count))
    for i in range(count, 1, -1):
        if not words:
            c, k = [counter, 0, epoch, 0], [seed, 0]
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [p1 >> 32 ^ c[1] ^ k[0], p1 & low, p0 >> 32 ^ c[3] ^ k[1], p0 & low]
                k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
            words, counter = c, counter + 1
        bits = words.pop(0)
        j = (bits | words.pop(0) << 32) % i  # a rejected draw has odds of 1e-16
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


def write_data(folder):
    draws = random.Random(1)
    labels = [i % CLASSES for i in range(COUNT)]
    pixels = bytes(draws.randrange(128) + (120 if p // SIDE // 2 == label else 0)
                   for label in labels for p in range(SIDE * SIDE))
    with open(os.path.join(folder, "images"), "wb") as stream:
        stream.write(struct.pack(">4I", 0x803, COUNT, SIDE, SIDE) + pixels)
    with open(os.path.join(folder, "labels"), "wb") as stream:
        stream.write(struct.pack(">2I", 0x801, COUNT) + bytes(labels))
    x = numpy.frombuffer(pixels, numpy.uint8).astype(numpy.float32).reshape(COUNT, 1, SIDE, SIDE)
    return torch.tensor(x / numpy.float32(255)), torch.tensor(labels)


class Torch:
    """The peer: the network at given parameters, and steps of it."""

    def __init__(self, theta, x, y, method, batch, channels_last):
        self.model = nn.Sequential(
            nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, CLASSES))
        self.parameters = list(self.model.parameters())
        at = 0
        for p in self.parameters:
            p.data = torch.tensor(theta[at:at + p.numel()]).reshape(p.shape)
            at += p.numel()
        if channels_last:
            self.model, x = self.model.to(memory_format=torch.channels_last), x.contiguous(
                memory_format=torch.channels_last)
        self.x, self.y, self.method, self.batch, self.step = x, y, method, batch, 0
        self.optimizer = torch.optim.SGD(self.parameters, lr=RATE, foreach=True)
        self.orders = [torch.tensor(order_of(COUNT, 1, epoch)) for epoch in range(4)]

    def backward(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(self.model(x), y).backward()

    def advance(self, steps):
        per_epoch = COUNT // self.batch
        for _ in range(steps):
            epoch, place = divmod(self.step, per_epoch)
            picked = self.orders[epoch % len(self.orders)][place * self.batch:(place + 1) * self.batch]
            x, y = self.x[picked], self.y[picked]
            self.backward(x, y)
            if self.method != "gd":
                gradients = [p.grad for p in self.parameters]
                norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
                eps = torch._foreach_mul(gradients, float(RHO / norm))
                with torch.no_grad():
                    torch._foreach_add_(self.parameters, eps)
                self.backward(x, y)
                with torch.no_grad():
                    torch._foreach_sub_(self.parameters, eps)
            self.optimizer.step()
            self.step += 1

    def theta(self):
        return numpy.concatenate([p.detach().contiguous().numpy().ravel() for p in self.parameters])

    def measure(self, seconds):
        self.advance(2)
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            self.advance(5)
            steps += 5
        return steps * self.batch / (time.perf_counter() - begin)


def ours(program, folder, method, batch, threads, seconds):
    """Images a second, and parameters before and after the steps of the gate."""
    path = os.path.join(folder, "theta")
    done = subprocess.run([program, os.path.join(folder, "images"), os.path.join(folder, "labels"), method, str(RHO),
                           str(batch), str(threads), str(GATE_STEPS), str(seconds), path],
                          capture_output=True, text=True, check=True)
    return float(done.stdout.split()[2]), [numpy.fromfile(f"{path}.{i}", numpy.float32) for i in (0, 1)]


def compare(program, folder, x, y, method, batch, threads):
    torch.set_num_threads(threads)
    _, (start, after) = ours(program, folder, method, batch, threads, 0)
    peers = {name: Torch(start, x, y, method, batch, last) for name, last in (("plain", False), ("channels_last", True))}
    for name, peer in peers.items():
        peer.advance(GATE_STEPS)
        difference = float(numpy.abs(peer.theta() - after).max())
        if not difference <= GATE:
            sys.exit(f"nn_train.py: {method}, batch {batch}: weights differ from PyTorch's ({name}) by {difference:g}")
    rates = {"samflow": [], **{name: [] for name in peers}}
    for _ in range(REPEATS):
        rates["samflow"].append(ours(program, folder, method, batch, threads, SECONDS)[0])
        for name, peer in peers.items():
            rates[name].append(peer.measure(SECONDS / 2))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    best = max(peers, key=medians.get)
    return {"method": method, "batch": batch, "threads": threads, "samflow": round(medians["samflow"], 1),
            "pytorch": round(medians[best], 1), "layout": best,
            "ratio": round(medians["samflow"] / medians[best], 2)}


def main():
    program, out = sys.argv[1:]
    rows = []
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        x, y = write_data(folder)
        for threads in sorted({1, processors}):
            for method in ("gd", "l2-sam"):
                for batch in (64, 256):
                    rows.append(compare(program, folder, x, y, method, batch, threads))
    with open(os.path.join(out, "nn_train.csv"), "w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    lines = ["Training a CNN (conv 5x5 16, pool 2, conv 5x5 32, pool 2, dense 128, 10), images a second:", "",
             "| method | batch | threads | samflow | PyTorch | ratio |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {r['method']} | {r['batch']} | {r['threads']} | {r['samflow']:.0f} | {r['pytorch']:.0f} | "
              f"{r['ratio']:.2f} |" for r in rows]
    text = "\n".join(lines) + "\n"
    with open(os.path.join(out, "nn_train.md"), "w") as stream:
        stream.write(text)
    print(text, end="")


if __name__ == "__main__":
    main()
