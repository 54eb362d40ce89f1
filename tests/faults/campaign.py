"""Campaigns against what is on the disk: kills at any moment, calls that fail, a full disk, a disk that becomes read-only. After
each, the same command is run again undisturbed, and its result must be that of a run that nothing ever happened to.

usage: campaign.py PROGRAM SHIM [--full] [--seed N] [NAME...]        NAME: kill-sweep kill-train kill-mpi calls full-disk read-only
SHIM: the preloadable library of failing.c. --full: at least 100 of each kind, else about a tenth.
"""

import argparse
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

GRID = {"data": {"example": [1, 2]}, "dynamics": {"mode": "discrete", "step": 0.01, "steps": 6000},
        "sweep": {"axes": {"zip": {"network.init": {"linspace": [0.3, 1.2, 30]}, "record.samples": {"linspace": [200, 229, 30]}},
                           "optimizer.rho": {"linspace": [0.5, 2, 20]}},
                  "observables": ["regime", "final_loss"]}}
POINTS = 600
NET = {"data": {"name": "digits", "classes": [3, 8]}, "network": {"model": "mlp", "hidden": [8], "backend": "plain"},
       "optimizer": {"method": "l2-sam", "rho": 0.05},
       "training": {"epochs": 40, "batch": 32, "rate": 0.1, "checkpoint_every": 20}}
RUN = {"data": {"example": [1, 2]}, "record": {"samples": 50}}


class Campaign:
    def __init__(self, program, shim, full, seed):
        self.program, self.shim, self.full = program, shim, full
        self.draws = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="samflow-faults-")
        os.chdir(self.folder)
        for name, content in (("grid.yaml", GRID), ("net.yaml", NET), ("run.yaml", RUN)):
            with open(name, "w") as stream:
                json.dump(content, stream)
        self.faults = []

    def run(self, *arguments, environment=None, check=False, folder=None):
        done = subprocess.run([self.program, *arguments, "--quiet"], capture_output=True, timeout=120, cwd=folder,
                              env=dict(os.environ, **(environment or {})), text=True, errors="backslashreplace")
        if done.returncode < 0 or (check and done.returncode != 0):
            self.fault(f"{arguments} {environment}: code {done.returncode}: {done.stderr[-300:]}")
        return done

    def fault(self, text):
        print(f"FAULT: {text}", flush=True)
        self.faults.append(text)

    def killed(self, arguments, most):
        """Starts it, kills it within `most` seconds; whether it was alive."""
        process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(most * self.draws.random())
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return process.wait() == -signal.SIGKILL

    def remove(self, *names):
        for name in names:
            for ending in ("", "-wal", "-shm", "-journal", "-lock"):
                if os.path.exists(name + ending):
                    os.unlink(name + ending)

    def sound(self, path):
        """Points of a result file that is whole; 0 where there is none yet."""
        if not os.path.exists(path):
            return 0
        with sqlite3.connect(path) as file:
            if file.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                self.fault(f"{path}: {file.execute('PRAGMA integrity_check').fetchall()[:3]}")
            if not file.execute("SELECT count(*) FROM sqlite_master WHERE name = 'point'").fetchone()[0]:
                return 0
            points, hashes, members = file.execute("SELECT (SELECT count(*) FROM point), (SELECT count(DISTINCT hash) FROM point),"
                                                   " (SELECT count(*) FROM member)").fetchone()
            if not points == hashes == members:
                self.fault(f"{path}: {points} points, {hashes} hashes, {members} members")
            return points

    def rows(self, path):
        self.run("export", path, "-o", "rows.csv", check=True)
        with open("rows.csv", newline="") as stream:
            rows = list(csv.reader(stream))
        os.unlink("rows.csv")
        return rows

    def whole_sweep(self):
        if not hasattr(self, "expected"):
            self.run("sweep", "grid.yaml", "-o", "whole.db", check=True)
            self.expected = self.rows("whole.db")
        return self.expected

    def finish(self, path, what):
        """The same command goes on to the same rows."""
        self.run("sweep", "grid.yaml", "-o", path, check=True)
        self.sound(path)
        if self.rows(path) != self.whole_sweep():
            self.fault(f"{what}: rows differ after resuming")

    def kill_sweep(self, start=None, name="kill-sweep"):
        goal, kills, rounds, before = 100 if self.full else 12, 0, 0, 0
        self.whole_sweep()
        while kills < goal:
            kills += self.killed(start or [self.program, "sweep", "grid.yaml", "-o", "k.db", "--quiet"], 1.5 if start else 0.3)
            points = self.sound("k.db")
            if points < before:
                self.fault(f"{name}: {before} points before, {points} after")
            before = points
            if points == POINTS:
                self.finish("k.db", name)
                self.remove("k.db")
                before, rounds = 0, rounds + 1
        self.finish("k.db", name)
        self.remove("k.db")
        print(f"{name}: {kills} kills, {rounds + 1} sweeps completed")

    def kill_mpi(self):
        mpi = os.path.join(os.path.dirname(self.program), "samflow-mpi")
        if not os.access(mpi, os.X_OK) or subprocess.run(["which", "mpirun"], capture_output=True).returncode:
            print("kill-mpi: skipped: no samflow-mpi in this build, or no mpirun")
            return
        self.kill_sweep(["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3", mpi, "grid.yaml", "-o", "k.db", "--quiet"],
                        "kill-mpi")

    def kill_train(self):
        train = ("train", "net.yaml", "--checkpoint", "net.h5", "--resume", "--json")
        goal, kills, rounds = 100 if self.full else 12, 0, 0
        last = lambda text: {k: v for k, v in json.loads(text)["records"][-1].items() if "second" not in k}
        expected = last(self.run("train", "net.yaml", "--json", check=True).stdout)
        while kills < goal:
            kills += self.killed([self.program, *train, "--quiet"], 0.3)
            if self.draws.random() < 0.2 or kills == goal:
                done = self.run(*train, check=True)
                if done.returncode == 0 and last(done.stdout) != expected:
                    self.fault(f"kill-train: another end after resuming: {last(done.stdout)}, expected {expected}")
                self.remove("net.h5")
                rounds += 1
        print(f"kill-train: {kills} kills, {rounds} runs completed")

    def calls(self):
        """The n-th call of each kind fails, of a sweep, an export, a trajectory, for n = 1, 2, ... until there are no more."""
        self.whole_sweep()
        most = 100 if self.full else 6
        commands = {"sweep": ("sweep", "grid.yaml", "-o", "f.db", "--threads", "1"), "csv": ("export", "whole.db", "-o", "f.csv"),
                    "hdf5": ("simulate", "run.yaml", "-o", "f.h5"), "json": ("simulate", "run.yaml", "-o", "f.json")}
        for what, command in commands.items():
            failed = told = 0
            for call in ("write", "pwrite", "fsync", "rename", "close", "ftruncate"):
                for reason in (5, 28) if self.full else (28,):
                    for n in range(1, most + 1):
                        self.remove("f.db", "f.csv", "f.h5", "f.json", "mark")
                        done = self.run(*command, environment={"LD_PRELOAD": self.shim, "FAILING": f"{call}:{n}:{reason}",
                                                               "FAILING_LOG": "mark"})
                        if not os.path.exists("mark"):
                            break
                        failed += 1
                        told += done.returncode != 0
                        where = f"{what}, {call} number {n}, errno {reason}"
                        if done.returncode not in (0, 1, 3, 4):
                            self.fault(f"{where}: code {done.returncode}: {done.stderr[-200:]}")
                        if done.returncode != 0 and not done.stderr.strip():
                            self.fault(f"{where}: no message")
                        self.after(what, command, where, done)
            print(f"calls: {what}: {failed} calls failed, {told} of them seen, the others harmless", flush=True)

    def after(self, what, command, where, done):
        if what == "sweep":
            self.sound("f.db")
            self.finish("f.db", where)
            return
        name = command[-1]
        if done.returncode == 0 and not os.path.exists(name):
            self.fault(f"{where}: success, and no file")
        if done.returncode != 0 and os.path.exists(name) and not self.same_as_whole(command, name):
            self.fault(f"{where}: half a file")
        if done.returncode == 0 and not self.same_as_whole(command, name):
            self.fault(f"{where}: success, and another file")
        left = [n for n in os.listdir(".") if n.startswith(name) and n != name]
        if left:
            self.fault(f"{where}: left behind {left}")
            subprocess.run(["rm", "-rf", *left])

    def same_as_whole(self, command, name):
        whole = "whole-" + name
        if not os.path.exists(whole):
            self.run(*command[:-1], whole, check=True)
        with open(whole, "rb") as a, open(name, "rb") as b:
            return a.read() == b.read() or name.endswith(".h5")  # which holds times

    def mounted(self, megabytes):
        os.makedirs("disk", exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}", "tmpfs", "disk"], capture_output=True)
        return done.returncode == 0

    def full_disk(self):
        if not self.mounted("160k"):
            print("full-disk: skipped: no right to mount")
            return
        try:
            done = self.run("sweep", "grid.yaml", "-o", "disk/f.db")
            if done.returncode != 1:
                self.fault(f"full-disk: code {done.returncode}, expected 1: {done.stderr[-200:]}")
            status = self.run("sweep", "--status", "disk/f.db", "--json")
            points = self.sound("disk/f.db")
            if status.returncode == 0 and json.loads(status.stdout).get("done") != points:
                self.fault(f"full-disk: status says {json.loads(status.stdout)}, the file holds {points}")
            subprocess.run(["mount", "-o", "remount,size=16m", "disk"], check=True)
            self.finish("disk/f.db", "full-disk")
            print(f"full-disk: {points} of {POINTS} points kept, then completed")
        finally:
            subprocess.run(["umount", "-l", "disk"])

    def read_only(self):
        if not self.mounted("16m"):
            print("read-only: skipped: no right to mount")
            return
        try:
            self.run("sweep", "grid.yaml", "-o", "disk/f.db", "--set", "dynamics.steps=2000", check=True)
            subprocess.run(["mount", "-o", "remount,ro", "disk"], check=True)
            for command in (("sweep", "grid.yaml", "-o", "disk/f.db"), ("simulate", "run.yaml", "-o", "disk/r.json")):
                done = self.run(*command)
                if done.returncode != 1 or "ead-only" not in done.stderr:
                    self.fault(f"read-only: {command}: code {done.returncode}: {done.stderr[-200:]}")
            self.run("sweep", "--status", "disk/f.db", check=True)
            subprocess.run(["mount", "-o", "remount,rw", "disk"], check=True)
            self.run("sweep", "grid.yaml", "-o", "disk/f.db", check=True)
            print("read-only: refused, read, and gone on with")
        finally:
            subprocess.run(["umount", "-l", "disk"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("shim")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    print(f"campaign: seed {options.seed}", flush=True)
    campaign = Campaign(os.path.abspath(options.program), os.path.abspath(options.shim), options.full, options.seed)
    for name in options.names or ["kill-sweep", "kill-train", "kill-mpi", "calls", "full-disk", "read-only"]:
        getattr(campaign, name.replace("-", "_"))()
    os.chdir("/")
    subprocess.run(["rm", "-rf", campaign.folder])
    print(f"campaign: {len(campaign.faults)} faults")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
