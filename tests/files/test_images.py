"""samflow data info --images from outside: IDX files, experiments, messages. Reads $SAMFLOW_PROGRAM."""

import json
import os
import struct
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
PIXELS = [[0, 100, 255, 20], [255, 255, 0, 0], [0, 0, 0, 0], [26, 25, 128, 127]]  # 2 x 2 each
LABELS = [7, 3, 5, 3]


def run(*arguments):
    return subprocess.run([PROGRAM, "data", "info", "--images", *arguments], capture_output=True, text=True)


class Images(unittest.TestCase):

    def setUp(self):
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        with open("x.idx", "wb") as stream:
            stream.write(struct.pack(">IIII", 0x0803, 4, 2, 2) + bytes(sum(PIXELS, [])))
        with open("y.idx", "wb") as stream:
            stream.write(struct.pack(">II", 0x0801, 4) + bytes(LABELS))

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def test_file(self):
        done = run("x.idx", "--labels", "y.idx", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)["data"][0]
        self.assertEqual((found["images"], found["channels"], found["height"], found["width"]), (4, 1, 2, 2))
        self.assertEqual(found["classes"], [{"in_file": 3, "images": 2}, {"in_file": 5, "images": 1},
                                            {"in_file": 7, "images": 1}])
        self.assertAlmostEqual(found["maximum"], 1, delta=1e-6)
        self.assertAlmostEqual(found["mean"], sum(map(sum, PIXELS)) / 255 / 16, delta=1e-6)
        # thresholds 25.5 and 127.5
        self.assertEqual(found["regions"], {"background": 9 / 16, "weak": 3 / 16, "strong": 4 / 16})
        text = run("x.idx", "--labels", "y.idx", "--classes", "5,3", "--scale", "1").stdout
        self.assertIn("3 of 1 x 2 x 2", text)
        self.assertIn("2: 1 of label 5, 2 of label 3", text)
        self.assertIn("0 to 255", text)

    def test_experiment(self):
        with open("run.yaml", "w", encoding="utf-8") as stream:
            stream.write("data: {file: x.idx, labels_file: y.idx, classes: [3, 5], scale: 0.01}\n"
                         "network: {model: diagonal}\noptimizer: {method: gd}\n")
        done = run("run.yaml", "--json")
        if "oneDNN" in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)["data"][0]
        self.assertEqual((found["images"], found["maximum"]), (3, struct.unpack("f", struct.pack("f", 2.55))[0]))

    def test_messages(self):
        for arguments, says in ((("x.idx",), "--labels FILE"),
                                (("x.idx", "--labels", "y.idx", "--classes", "3,x"), "A,B,..."),
                                (("x.idx", "--labels", "y.idx", "--classes", "3,"), "A,B,..."),
                                (("x.idx", "--labels", "y.idx", "--mirror"), "has no use beside --images"),
                                (("x.idx", "--labels", "y.idx", "--scale", "a"), "expected a number"),
                                (("x.idx", "--labels", "y.idx", "--classes", "3"), "1 class given")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)
        done = run("x.idx", "--labels", "y.idx", "--classes", "3,4")
        self.assertEqual(done.returncode, 3)
        self.assertIn("has the label 4", done.stderr)


if __name__ == "__main__":
    unittest.main()
