"""samflow simulate from outside: documents, files and their failures, interruptions, memory.

Reads $SAMFLOW_PROGRAM. Standard library; HDF5 files are compared where h5py is there.
"""

import csv
import json
import math
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
RECORD_KEYS = ["step", "tau", "log_time", "beta", "log_abs_beta", "log_loss", "min_margin"]
EVENT_KEYS = ["kind", "from", "to", "step", "tau", "log_time", "log_loss"]

DISCRETE = {"data": {"points": [[1, 2], [-1, -1.5], [0.3, 1]], "labels": [1, -1, 1]},
            "network": {"depth": 3, "init": [0.3, 0.6]},
            "optimizer": {"method": "l2-sam", "rho": 0.1},
            "dynamics": {"mode": "discrete", "step": 0.05, "steps": 3000},
            "record": {"samples": 30, "at": {"step": [5, 17]}}}
FLOW = {"data": {"example": [1, 2]}, "network": {"init": 0.5}, "record": {"samples": 9, "at": {"tau": [0.5, 10]}}}
GROWING = {"data": {"example": [1, 2]}, "network": {"init": 0.6}, "record": {"samples": 9}}
DIVERGING = {"data": {"points": [[1], [-1]], "labels": [1, 1]}, "network": {"depth": 4, "init": 2},
             "optimizer": {"method": "gd"}, "loss": "exponential",
             "dynamics": {"mode": "discrete", "step": 10, "steps": 500}}
LONG = dict(DISCRETE, dynamics={"mode": "discrete", "step": 1e-4, "steps": 10**12})


def run(*arguments, experiment=None, **options):
    return subprocess.run([PROGRAM, "simulate", *arguments], capture_output=True, text=True,
                          input=None if experiment is None else json.dumps(experiment), **options)


def simulate(experiment, *arguments, code=0):
    """The JSON document of an experiment; json rejects what is not JSON (NaN, say)."""
    done = run("-", "--json", *arguments, experiment=experiment)
    if done.returncode != code:
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

    def left_behind(self, *but):
        return sorted(set(os.listdir(".")) - set(but))


class Sources(Folder):
    """What may stand where data are described."""

    def info(self, *arguments):
        done = subprocess.run([PROGRAM, "data", "info", *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_classes_of_points(self):
        points = [[1, 2], [9, 9], [-1, -1.5], [0.3, 1]]
        kept = dict(DISCRETE, data={"points": points, "labels": [4, 0, 2, 4], "classes": [2, 4]})
        document = simulate(kept)
        self.assertEqual(document["experiment"]["data"], simulate(DISCRETE)["experiment"]["data"])
        self.assertEqual(document["final"], simulate(DISCRETE)["final"])
        kept["data"]["classes"] = [2, 5]
        done = run("-", experiment=kept)
        self.assertEqual(done.returncode, 2)
        self.assertIn("none of the 4 points has", done.stderr)

    def test_one_example_in_a_file(self):
        for label, count in (("1", [0, 1]), ("-1", [1, 0]), ("0", [1, 0]), ("yes", [0, 1])):
            with open("one.csv", "w") as stream:
                stream.write(f"a,b,y\n1,2,{label}\n")
            self.info("one.csv", "-o", "one.json")
            with open("one.json") as stream:
                described = json.load(stream)
            self.assertEqual(described, json.loads(self.info("one.csv", "--json")))
            self.assertEqual([c["examples"] for c in described["data"][0]["classes"]], count)


class Documents(Folder):
    def check_document(self, document, d, depth):
        self.assertEqual(list(document), ["samflow", "experiment", "status", "trajectory", "events", "final"])
        for record in document["trajectory"]:
            self.assertEqual(list(record), RECORD_KEYS)
            self.assertEqual([len(record["beta"]), len(record["log_abs_beta"])], [d, d])
        for event in document["events"]:
            self.assertEqual(list(event), EVENT_KEYS)
        self.assertEqual(list(document["final"]), RECORD_KEYS + ["layers"])
        self.assertEqual([len(layer) for layer in document["final"]["layers"]], [d] * depth)
        last = {key: document["final"][key] for key in RECORD_KEYS}
        self.assertEqual(last, document["trajectory"][-1])

    def test_discrete(self):
        document = simulate(DISCRETE)
        self.check_document(document, 2, 3)
        self.assertEqual(document["status"], "completed")
        self.assertEqual(document["samflow"], "0.1.0")
        steps = [record["step"] for record in document["trajectory"]]
        self.assertEqual(steps, sorted(set(steps)))
        self.assertTrue({0, 5, 17, 3000} <= set(steps) and all(isinstance(step, int) for step in steps))
        self.assertTrue(all(r["tau"] is None and r["log_time"] is None for r in document["trajectory"]))
        beta = [math.prod(weights) for weights in zip(*document["final"]["layers"])]
        for value, expected in zip(document["final"]["beta"], beta):
            self.assertLessEqual(abs(value - expected), 1e-15 * abs(expected))

    def test_flow(self):
        document = simulate(FLOW)
        self.check_document(document, 2, 2)
        self.assertEqual(document["status"], "collapsed")
        self.assertEqual([event["kind"] for event in document["events"]], ["collapse"])
        self.assertIsNone(document["events"][0]["from"])
        self.assertIsNone(document["trajectory"][0]["log_time"])  # log 0
        self.assertIsNone(document["trajectory"][0]["step"])
        self.assertEqual(document["final"]["beta"], [0, 0])
        self.assertEqual(document["final"]["log_abs_beta"], [None, None])
        self.assertEqual(document["final"]["tau"], 10)

    def test_resolved_experiment_runs_again(self):
        for experiment in (DISCRETE, FLOW, GROWING):
            first = simulate(experiment)
            second = simulate(first["experiment"])
            self.assertEqual(first, second)

    def test_nothing_else_on_standard_output(self):
        done = run("-", "--json", experiment=DISCRETE)
        self.assertEqual(done.stderr, "")
        json.loads(done.stdout)

    def test_table(self):
        done = run("-", experiment=FLOW)
        self.assertEqual(done.returncode, 0)
        self.assertIn("beta_1", done.stdout)
        self.assertIn("collapsed: 11 records", done.stdout)

    def test_settings(self):
        done = run("--settings")
        self.assertEqual(done.returncode, 0)
        self.assertIn("| `optimizer.rho` | a finite number >= 0 | `1` |", done.stdout)
        reference = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "doc", "experiment.md")
        with open(reference, encoding="utf-8") as stream:
            self.assertIn(done.stdout, stream.read(), "doc/experiment.md: replace its table by simulate --settings")


class Files(Folder):
    def test_csv(self):
        for experiment in (DISCRETE, FLOW):
            document = simulate(experiment, "-o", "out.csv")
            with open("out.csv", newline="") as stream:
                header, *rows = csv.reader(stream)
            self.assertEqual(header, ["step", "tau", "log_time", "log_loss", "min_margin", "beta_0", "beta_1"])
            self.assertEqual(len(rows), len(document["trajectory"]))
            for row, record in zip(rows, document["trajectory"]):
                expected = [record[key] for key in header[:5]] + record["beta"]
                for cell, value in zip(row, expected):
                    if value is None:
                        self.assertIn(cell, ("", "-inf"))
                    else:
                        self.assertEqual(float(cell), value)

    def test_json(self):
        document = simulate(DISCRETE, "-o", "out.json")
        with open("out.json") as stream:
            self.assertEqual(json.load(stream), document)
        self.assertEqual(self.left_behind("out.json"), [])

    def test_hdf5(self):
        try:
            import h5py
        except ImportError:
            self.skipTest("h5py is not installed")
        for experiment in (DISCRETE, FLOW, dict(GROWING, data={"example": [1 + k / 9000 for k in range(9000)]})):
            done = run("-", "-o", "out.h5", "--json", experiment=experiment)
            if done.returncode == 1 and "no HDF5" in done.stderr:
                self.skipTest("built without HDF5")
            document = json.loads(done.stdout)
            with h5py.File("out.h5") as file:
                def matches(values, expected):
                    return all(math.isclose(a, b, rel_tol=0) if b is not None else not math.isfinite(a)
                               for a, b in zip(values, expected, strict=True))
                records = document["trajectory"]
                for key in ("step", "tau", "log_time", "log_loss", "min_margin"):
                    self.assertTrue(matches(file[key][:], [record[key] for record in records]), key)
                for key in ("beta", "log_abs_beta"):
                    for row, record in zip(file[key][:], records, strict=True):
                        self.assertTrue(matches(row, record[key]))
                self.assertEqual(file["layers"][:].tolist(), document["final"]["layers"])
                self.assertEqual(file.attrs["status"], document["status"])
                self.assertEqual(file.attrs["samflow"], document["samflow"])
                held = file.attrs["experiment"] if "experiment" in file.attrs else file["experiment"][()].tobytes()
                self.assertEqual(json.loads(held), document["experiment"])
                events = file["events"]
                self.assertEqual([kind.decode() for kind in events["kind"][:]],
                                 [event["kind"] for event in document["events"]])
                for key in ("tau", "log_time", "log_loss"):
                    self.assertTrue(matches(events[key][:], [event[key] for event in document["events"]]))

    def test_refused_before_computing(self):
        for name, code, said in (("out.txt", 2, "unknown ending"), ("out", 2, "unknown ending"),
                                 (".json", 2, "unknown ending"), ("no/such/out.json", 2, "'no/such' does not exist"),
                                 ("sub.json", 2, "is a folder")):
            if name == "sub.json":
                os.mkdir(name)
            started = time.monotonic()
            done = run("-", "-o", name, experiment=LONG, timeout=20)
            self.assertEqual(done.returncode, code)
            self.assertIn(said, done.stderr)
            self.assertLess(time.monotonic() - started, 10)

    def test_file_that_cannot_grow(self):
        experiment = dict(DISCRETE, record={"samples": 2000})
        for name in ("out.json", "out.csv", "out.h5"):
            with open(name, "w") as stream:
                stream.write("old")
            done = run("-", "-o", name, experiment=experiment,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(name, done.stderr)
            with open(name) as stream:
                self.assertEqual(stream.read(), "old")
        self.assertEqual(self.left_behind("out.json", "out.csv", "out.h5"), [])

    def test_full_standard_output(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        for arguments in (["--json"], []):
            with open("/dev/full", "w") as full:
                done = subprocess.run([PROGRAM, "simulate", "-", *arguments], input=json.dumps(DISCRETE), text=True,
                                      stdout=full, stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 1)
            self.assertIn("could not be written", done.stderr)

    def test_divergence(self):
        done = run("-", "-o", "out.json", experiment=DIVERGING)
        self.assertEqual(done.returncode, 4)
        self.assertIn("finite numbers", done.stderr)
        with open("out.json") as stream:
            document = json.load(stream)
        self.assertEqual(document["status"], "diverged")
        self.assertGreaterEqual(len(document["trajectory"]), 2)

    def test_data_beside_the_experiment(self):
        os.makedirs("here/data")
        os.makedirs("there")
        with open("here/data/a.csv", "w") as stream:
            stream.write("1,2,1\n-1,-3,-1\n")
        with open("there/b.csv", "w") as stream:
            stream.write("2,2,1\n-1,-3,-1\n")
        environment = dict(os.environ, SAMFLOW_DATA=os.path.abspath("there"))
        for file in ("data/a.csv", "b.csv"):
            with open("here/run.yaml", "w") as stream:
                json.dump({"data": {"file": file}, "dynamics": {"mode": "discrete", "steps": 3}}, stream)
            done = run("here/run.yaml", "--json", env=environment)
            self.assertEqual(done.returncode, 0, done.stderr)
            again = simulate(json.loads(done.stdout)["experiment"])
            self.assertEqual(again, json.loads(done.stdout))
        done = run("here/run.yaml", env={key: os.environ[key] for key in os.environ if key != "SAMFLOW_DATA"})
        self.assertEqual(done.returncode, 3)
        self.assertIn("b.csv", done.stderr)


class Failures(Folder):
    def test_exit_codes(self):
        for text, code, said in (("", 2, "empty"), ("data: {example: [1]}\nlos: x\n", 2, "standard input:2:1: los"),
                                 ("data: {file: none.csv}", 3, "none.csv")):
            done = subprocess.run([PROGRAM, "simulate", "-"], input=text, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (code, ""))
            self.assertIn(said, done.stderr)
        for arguments in ([], ["a.yaml", "b.yaml"], ["--wrong"], ["none.yaml"], ["--set"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)

    def interrupt(self, experiment, signals, name="out.json"):
        with open("run.yaml", "w") as stream:
            json.dump(experiment, stream)
        process = subprocess.Popen([PROGRAM, "simulate", "run.yaml", "-o", name], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        time.sleep(1.0)
        process.send_signal(signals)
        _, messages = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130 if signals == signal.SIGINT else 143, messages)
        self.assertIn("interrupted", messages)
        self.assertEqual(self.left_behind("run.yaml", name), [])

    def test_interruption(self):
        for signals in (signal.SIGINT, signal.SIGTERM):
            self.interrupt(LONG, signals)
            with open("out.json") as stream:
                document = json.load(stream)
            self.assertEqual(document["status"], "interrupted")
            self.assertGreater(document["final"]["step"], 1000)
            steps = [record["step"] for record in document["trajectory"]]
            self.assertEqual(steps, sorted(set(steps)))

    def test_interruption_keeps_other_formats(self):
        self.interrupt(LONG, signal.SIGINT, "out.csv")
        with open("out.csv") as stream:
            self.assertGreater(len(stream.readlines()), 3)


class Memory(Folder):
    FEATURES = 400000

    def peak(self, name, *arguments):
        process = subprocess.Popen([PROGRAM, "simulate", name, "-o", "out.csv", *arguments],
                                   stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, 0)
        return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    def test_five_vectors_a_layer(self):
        """Beside the records asked for, of beta and log|beta| each; what a run of 2 features takes is not counted."""
        if os.environ.get("SAMFLOW_SANITIZED"):
            self.skipTest("a build with sanitizers")
        experiment = {"data": {"example": [0.5 + k / self.FEATURES for k in range(self.FEATURES)]},
                      "dynamics": {"mode": "discrete", "step": 1e-7, "steps": 20}, "record": {"samples": 2}}
        with open("large.yaml", "w") as stream:
            json.dump(experiment, stream)
        with open("small.yaml", "w") as stream:
            json.dump(dict(experiment, data={"example": [1, 2]}), stream)
        small = self.peak("small.yaml")
        for depth in (1, 2, 3):
            vectors = (self.peak("large.yaml", "--set", f"network.depth={depth}") - small) / (8 * self.FEATURES)
            self.assertLessEqual(vectors, 5 * depth + 2 * 2, f"depth {depth}")


if __name__ == "__main__":
    unittest.main()
