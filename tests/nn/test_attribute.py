"""samflow attribute from outside: maps and shares against PyTorch's autograd, files, intervals, messages.

Reads $SAMFLOW_PROGRAM. Standard library; maps are compared where torch, numpy and h5py are there.
"""

import csv
import json
import math
import os
import random
import shutil
import struct
import subprocess
import tempfile
import unittest

try:
    import h5py
    import numpy
    import torch
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
except ImportError as missing:
    torch = None
    print(f"no comparison with PyTorch: {missing}")

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
SIDE, COUNT = 12, 30
T_ONE_DEGREE = 12.706204736174707  # Student's t, one degree of freedom, 95 %


def run(*arguments, experiment=None):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True,
                          input=None if experiment is None else json.dumps(experiment))


class Attribute(unittest.TestCase):
    """Every test in a folder of its own."""

    def setUp(self):
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def write_images(self, classes):
        draws = random.Random(5)
        self.bytes = [[draws.choice((0, 10, 60, 120, 200, 255)) for _ in range(SIDE * SIDE)] for _ in range(COUNT)]
        self.labels = [n % classes for n in range(COUNT)]
        with open("x.idx", "wb") as stream:
            stream.write(struct.pack(">IIII", 0x0803, COUNT, SIDE, SIDE) + bytes(sum(self.bytes, [])))
        with open("y.idx", "wb") as stream:
            stream.write(struct.pack(">II", 0x0801, COUNT) + bytes(self.labels))

    def train(self, name, classes=2, split=False, **network):
        self.write_images(classes)
        experiment = {"data": {"file": "x.idx", "labels_file": "y.idx", "scale": 1 / 255},
                      "network": network if "model" in network
                      else {"channels": [3, 5], "kernel": 3, "hidden": [6], **network},
                      "optimizer": {"method": "l2-sam", "rho": 0.05},
                      "training": {"steps": 5, "batch": 8, "rate": 0.1}}
        if split:
            experiment["data"]["split"] = {"test": 0.4}
        done = run("train", "-", "--checkpoint", name, experiment=experiment)
        self.assertEqual(done.returncode, 0, done.stderr)

    def attribute(self, *arguments):
        done = run("attribute", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def document(self, *arguments):
        self.attribute(*arguments, "-o", "a.json", "--images", str(COUNT))
        with open("a.json", encoding="utf-8") as stream:
            return json.load(stream)

    # ---- maps ----------------------------------------------------------------------------------------------------

    def reference(self, checkpoint, layer):
        """Grad-CAM of a convolution and the input gradient by autograd: (COUNT, SIDE, SIDE) each."""
        with h5py.File(checkpoint, "r") as file:
            w = {name: torch.tensor(numpy.array(value, dtype=float)) for name, value in file["parameters"].items()}
        x = torch.tensor(self.bytes, dtype=torch.float64).reshape(COUNT, 1, SIDE, SIDE) / 255
        x.requires_grad_()
        at, kept = x, []
        for number in (1, 2):
            at = torch.relu(torch.nn.functional.conv2d(at, w[f"conv{number}.weight"], w[f"conv{number}.bias"],
                                                       padding=1))
            at.retain_grad()
            kept.append(at)
            at = torch.nn.functional.max_pool2d(at, 2)
        at = torch.relu(torch.nn.functional.linear(at.flatten(1), w["fc1.weight"], w["fc1.bias"]))
        f = torch.nn.functional.linear(at, w["fc2.weight"], w["fc2.bias"])
        labels = torch.tensor(self.labels)
        own = (2 * labels - 1) * f[:, 0] if f.shape[1] == 1 else f[torch.arange(COUNT), labels]
        own.sum().backward()
        a = kept[layer]
        cam = (a.grad.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True).detach()
        cam = torch.nn.functional.interpolate(cam, size=(SIDE, SIDE), mode="bilinear", align_corners=False)
        return cam[:, 0].numpy(), x.grad[:, 0].numpy()

    def compare(self, entry, expected):
        self.assertEqual(len(entry["maps"]), COUNT)
        sums = [0.0, 0.0, 0.0]
        for n, item in enumerate(entry["maps"]):
            found = numpy.array(item["map"])
            size = abs(expected[n]).max()
            self.assertLess(abs(found - expected[n]).max(), 1e-5 * size + 1e-12)
            self.assertEqual(item["label"], self.labels[n])
            pixel = numpy.array(self.bytes[n]).reshape(SIDE, SIDE) / 255
            region = (pixel >= 0.1).astype(int) + (pixel >= 0.5)
            for k, name in enumerate(("background", "weak", "strong")):
                share = abs(expected[n])[region == k].sum() / abs(expected[n]).sum()
                self.assertAlmostEqual(item["shares"][name], share, delta=1e-4)
                sums[k] += share / COUNT
        for k, name in enumerate(("background", "weak", "strong")):
            self.assertAlmostEqual(entry["shares"][name], sums[k], delta=1e-4)
        self.assertEqual(entry["empty"], int((expected.reshape(COUNT, -1).max(1) <= 0).sum()))

    @unittest.skipIf(torch is None, "needs torch, numpy and h5py")
    def test_maps_are_those_of_autograd(self):
        for classes in (2, 3):
            self.train("run.h5", classes)
            for layer in (0, 1):
                entries = self.document("run.h5", "--layer", f"conv{layer + 1}")["attributions"]
                cam, gradient = self.reference("run.h5", layer)
                self.assertEqual([e["method"] for e in entries], ["grad-cam", "input-gradient"])
                self.compare(entries[0], cam)
                self.compare(entries[1], gradient)

    # ---- what is written ------------------------------------------------------------------------------------------

    def test_test_images_and_steps(self):
        self.train("run.h5", split=True)
        entry = json.loads(self.attribute("run.h5", "--json"))["attributions"][0]
        self.assertEqual((entry["set"], entry["images"], entry["step"], entry["layer"]), ("test", 12, 5, "conv2"))
        self.assertEqual(entry["maps"], [])
        self.train("run.h5")
        self.assertIn("the training images", self.attribute("run.h5"))

    def test_interval_over_checkpoints(self):
        for seed in (1, 2):
            self.train(f"{seed}.h5", seed=seed)
        document = self.document("1.h5", "2.h5", "--method", "grad-cam")
        x = [e["shares"]["weak"] for e in document["attributions"]]
        found = document["means"][0]["shares"]["weak"]
        self.assertEqual(document["means"][0]["checkpoints"], 2)
        self.assertAlmostEqual(found["mean"], (x[0] + x[1]) / 2, places=14)
        self.assertAlmostEqual(found["half_width"], T_ONE_DEGREE * abs(x[0] - x[1]) / 2, places=10)
        table = self.attribute("1.h5", "2.h5", "--method", "grad-cam").splitlines()
        self.assertTrue(any(line.startswith("mean") and f"{found['mean']:.4f}" in line for line in table))
        self.assertTrue(any(line.startswith("+- (95 %)") and f"{found['half_width']:.4f}" in line for line in table))
        one = self.document("1.h5")["means"][0]["shares"]["weak"]
        self.assertIsNone(one["half_width"])

    def test_csv(self):
        self.train("a,b.h5")
        self.attribute("a,b.h5", "-o", "a.csv")
        with open("a.csv", newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        self.assertEqual(len(rows), 2 * COUNT)
        self.assertEqual(rows[0]["checkpoint"], "a,b.h5")
        for r in rows:
            self.assertTrue(math.isclose(sum(float(r[k]) for k in ("background", "weak", "strong")), 1, rel_tol=1e-12))

    @unittest.skipIf(shutil.which("gnuplot") is None, "needs gnuplot")
    def test_figure(self):
        self.train("run.h5")
        self.attribute("run.h5", "-o", "a.png", "--images", "2")
        with open("a.png", "rb") as stream:
            self.assertEqual(stream.read(8), b"\x89PNG\r\n\x1a\n")
        # networks of other images, and larger ones
        patches = {"data": {"patches": {"strong": 1, "height": 20, "width": 24, "per_class": 5}},
                   "network": {"channels": [2, 2], "kernel": 3, "hidden": []},
                   "optimizer": {"method": "gd"}, "training": {"steps": 2}}
        done = run("train", "-", "--checkpoint", "wide.h5", experiment=patches)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.attribute("run.h5", "wide.h5", "-o", "b.svg", "--images", "20")

    def test_fully_connected(self):
        self.train("run.h5", model="mlp", hidden=[16])
        entries = json.loads(self.attribute("run.h5", "--json"))["attributions"]
        self.assertEqual([(e["method"], e["layer"]) for e in entries], [("input-gradient", None)])
        self.refuse(2, "without convolutions", "run.h5", "--method", "grad-cam")
        self.refuse(2, "without convolutions", "run.h5", "--layer", "conv1")
        self.train("cnn.h5")
        self.refuse(2, "not both", "cnn.h5", "run.h5")

    # ---- messages ---------------------------------------------------------------------------------------------------

    def refuse(self, code, says, *arguments):
        done = run("attribute", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_messages(self):
        self.train("run.h5")
        self.refuse(2, "expected one of: conv1, conv2", "run.h5", "--layer", "fc1")
        self.refuse(2, "expected grad-cam or input-gradient", "run.h5", "--method", "cam")
        self.refuse(2, "--layer is of Grad-CAM", "run.h5", "--layer", "conv1", "--method", "input-gradient")
        self.refuse(2, "from 1 to", "run.h5", "--images", "0")
        self.refuse(2, "unknown ending", "run.h5", "-o", "a.txt")
        self.refuse(2, "does not exist, expected one to write in", "run.h5", "-o", "none/a.json")
        self.refuse(2, "no checkpoint given")
        self.refuse(3, "no HDF5 file", "x.idx")
        self.refuse(3, "data.file: 'none.idx' does not exist", "run.h5", "--set", "data.file=none.idx")
        with open("run.h5", "rb") as stream:
            whole = stream.read()
        with open("cut.h5", "wb") as stream:
            stream.write(whole[: len(whole) // 2])
        self.refuse(3, "cut.h5", "cut.h5")


if __name__ == "__main__":
    unittest.main()
