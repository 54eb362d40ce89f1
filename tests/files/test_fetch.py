"""Downloads through the program: data fetch and reproduce --fetch against a mirror on this machine, with and without it.

usage: test_fetch.py   ($SAMFLOW_PROGRAM; the real files from $SAMFLOW_DATA or ../shared/data beside the repository)

Exit status 77, skipped, where the real files are missing and what needs none of them holds. Golub's two tables are written here
from the CSV in the form of the authors' files (order of patients, calls, "-0", stray fields): what samflow makes of them must be
the CSV byte for byte.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
program = os.environ["SAMFLOW_PROGRAM"]
data = os.environ.get("SAMFLOW_DATA") or os.path.join(here, "../../../shared/data")
mnist = ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]
failures = []


def expect(what, holds, detail=""):
    print(("ok      " if holds else "FAILED  ") + what, detail if not holds else "")
    if not holds:
        failures.append(what)


def run(*arguments, **variables):
    """The program with an empty data folder and a cache of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SAMFLOW_DATA", "SAMFLOW_MIRROR"))}
    environment.update({"XDG_CACHE_HOME": cache, "no_proxy": "*"}, **variables)
    start = time.monotonic()
    done = subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, timeout=240)
    done.seconds = time.monotonic() - start
    return done


def tables(csv):
    """The two tables of the authors, of which csv is made."""
    rows = [line.split(",") for line in csv.splitlines()[2:]]
    order = [*range(39, 41), 42, 47, 48, 49, 41, *range(43, 47), 70, 71, 72, 68, 69, 67, 55, 56, 59, 52, 53, 51, 50, 54,
             57, 58, 60, 61, 65, 66, 63, 64, 62]
    train = [*range(1, 28), *range(34, 39), *range(28, 34)]
    head = "Gene Description\tGene Accession Number\t"
    first = [head + "".join(f"{p}\tcall\t" for p in train) + "37"]
    second = [head + "\t".join(f"{p}\tcall" for p in order)]
    for row in rows:
        name = row[0].strip('"')
        values = ["-0" if v == "0" and i % 7 == 0 else v for i, v in enumerate(row[1:])]
        first.append(f"{name} (a probe, 5' end; \"quoted\")\t{name}\t" + "".join(f"{v}\tP\t" for v in values[:38]))
        second.append(f"{name} (a probe)\t{name}\t" + "\t".join(f"{values[p - 1]}\tA" for p in order))
    return "\n".join(first) + "\n", "\r\n".join(second) + "\r\n"


def mirror_of(folder):
    server = subprocess.Popen([sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"],
                              cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=dict(os.environ, PYTHONUNBUFFERED="1"))
    words = server.stdout.readline().split()
    return server, f"http://127.0.0.1:{words[words.index('port') + 1]}"


def offline():
    for what, mirror in (("refused", "http://127.0.0.1:9"), ("no such host", "http://no-such-host.invalid")):
        done = run("data", "fetch", "mnist", "--part", "test", SAMFLOW_MIRROR=mirror)
        expect(f"{what}: fetch fails", done.returncode == 1 and "Without a network" in done.stderr, done.stderr)
        done = run("reproduce", "--fetch", "--quick", "--only", "MNIST-01,GOLUB,C3.5-TIES", "-o", report + "-1", "--json",
                   SAMFLOW_MIRROR=mirror)
        claims = {claim["id"]: claim for claim in json.loads(done.stdout)["claims"]} if done.stdout else {}
        expect(f"{what}: reproduce goes on", done.returncode == 0 and len(claims) == 3, done.stderr)
        for claim, name in (("MNIST-01", "mnist"), ("GOLUB", "golub")):
            reason = claims.get(claim, {}).get("reason") or ""
            expect(f"{what}: {claim} is not run, with the command",
                   claims.get(claim, {}).get("verdict") == "not run" and "samflow data fetch" in reason
                   and name in reason, reason)
        expect(f"{what}: one try", done.stderr.count("fetching") == 1, done.stderr)
    done = run("reproduce", "--fetch", "--no-fetch", "--only", "MNIST-01", "-o", report + "-2", SAMFLOW_MIRROR="http://127.0.0.1:9")
    expect("--no-fetch: nothing is asked", "fetching" not in done.stderr and done.returncode == 0, done.stderr)
    listed = json.loads(run("data", "fetch", "--list", "--json").stdout)["data"]
    doubtful = sum(not file["verified"] for entry in listed for file in entry["files"])
    expect("list marks what nobody has verified", doubtful == 6, doubtful)


def damaged(folder, address):
    """Wrong and truncated files behind a mirror."""
    os.makedirs(os.path.join(folder, "mnist"))
    for name in mnist:
        with open(os.path.join(folder, "mnist", name), "wb") as stream:
            stream.write(b"not this")
    done = run("data", "fetch", "mnist", "--part", "test", SAMFLOW_MIRROR=address)
    expect("wrong checksum: refused", done.returncode == 3 and "SHA-256" in done.stderr, done.stderr)
    expect("wrong checksum: nothing is left", not os.listdir(os.path.join(cache, "samflow/mnist")))
    done = run("data", "fetch", "fashion-mnist", "--part", "test", "--mirror", address + "/mnist")
    expect("an unverified sum says so", "not verified by us" in done.stderr, done.stderr)
    os.makedirs(os.path.join(folder, "golub"))
    for name in ("data_set_ALL_AML_train.txt", "data_set_ALL_AML_independent.txt"):
        with open(os.path.join(folder, "golub", name), "w", encoding="ascii") as stream:
            stream.write("Gene Description\tGene Accession Number\t1\tcall\nx\tx\t1\tA\n")
    done = run("data", "fetch", "golub", SAMFLOW_MIRROR=address)
    expect("golub: other tables are refused", done.returncode == 3 and "SHA-256" in done.stderr, done.stderr)
    with open(os.path.join(folder, "golub", "data_set_ALL_AML_train.txt"), "w", encoding="ascii") as stream:
        stream.write("Gene Description\tGene Accession Number\t1\tcall\nx\tx\tone\tA\n")
    done = run("data", "fetch", "golub", SAMFLOW_MIRROR=address)
    expect("golub: a bad table is named with its line", done.returncode == 3 and "line 2" in done.stderr, done.stderr)


def real(folder, address):
    for name in mnist:
        shutil.copy(os.path.join(data, "mnist", name), os.path.join(folder, "mnist", name))
    with gzip.open(os.path.join(data, "golub", "golub.csv.gz"), "rt", encoding="ascii", newline="") as stream:
        csv = stream.read()
    for name, text in zip(("data_set_ALL_AML_train.txt", "data_set_ALL_AML_independent.txt"), tables(csv)):
        with open(os.path.join(folder, "golub", name), "w", encoding="ascii", newline="") as stream:
            stream.write(text)
    # a claim that --quick leaves out: the files are fetched, and nothing is trained
    done = run("reproduce", "--fetch", "--quick", "--only", "NN-MNIST", "-o", report + "-3", SAMFLOW_MIRROR=address)
    expect("reproduce fetches what is missing", done.returncode == 0 and "fetching mnist" in done.stderr, done.stderr)
    done = run("data", "fetch", "golub", SAMFLOW_MIRROR=address)
    expect("golub: fetched", done.returncode == 0 and "downloaded" in done.stdout, done.stderr)
    made = os.path.join(cache, "samflow/golub/golub.csv")
    with open(made, "rb") as stream:
        expect("golub: the tables make the CSV byte for byte", stream.read() == csv.encode())
    done = run("data", "info", made, "--transpose", "--label", "labs", "--json")
    classes = json.loads(done.stdout)["data"][0]["classes"] if done.returncode == 0 else []
    expect("golub: 25 AML and 47 ALL", [c["examples"] for c in classes] == [25, 47], done.stderr)
    left = sorted(os.listdir(os.path.join(cache, "samflow/mnist"))) + sorted(os.listdir(os.path.join(cache, "samflow/golub")))
    expect("only the files are left", left == sorted(mnist) + ["golub.csv"], left)
    done = run("reproduce", "--quick", "--only", "MNIST-01", "-o", report + "-4", "--json")
    expect("the cache is used without being asked for",
           done.returncode == 0 and json.loads(done.stdout)["claims"][0]["verdict"] == "reproduced", done.stderr)
    done = run("data", "fetch", "golub", SAMFLOW_MIRROR="http://127.0.0.1:9")
    expect("golub: what is there is not asked for", done.returncode == 0 and "already there" in done.stdout, done.stderr)
    os.remove(made)
    done = run("data", "fetch", "golub", "--mirror", "file://" + os.path.abspath(os.path.join(data, "golub")))
    expect("golub: golub.csv.gz from a mirror that has it", done.returncode == 0 and "golub.csv.gz" in done.stdout, done.stderr)
    path = os.path.join(cache, "samflow/mnist", mnist[0])
    os.remove(path)
    with open(os.path.join(folder, "mnist", mnist[0]), "r+b") as stream:
        stream.truncate(1000)
    done = run("data", "fetch", "mnist", "--part", "test", SAMFLOW_MIRROR=address)
    expect("truncated: refused", done.returncode == 3 and not os.path.exists(path), done.stderr)


with tempfile.TemporaryDirectory() as scratch:
    cache, report, served = (os.path.join(scratch, name) for name in ("cache", "report", "served"))
    os.mkdir(served)
    offline()
    server, address = mirror_of(served)
    try:
        damaged(served, address)
        there = all(os.path.isfile(os.path.join(data, p)) for p in ("mnist/" + mnist[0], "golub/golub.csv.gz"))
        if there:
            real(served, address)
        else:
            print("skipped: the real files are neither in $SAMFLOW_DATA nor in ../shared/data")
    finally:
        server.terminate()
        server.wait()
sys.exit(1 if failures else 0 if there else 77)
