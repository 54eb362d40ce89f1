"""How the program behaves: stopping, exit codes, files that are only read, shards, events, help, pages and completion.

Reads $SAMFLOW_PROGRAM. Standard library; shells and groff are asked where there are any.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.path.abspath(os.environ["SAMFLOW_PROGRAM"])
REPOSITORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COMMANDS = ["simulate", "predict", "sweep", "export", "merge", "limit", "margin", "train", "attribute", "data info",
            "data fetch", "bench", "plot", "reproduce", "help"]
RUN = {"data": {"example": [1, 2]}, "network": {"init": 0.6}, "dynamics": {"until": {"tau": 3}},
       "record": {"samples": 4}}
LONG = {"data": {"example": [1, 2]}, "optimizer": {"rho": 0.1}, "record": {"samples": 20},
        "dynamics": {"mode": "discrete", "step": 1e-6, "steps": 10**13}}
ALL_STUCK = {"data": {"points": [[1, 2], [2, 1], [-1, -0.5]], "labels": [1, 1, -1]},
             "network": {"depth": 3, "init": 1e-300}, "optimizer": {"method": "l2-sam", "rho": 1e-200},
             "dynamics": {"until": {"log_time": 800}}}
GRID = {"data": {"example": [1, 2]}, "optimizer": {"rho": 0.1},
        "dynamics": {"mode": "discrete", "step": 0.1, "steps": 20},
        "sweep": {"axes": {"network.init": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}}}
FAILING = {"data": {"example": [1, 2]}, "optimizer": {"rho": 0.1},
           "dynamics": {"mode": "discrete", "step": 0.1, "steps": 20},
           "sweep": {"axes": {"data.example": [[1, 2], [1, 2, 3]]}, "observables": ["direction"]}}


def clean_environment(**more):
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("SLURM_", "SGE_", "PBS_", "LSB_"))}
    return environment | more


class Folder(unittest.TestCase):
    def setUp(self):
        self.before = os.getcwd()
        self.folder = tempfile.TemporaryDirectory()
        os.chdir(self.folder.name)
        for name, experiment in (("run.yaml", RUN), ("long.yaml", LONG), ("stuck.yaml", ALL_STUCK), ("grid.yaml", GRID),
                                 ("failing.yaml", FAILING)):
            self.write(name, json.dumps(experiment))

    def tearDown(self):
        os.chdir(self.before)
        self.folder.cleanup()

    def write(self, name, text):
        with open(name, "w", encoding="utf-8") as stream:
            stream.write(text)

    def read(self, name):
        with open(name, "rb") as stream:
            return stream.read()

    def run_program(self, *arguments, code=0, **environment):
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300,
                              stdin=subprocess.DEVNULL, env=clean_environment(**environment))
        self.assertEqual(done.returncode, code, f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def lines(self, name):
        with open(name, encoding="utf-8") as stream:
            return [json.loads(line) for line in stream]


class Stopping(Folder):
    """What would run for hours ends, with its code, and with what there is."""

    def stopped(self, *arguments, signals, code):
        process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(0.7)
        for number in signals:
            process.send_signal(number)
        output, errors = process.communicate(timeout=100)
        self.assertEqual(process.returncode, code, output + errors)
        return output

    def test_signals(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 143), (signal.SIGUSR2, 143)):
            self.stopped("simulate", "long.yaml", "-o", "out.json", signals=[number], code=code)
            self.assertEqual(json.loads(self.read("out.json"))["status"], "interrupted")
            os.remove("out.json")

    def test_a_signal_sent_twice_at_once_is_one(self):
        self.stopped("simulate", "long.yaml", "-o", "out.json", signals=[signal.SIGTERM, signal.SIGTERM], code=143)
        self.assertEqual(json.loads(self.read("out.json"))["status"], "interrupted")

    def test_json_after_a_stop_is_one_document(self):
        output = self.stopped("simulate", "long.yaml", "--json", signals=[signal.SIGTERM], code=143)
        self.assertEqual(json.loads(output)["status"], "interrupted")

    def test_sweep_goes_on(self):
        grid = dict(GRID, dynamics=dict(GRID["dynamics"], steps=10**8, step=1e-6))
        self.write("slow.yaml", json.dumps(grid))
        output = self.stopped("sweep", "slow.yaml", "-o", "slow.db", "--json", signals=[signal.SIGUSR1], code=143)
        self.assertIn(json.loads(output)["state"], ("interrupted", "finished"))
        self.run_program("sweep", "--status", "slow.db")

    def test_commands_that_do_not_look_are_ended(self):
        wide = {"data": {"gaussian": {"mean": [0.3] * 400, "std": 1, "per_class": 1500, "seed": 1}}}
        self.write("wide.yaml", json.dumps(wide))
        for command in ("margin", "limit", "predict"):
            process = subprocess.Popen([PROGRAM, command, "wide.yaml", "--json", "-o", "out.json"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(0.4)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=100)
            self.assertIn(process.returncode, (143, 0, 3))
            self.assertEqual([name for name in os.listdir(".") if ".tmp" in name], [])

    def test_max_seconds(self):
        self.run_program("simulate", "long.yaml", "-o", "out.json", "--max-seconds", "0.3", code=143)
        self.assertEqual(json.loads(self.read("out.json"))["status"], "interrupted")
        self.run_program("simulate", "run.yaml", "--max-seconds", "1000")


class ExitCodes(Folder):
    def test_missing_files(self):
        self.write("named.yaml", json.dumps({"data": {"file": "nowhere.csv"}}))
        self.write("grid_named.yaml", json.dumps({"data": {"file": "nowhere.csv"},
                                                  "sweep": {"axes": {"network.init": [0.1]}}}))
        self.write("train_named.yaml", json.dumps({"data": {"file": "nowhere", "labels_file": "nowhere2"},
                                                   "optimizer": {"rho": 0.1}}))
        for command in ("simulate", "predict", "limit", "margin", "train", "data info", "plot", "export", "attribute",
                        "sweep", "sweep --status", "merge all.db"):
            ending = {"plot": ["-o", "a.svg"], "export": ["-o", "a.csv"], "sweep": ["-o", "a.db"]}.get(command, [])
            self.run_program(*command.split(), "nowhere", *ending, code=2)
        self.run_program("data", "info", "run.yaml", "nowhere.csv", code=2)
        for command in ("simulate", "predict", "limit", "margin", "data info"):
            self.run_program(*command.split(), "named.yaml", code=3)
        self.run_program("sweep", "grid_named.yaml", "-o", "a.db", code=3)
        done = subprocess.run([PROGRAM, "train", "train_named.yaml"], capture_output=True, text=True)
        if "not available" not in done.stderr and "without" not in done.stderr:
            self.assertEqual(done.returncode, 3, done.stderr)

    def test_failed_points(self):
        self.assertEqual(json.loads(self.run_program("sweep", "failing.yaml", "-o", "f.db", "--json", code=6).stdout)
                         ["failed"], 1)
        self.run_program("sweep", "failing.yaml", "-o", "f.db", code=6)  # it still holds a failed point

    def test_a_shard_waits(self):
        refined = {"data": {"example": [1, 2]}, "optimizer": {"rho": 1}, "dynamics": {"until": {"tau": 3}},
                   "sweep": {"axes": {"network.init": {"from": 0.1, "to": 1.5, "count": 9},
                                      "optimizer.rho": {"from": 0.2, "to": 1, "count": 5}},
                             "observables": ["outcome", "leader"], "refine": {"levels": 2, "by": "leader"}}}
        self.write("refined.yaml", json.dumps(refined))
        done = subprocess.run([PROGRAM, "sweep", "refined.yaml", "-o", "1.db", "--shard", "1/2"], capture_output=True,
                              text=True)
        if done.returncode == 2:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("waiting", done.stdout)

    def test_claims(self):
        self.run_program("reproduce", "--only", "T4.4", "--quick")


class Inputs(Folder):
    """What is read is never written to, whatever it is called."""

    def test_outputs_that_are_inputs(self):
        self.run_program("simulate", "run.yaml", "-o", "run.json")
        self.run_program("simulate", "run.yaml", "-o", "run.h5")
        self.run_program("sweep", "grid.yaml", "-o", "a.db")
        self.write("table.csv", "a,b,label\n1,2,1\n-1,-1.5,-1\n0.3,1,1\n")
        self.write("table.yaml", json.dumps(dict(RUN, data={"file": "table.csv"})))
        os.symlink("run.json", "link.json")
        os.link("run.json", "hard.json")
        os.link("a.db", "hard.db")
        os.symlink("a.db", "link.db")
        os.link("table.csv", "hard.csv")
        os.mkdir("sub")
        kept = {name: self.read(name) for name in ("run.json", "run.h5", "a.db", "table.csv")}
        for arguments in (["simulate", "run.json", "-o", "run.json"], ["simulate", "run.json", "-o", "link.json"],
                          ["simulate", "link.json", "-o", "run.json"], ["predict", "run.json", "-o", "hard.json"],
                          ["limit", "run.json", "-o", "./sub/../run.json"], ["margin", "run.json", "-o", "link.json"],
                          ["simulate", "run.yaml", "-o", "b.json", "--events", "run.yaml"],
                          ["simulate", "run.yaml", "-o", "b.json", "--events", "./b.json"],
                          ["simulate", "table.yaml", "-o", "table.csv"], ["simulate", "table.yaml", "-o", "hard.csv"],
                          ["merge", "a.db", "./a.db"], ["merge", "hard.db", "a.db"], ["merge", "link.db", "a.db"],
                          ["sweep", "grid.yaml", "-o", "link.db", "--shard", "1/1", "--from", "a.db"],
                          ["attribute", "run.h5", "-o", "run.h5"], ["plot", "run.json", "-o", "run.json"],
                          ["train", "run.yaml", "--checkpoint", "c.h5", "-o", "c.h5"]):
            self.run_program(*arguments, code=2)
        for name, content in kept.items():
            self.assertEqual(self.read(name), content, name)

    def test_merge_only_reads(self):
        self.run_program("sweep", "grid.yaml", "-o", "1.db", "--shard", "1/2")
        self.run_program("sweep", "grid.yaml", "-o", "2.db", "--shard", "2/2")
        before = [self.read("1.db"), self.read("2.db")]
        self.run_program("merge", "all.db", "1.db", "2.db")
        self.assertEqual([self.read("1.db"), self.read("2.db")], before)
        self.run_program("export", "1.db", "-o", "1.csv")
        self.assertGreater(len(self.read("1.csv").splitlines()), 2)

    def test_a_report_stays(self):
        os.makedirs("report")
        self.write("report/index.html", "the full report")
        self.run_program("reproduce", "--only", "T4.4", "--quick")
        self.assertEqual(self.read("report/index.html"), b"the full report")
        self.assertIn(b'id="T4.4"', self.read("report-T4.4/index.html"))
        self.write("report/index.html", '<section id="T4.4">\n<section id="P4.7">')
        self.run_program("reproduce", "--only", "T4.4", "--quick", "-o", "report", code=2)
        self.run_program("reproduce", "--only", "T4.4", "--quick", "-o", "report-T4.4")  # again

    def test_standard_input_and_dashes(self):
        done = subprocess.run([PROGRAM, "predict", "-", "-o", "-"], input=json.dumps(RUN), capture_output=True, text=True)
        self.assertEqual(json.loads(done.stdout)["regime"], "minor_first", done.stderr)
        os.rename("run.yaml", "--json")
        self.run_program("predict", "--", "--json")


class Shards(Folder):
    def positions(self, **environment):
        self.run_program("sweep", "grid.yaml", "-o", "s.db", "--shard", environment.pop("shard", "auto"), **environment)
        with sqlite3.connect("s.db") as file:
            found = [row[0] for row in file.execute("SELECT position FROM member ORDER BY position")]
        os.remove("s.db")
        return found

    def test_auto(self):
        slurm = {"SLURM_ARRAY_TASK_MIN": "4", "SLURM_ARRAY_TASK_MAX": "8", "SLURM_ARRAY_TASK_STEP": "2",
                 "SLURM_ARRAY_TASK_COUNT": "3"}
        expected = [self.positions(shard=f"{i}/3") for i in (1, 2, 3)]
        self.assertEqual(sorted(sum(expected, [])), list(range(7)))
        self.assertEqual([self.positions(SLURM_ARRAY_TASK_ID=i, **slurm) for i in "468"], expected)
        sge = {"SGE_TASK_FIRST": "1", "SGE_TASK_LAST": "3", "SGE_TASK_STEPSIZE": "1"}
        self.assertEqual([self.positions(SGE_TASK_ID=i, **sge) for i in "123"], expected)
        self.assertEqual([self.positions(LSB_JOBINDEX=i, LSB_JOBINDEX_END="3") for i in "123"], expected)
        self.assertEqual([self.positions(PBS_ARRAY_INDEX=i, shard="auto/3") for i in "123"], expected)
        self.assertEqual([self.positions(PBS_ARRAYID=i, shard="auto/3") for i in "123"], expected)

    def test_auto_refused(self):
        def refused(shard="auto", **environment):
            self.run_program("sweep", "grid.yaml", "-o", "s.db", "--shard", shard, code=2, **environment)
            self.assertFalse(os.path.exists("s.db"))
        refused(PBS_ARRAY_INDEX="1")
        refused("auto/3", PBS_ARRAY_INDEX="0")
        refused("auto/3", PBS_ARRAY_INDEX="4")
        refused(SGE_TASK_ID="undefined")
        refused(LSB_JOBINDEX="0", LSB_JOBINDEX_END="0")
        listed = {"SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_COUNT": "3"}
        refused(SLURM_ARRAY_TASK_ID="3", **listed)  # --array=1,3,7
        refused("auto/4", SLURM_ARRAY_TASK_ID="1", SLURM_ARRAY_TASK_MIN="1", SLURM_ARRAY_TASK_MAX="3")
        for text in ("auto/0", "auto/", "autos", "0/3", "4/3", "1/", "/3", "1/3x", "+1/3"):
            refused(text, SLURM_ARRAY_TASK_ID="1", SLURM_ARRAY_TASK_MIN="1", SLURM_ARRAY_TASK_MAX="3")


class Events(Folder):
    def test_sweep(self):
        self.run_program("sweep", "failing.yaml", "-o", "f.db", "--events", "e.jsonl", code=6)
        events = self.lines("e.jsonl")
        self.assertEqual(events[0]["event"], "started")
        self.assertEqual(events[0]["command"], "sweep")
        failed = [event for event in events if event["event"] == "point failed"]
        self.assertEqual([event["name"] for event in failed], ["1"])
        self.assertTrue(failed[0]["reason"])
        self.assertEqual((events[-1]["event"], events[-1]["code"], events[-1]["stopped"]), ("finished", 6, False))
        self.run_program("sweep", "failing.yaml", "-o", "f.db", "--events", "e.jsonl", code=6)
        self.assertEqual([e["event"] for e in self.lines("e.jsonl")].count("started"), 2)

    def test_stopped(self):
        self.run_program("simulate", "long.yaml", "-o", "out.json", "--max-seconds", "1.5", "--events", "e.jsonl", code=143)
        events = self.lines("e.jsonl")
        self.assertIn("progress", [event["event"] for event in events])
        self.assertEqual((events[-1]["event"], events[-1]["code"], events[-1]["stopped"]), ("finished", 143, True))

    def test_error(self):
        self.write("broken.yaml", "data: [")
        self.run_program("simulate", "broken.yaml", "--events", "e.jsonl", code=2)
        self.assertEqual(self.lines("e.jsonl")[-1]["code"], 2)


class Help(Folder):
    def test_help_is_help(self):
        for command in COMMANDS:
            self.assertEqual(self.run_program("help", *command.split()).stdout,
                             self.run_program(*command.split(), "--help").stdout)
            self.assertEqual(self.run_program("help", *command.split()).stdout,
                             self.run_program(*command.split(), "-h").stdout)
        self.assertEqual(self.run_program("help").stdout, self.run_program("--help").stdout)
        self.assertEqual(self.run_program("help", "data").stdout, self.run_program("data", "--help").stdout)

    def test_table_in_the_documents(self):
        with open(os.path.join(REPOSITORY, "doc", "commands.md"), encoding="utf-8") as stream:
            self.assertIn(self.run_program("help", "--markdown").stdout, stream.read(),
                          "doc/commands.md: replace its tables by samflow help --markdown")

    def test_pages(self):
        for name in ["", *COMMANDS, "data"]:
            page = self.run_program("help", "--man", *name.split()).stdout
            self.assertTrue(page.startswith(".TH SAMFLOW"), name)
            for option in json.loads(self.run_program("help", *name.split(), "--json").stdout)["commands"]:
                for entry in option["options"] if name else []:
                    self.assertIn("\\-\\-" + entry["name"].replace("-", "\\-"), page)
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)

    def test_completion(self):
        for shell in ("bash", "zsh", "fish"):
            script = self.run_program("help", "--completion", shell).stdout
            for command in COMMANDS:
                self.assertIn(command.split()[0], script)
            self.write("completion", script)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n", "completion"], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)

    def complete(self, *words):
        script = self.run_program("help", "--completion", "bash").stdout
        listed = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(["bash", "-c", f"{script}\nCOMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _samflow\n"
                               "printf '%s\\n' \"${COMPREPLY[@]}\""], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return sorted(done.stdout.split())

    @unittest.skipUnless(shutil.which("bash"), "there is no bash")
    def test_bash(self):
        self.write("a.db", "")
        self.assertEqual(self.complete("samflow", "pre"), ["predict"])
        self.assertEqual(self.complete("samflow", "data", ""), ["fetch", "info"])
        self.assertEqual(self.complete("samflow", "sweep", "--th"), ["--threads"])
        self.assertEqual(self.complete("samflow", "margin", "--norm", ""), ["l1", "l2"])
        self.assertEqual(self.complete("samflow", "export", ""), ["a.db"])
        self.assertEqual(self.complete("samflow", "data", "info", "--st"), ["--standardize"])
        self.assertEqual(self.complete("samflow", "simulate", "ru"), ["run.yaml"])
        self.assertEqual(self.complete("samflow", "help", "mer"), ["merge"])


class Terminal(Folder):
    def test_nothing_that_a_terminal_obeys(self):
        nasty = "\033[31m\x9b\r\a\x7f"
        names = ["bad\033[31m.yaml", "bad\r.yaml"]
        for name in names:
            for arguments in ([name], ["predict", name], ["simulate", "run.yaml", "--set", name + "=1"],
                              ["simulate", "run.yaml", "-" + nasty], ["simulate", "run.yaml", "-o", name + "/x.json"],
                              ["plot", "run.yaml", "--x", nasty, "-o", "a.svg"], ["reproduce", "--only", nasty],
                              ["margin", "run.yaml", "--norm", nasty]):
                done = subprocess.run([PROGRAM, *arguments], capture_output=True)
                self.assertNotEqual(done.returncode, 0)
                for byte in b"\x1b\r\x07\x7f\x9b":
                    self.assertNotIn(byte, done.stdout + done.stderr, arguments)
        shutil.copy("run.yaml", names[0])
        done = subprocess.run([PROGRAM, "data", "info", names[0]], capture_output=True)
        self.assertEqual(done.returncode, 0)
        self.assertNotIn(0x1b, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
