"""samflow train from outside: whole runs against PyTorch, files, kills and resumes, messages.

Reads $SAMFLOW_PROGRAM. Standard library; runs are compared with PyTorch where torch, numpy and h5py are there.
"""

import csv
import json
import os
import random
import signal
import struct
import subprocess
import tempfile
import time
import unittest

try:
    import h5py
    import numpy
    import torch
    from torch import nn
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
except ImportError as missing:
    torch = None
    print(f"no comparison with PyTorch: {missing}")

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
SIDE, COUNT, STEPS = 8, 48, 20
RECORD_KEYS = ["step", "epoch", "loss", "accuracy", "test_loss", "test_accuracy", "applied_norm", "gradients"]
PATCHES = {"data": {"patches": {"strong": 1, "per_class": 60, "height": 12, "width": 12, "patch": 3},
                    "split": {"test": 0.25}},
           "network": {"channels": [4], "kernel": 3, "hidden": [8]},
           "optimizer": {"method": "l2-sam", "rho": 0.05},
           "training": {"steps": 40, "batch": 16, "rate": 0.1},
           "record": {"every": 7}}


def run(*arguments, experiment=None, **options):
    return subprocess.run([PROGRAM, "train", *arguments], capture_output=True, text=True,
                          input=None if experiment is None else json.dumps(experiment), **options)


def train(experiment, *arguments):
    done = run("-", "--json", *arguments, experiment=experiment)
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr}")

    def refuse(name):
        raise AssertionError(f"{name} is not JSON")
    return json.loads(done.stdout, parse_constant=refuse)


class Folder(unittest.TestCase):
    """Every test in a folder of its own."""

    def setUp(self):
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()


# ---- the reference: Philox (doc comment of base.h), start, order of images, and the updates in PyTorch -----------


class Philox:
    """Philox4x32-10, stream `stream` of `seed`."""

    def __init__(self, seed, stream):
        self.seed, self.stream, self.counter, self.words = seed, stream, 0, []

    def word(self):
        if not self.words:
            low = 0xFFFFFFFF
            c = [self.counter & low, self.counter >> 32, self.stream & low, self.stream >> 32]
            k = [self.seed & low, self.seed >> 32]
            for _ in range(10):
                p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
                c = [p1 >> 32 ^ c[1] ^ k[0], p1 & low, p0 >> 32 ^ c[3] ^ k[1], p0 & low]
                k = [(k[0] + 0x9E3779B9) & low, (k[1] + 0xBB67AE85) & low]
            self.counter += 1
            self.words = c
        return self.words.pop(0)

    def bits(self):
        low = self.word()
        return low | self.word() << 32

    def uniform(self):
        return ((self.bits() >> 12) + 0.5) * 2.0**-52

    def below(self, n):
        bits = self.bits()
        while bits < 2**64 % n:
            bits = self.bits()
        return bits % n


def order_of(count, seed, epoch):
    draws, order = Philox(seed, epoch), list(range(count))
    for i in range(count, 1, -1):
        j = draws.below(i)
        order[i - 1], order[j] = order[j], order[i - 1]
    return order


class Diagonal(nn.Module if torch else object):
    """<w_1 * ... * w_L, x>."""

    def __init__(self, depth, scale):
        super().__init__()
        self.layers = nn.ParameterList(
            [nn.Parameter(torch.full((SIDE * SIDE,), float(numpy.float32(scale)))) for _ in range(depth)])

    def forward(self, x):
        beta = self.layers[0]
        for layer in list(self.layers)[1:]:
            beta = beta * layer
        return x.flatten(1) @ beta[:, None]


def network_of(settings, outputs):
    """The same network with the same start."""
    if settings["model"] == "diagonal":
        return Diagonal(settings["depth"], settings["init_scale"])
    stages, channels, side = [], 1, SIDE
    relu = settings.get("activation", "relu") == "relu"
    bias = settings.get("bias", True)
    for width in settings.get("channels", []) if settings["model"] == "cnn" else []:
        stages.append(nn.Conv2d(channels, width, settings["kernel"], padding=settings["kernel"] // 2, bias=bias))
        stages += [nn.ReLU()] * relu
        pool = nn.MaxPool2d if settings.get("pooling", "max") == "max" else nn.AvgPool2d
        stages.append(pool(settings["pool"]))
        channels, side = width, side // settings["pool"]
    stages.append(nn.Flatten())
    width = channels * side * side
    for hidden in settings["hidden"]:
        stages += [nn.Linear(width, hidden, bias=bias)] + [nn.ReLU()] * relu
        width = hidden
    model = nn.Sequential(*stages, nn.Linear(width, outputs, bias=bias))
    stream = 0
    for stage in model:
        if not isinstance(stage, (nn.Conv2d, nn.Linear)):
            continue
        bound = settings["init_scale"] / (stage.weight[0].numel() ** 0.5)
        for tensor in [stage.weight, stage.bias][:2 if bias else 1]:
            draws = Philox(settings["seed"], stream)
            start = [bound * (2 * draws.uniform() - 1) for _ in range(tensor.numel())]
            tensor.data[:] = torch.tensor(numpy.float32(start).astype(float)).reshape(tensor.shape)
            stream += 1
    return model


def loss_of(logits, labels):
    if logits.shape[1] == 1:
        return nn.functional.softplus(-(2.0 * labels - 1) * logits[:, 0]).mean()
    return nn.functional.cross_entropy(logits, labels)


def perturbation(parameters, optimizer):
    """eps of each parameter, from the gradients that are there, and its norm."""
    method, rho = optimizer["method"], optimizer["rho"]
    gradients = [p.grad.clone() for p in parameters]
    if method == "linf-sam":
        return [rho * g.sign() for g in gradients], rho
    if method == "usam":
        eps = [rho * g for g in gradients]
    else:
        scale = [p.detach().abs() + 0.01 if optimizer.get("adaptive") else torch.ones_like(p) for p in parameters]
        norm = torch.sqrt(sum(((t * g) ** 2).sum() for t, g in zip(scale, gradients)))
        eps = [rho * t * t * g / norm for t, g in zip(scale, gradients)]
    return eps, float(torch.sqrt(sum((e**2).sum() for e in eps)))


def torch_run(experiment, images, labels):
    """(model, losses, norms) after STEPS steps of torch.optim.SGD on SAM's gradient."""
    network, optimizer, training = experiment["network"], experiment["optimizer"], experiment["training"]
    classes = len(set(labels))
    model = network_of(network, 1 if classes == 2 else classes)
    x = torch.tensor(numpy.float32(images).astype(float)).reshape(-1, 1, SIDE, SIDE)
    y = torch.tensor(labels)
    parameters = list(model.parameters())
    sgd = torch.optim.SGD(parameters, lr=training["rate"], momentum=optimizer.get("momentum", 0),
                          weight_decay=optimizer.get("weight_decay", 0))
    losses, norms, position, epoch = [], [], 0, 0
    for _ in range(STEPS):
        batch = training["batch"] or COUNT
        order = order_of(COUNT, training["seed"], epoch) if training["batch"] else list(range(COUNT))
        picked = order[position:position + batch]
        position += len(picked)
        if position == COUNT:
            position, epoch = 0, epoch + 1
        shard = optimizer.get("shard") or len(picked)
        total, loss_sum, norm_sum, shards = [torch.zeros_like(p) for p in parameters], 0.0, 0.0, 0
        for first in range(0, len(picked), shard):
            part = picked[first:first + shard]
            share = len(part) / len(picked)

            def backward():
                sgd.zero_grad()
                loss = loss_of(model(x[part]), y[part])
                loss.backward()
                return float(loss)
            loss_sum += share * backward()
            if optimizer["method"] != "gd":
                eps, norm = perturbation(parameters, optimizer)
                norm_sum += norm
                with torch.no_grad():
                    for p, e in zip(parameters, eps):
                        p += e
                backward()
                with torch.no_grad():
                    for p, e in zip(parameters, eps):
                        p -= e
            shards += 1
            total = [t + share * p.grad for t, p in zip(total, parameters)]
        for p, t in zip(parameters, total):
            p.grad = t
        sgd.step()
        losses.append(loss_sum)
        norms.append(norm_sum / shards)
    return model, losses, norms


def write_idx(path, magic, shape, values):
    with open(path, "wb") as stream:
        stream.write(struct.pack(f">I{len(shape)}I", magic, *shape) + bytes(values))


def write_images(classes):
    """Noise with a bright row that tells the class; returns what the files hold, scaled as the experiments ask."""
    draws = random.Random(classes)
    labels = [i % classes for i in range(COUNT)]
    pixels = [draws.randrange(120) + (90 if p // SIDE == label else 0)
              for label in labels for p in range(SIDE * SIDE)]
    write_idx("images", 0x803, (COUNT, SIDE, SIDE), pixels)
    write_idx("labels", 0x801, (COUNT,), labels)
    return [p * (1 / 255) for p in pixels], labels


METHODS = {
    "gd": {"method": "gd"},
    "l2-sam": {"method": "l2-sam", "rho": 0.1},
    "linf-sam": {"method": "linf-sam", "rho": 0.002},
    "usam": {"method": "usam", "rho": 0.2},
    "ASAM": {"method": "l2-sam", "rho": 0.5, "adaptive": True},
    "m-SAM": {"method": "l2-sam", "rho": 0.1, "shard": 6},
    "momentum": {"method": "l2-sam", "rho": 0.1, "momentum": 0.9, "weight_decay": 0.01},
}
MODELS = {
    "diagonal": {"model": "diagonal", "depth": 2, "init_scale": 0.2},
    "mlp": {"model": "mlp", "hidden": [10, 7], "init_scale": 1.0, "seed": 4},
    "linear": {"model": "mlp", "hidden": [9], "init_scale": 0.5, "seed": 5, "activation": "identity", "bias": False},
    "cnn": {"model": "cnn", "channels": [5, 6], "kernel": 3, "pool": 2, "hidden": [11], "init_scale": 1.2, "seed": 6},
    "cnn, average": {"model": "cnn", "channels": [18], "kernel": 5, "pool": 2, "pooling": "average", "hidden": [],
                     "init_scale": 1.0, "seed": 7},
}


@unittest.skipUnless(torch, "needs torch, numpy and h5py")
class PyTorch(Folder):
    def compare(self, model, method, classes, batch):
        images, labels = write_images(classes)
        experiment = {"data": {"file": os.path.abspath("images"), "labels_file": os.path.abspath("labels"),
                               "scale": 1 / 255},
                      "network": MODELS[model], "optimizer": METHODS[method],
                      "training": {"steps": STEPS, "batch": batch, "rate": 0.05, "seed": 11},
                      "record": {"every": 1}}
        document = train(experiment, "--checkpoint", "run.h5")
        torch_model, losses, norms = torch_run(experiment, images, labels)
        with self.subTest(model=model, method=method, classes=classes, batch=batch), h5py.File("run.h5") as file:
            ours = [file["parameters"][name][()] for name in self.names(model, torch_model)]
            for a, b in zip(ours, torch_model.parameters()):
                self.assertEqual(a.shape, tuple(b.shape))
                self.assertLessEqual(float(numpy.abs(a - b.detach().numpy()).max()), 1e-5)
            for record, norm in zip(document["records"][1:], norms):
                self.assertAlmostEqual(record["applied_norm"], norm, delta=1e-5)
            if batch == 0:  # the loss of a record is that of the whole set, of a step that of its batch
                for record, loss in zip(document["records"], losses):
                    self.assertAlmostEqual(record["loss"], loss, delta=1e-5)

    @staticmethod
    def names(model, torch_model):
        if model == "diagonal":
            return [f"layer{i + 1}.weight" for i in range(len(torch_model.layers))]
        names, counts = [], {"conv": 0, "fc": 0}
        for stage in torch_model:
            kind = "conv" if isinstance(stage, nn.Conv2d) else "fc" if isinstance(stage, nn.Linear) else None
            if kind:
                counts[kind] += 1
                names += [f"{kind}{counts[kind]}.{part}" for part in ("weight", "bias")[:1 + (stage.bias is not None)]]
        return names

    def test_methods(self):
        for method in METHODS:
            for classes in (2, 3):
                self.compare("cnn", method, classes, 16 if method in ("m-SAM", "momentum") else 0)
                self.compare("mlp", method, classes, 20)

    def test_models(self):
        for model in MODELS:
            self.compare(model, "l2-sam", 2, 0)
            self.compare(model, "gd", 2, 20)


class Documents(Folder):
    def test_records(self):
        document = train(PATCHES)
        self.assertEqual(list(document), ["samflow", "experiment", "images", "test_images", "backend", "status", "records",
                                          "final"])
        self.assertEqual(document["status"], "completed")
        self.assertEqual([r["step"] for r in document["records"]], [0, 7, 14, 21, 28, 35, 40])
        for record in document["records"]:
            self.assertEqual(list(record), RECORD_KEYS)
        self.assertEqual((document["images"], document["test_images"]), (90, 30))
        last = document["records"][-1]
        self.assertLess(last["loss"], document["records"][0]["loss"])
        self.assertAlmostEqual(last["applied_norm"], 0.05, places=12)
        self.assertEqual(last["epoch"], 40 // 6)  # six batches of 90 images
        self.assertEqual(last["gradients"], 2 * (6 * 90 + 4 * 16))
        self.assertEqual({key: document["final"][key] for key in RECORD_KEYS}, last)

    def test_resolved_settings_run_again(self):
        first = train(PATCHES)
        self.assertEqual(train(first["experiment"]), first)

    def test_files(self):
        document = train(PATCHES, "-o", "run.csv")
        with open("run.csv", newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual(list(rows[0]), RECORD_KEYS)
        for row, record in zip(rows, document["records"], strict=True):
            for key in RECORD_KEYS:
                self.assertEqual(float(row[key]) if row[key] else None, record[key])
        run("-", "-o", "run.json", experiment=PATCHES)
        with open("run.json") as stream:
            self.assertEqual(json.load(stream), document)
        self.assertEqual(sorted(os.listdir(".")), ["run.csv", "run.json"])

    def test_table(self):
        done = run("-", experiment=PATCHES)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("90 images to train on, 30 to test on", done.stdout)
        self.assertIn("completed: 7 records", done.stdout)

    def test_settings(self):
        done = run("--settings")
        self.assertIn("| `training.rate` | a finite number > 0 | `0.1` |", done.stdout)
        self.assertNotIn("dynamics.", done.stdout)
        reference = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "train.md")
        with open(reference, encoding="utf-8") as stream:
            self.assertIn(done.stdout, stream.read(), "doc/train.md: replace its table by train --settings")

    def test_messages(self):
        def refused(code, words, *arguments, experiment=PATCHES):
            done = run("-", *arguments, experiment=experiment)
            self.assertEqual(done.returncode, code, done.stderr)
            for word in words:
                self.assertIn(word, done.stderr)
            self.assertEqual(done.stdout, "")
        refused(2, ["dynamics.step", "samflow simulate"], "--set", "dynamics.step=1")
        refused(2, ["network.depth", "diagonal"], "--set", "network.depth=2")
        refused(2, ["network.pool", "12 x 12"], "--set", "network.pool=20")
        refused(2, ["network.pool (default)"], "--set", "data.patches.height=3", "--set",
                "network.channels=[2, 2]", "--set", "data.patches.patch=2")
        refused(2, ["optimizer.rho is missing"], "--set", "optimizer.rho=")
        refused(2, ["lp-sam"], "--set", "optimizer.method=lp-sam")
        refused(2, ["optimizer.adaptive"], "--set", "optimizer.method=usam", "--set", "optimizer.adaptive=true")
        refused(2, ["training.steps", "training.epochs"], "--set", "training.epochs=3")
        refused(2, ["data.patches"], "--set", "data.patches.patch=9")
        refused(2, ["--checkpoint"], "--resume")
        refused(2, [".h5"], "--checkpoint", "here.json")
        refused(2, ["folder"], "-o", "nowhere/out.json")
        refused(2, ["labels_file"], "--set", "data.patches=", "--set", "data.file=x")
        refused(3, ["missing.idx"], "--set", "data.patches=", "--set", "data.file=missing.idx", "--set",
                "data.labels_file=missing.idx")
        done = subprocess.run([PROGRAM, "simulate", "-"], input=json.dumps(PATCHES), capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("expected only with samflow train", done.stderr)

    def test_divergence(self):
        done = run("-", "-o", "run.json", "--set", "training.rate=1e30", experiment=PATCHES)
        self.assertEqual(done.returncode, 4)
        self.assertIn("finite", done.stderr)
        with open("run.json") as stream:
            document = json.load(stream)
        self.assertEqual(document["status"], "diverged")
        self.assertEqual(document["records"][0]["step"], 0)


class Checkpoints(Folder):
    def setUp(self):
        super().setUp()
        if run("-", "--checkpoint", "probe.h5", experiment=PATCHES).returncode != 0:
            self.skipTest("built without HDF5")
        os.remove("probe.h5")

    def test_ten_and_ten(self):
        momentum = dict(PATCHES, optimizer=dict(PATCHES["optimizer"], momentum=0.9))
        whole = train(momentum, "--set", "training.steps=28")
        train(momentum, "--set", "training.steps=14", "--checkpoint", "run.h5")
        self.assertEqual(train(momentum, "--set", "training.steps=28", "--checkpoint", "run.h5", "--resume")["records"],
                         whole["records"])

    def test_killed_and_resumed(self):
        long = dict(PATCHES, training=dict(PATCHES["training"], steps=1500, checkpoint_every=20),
                    record={"every": 100})
        whole = train(long)
        kills = 0
        for delay in (0.05, 0.1, 0.15, 0.2, 0.1):
            process = subprocess.Popen([PROGRAM, "train", "-", "--checkpoint", "run.h5", "--resume"],
                                       stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            process.stdin.write(json.dumps(long).encode())
            process.stdin.close()
            time.sleep(delay)
            kills += process.poll() is None
            process.kill()
            process.wait()
        resumed = train(long, "--checkpoint", "run.h5", "--resume")
        self.assertGreater(kills, 0)
        self.assertEqual(resumed, whole)

    def test_interrupted(self):
        endless = dict(PATCHES, training=dict(PATCHES["training"], steps=10**9))
        with open("endless.yaml", "w") as stream:
            json.dump(endless, stream)
        process = subprocess.Popen([PROGRAM, "train", "endless.yaml", "--checkpoint", "run.h5", "-o", "run.json"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        deadline = time.time() + 60
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=deadline - time.time())
        self.assertEqual(process.returncode, 130, errors)
        with open("run.json") as stream:
            self.assertEqual(json.load(stream)["status"], "interrupted")
        self.assertTrue(os.path.exists("run.h5"))

    def test_of_something_else(self):
        train(PATCHES, "--checkpoint", "run.h5")
        for override, word in (("network.hidden=[9]", "network"), ("training.rate=0.2", "training"),
                               ("data.patches.seed=2", "data")):
            done = run("-", "--checkpoint", "run.h5", "--resume", "--set", override, experiment=PATCHES)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"of another {word}", done.stderr)
        with open("run.h5", "wb") as stream:
            stream.write(b"no checkpoint")
        done = run("-", "--checkpoint", "run.h5", "--resume", experiment=PATCHES)
        self.assertEqual(done.returncode, 3)
        self.assertIn("no HDF5 file", done.stderr)


if __name__ == "__main__":
    unittest.main()
