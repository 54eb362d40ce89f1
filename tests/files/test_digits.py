"""The digits that are part of the program against data/digits.csv.gz, read here: as a data set, as images, wherever it runs.

usage: test_digits.py   ($SAMFLOW_PROGRAM)
"""

import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../data")
program = os.path.abspath(os.environ["SAMFLOW_PROGRAM"])


def run(*arguments, text=None):
    """In an empty folder, so that no file is found."""
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run([program, *arguments], input=text, capture_output=True, text=True, cwd=empty)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


with gzip.open(os.path.join(folder, "digits.csv.gz"), "rt", encoding="ascii") as stream:
    rows = [[int(field) for field in line.split(",")] for line in stream]
counts = [sum(row[64] == digit for row in rows) for digit in range(10)]

# the sums in data/README.md are those of the files, and the files those that the script makes
with open(os.path.join(folder, "README.md"), encoding="utf-8") as stream:
    sums = dict(re.findall(r"\| `(\S+)` \|.*`([0-9a-f]{64})` \|", stream.read()))
with tempfile.TemporaryDirectory() as made:
    subprocess.run([sys.executable, os.path.join(folder, "convert"), made], check=True)
    assert sorted(sums) == sorted(os.listdir(made) + ["digits.csv.gz"]), sums
    for name, digest in sums.items():
        with open(os.path.join(folder, name), "rb") as stream:
            content = stream.read()
        assert hashlib.sha256(content).hexdigest() == digest, name
        if name != "digits.csv.gz":
            with open(os.path.join(made, name), "rb") as stream:
                assert stream.read() == content, name

images = run("data", "info", "digits", "--images", "--json")["data"][0]
assert (images["images"], images["height"], images["width"], images["channels"]) == (1797, 8, 8, 1), images
assert [c["images"] for c in images["classes"]] == counts, images["classes"]
mean = sum(sum(row[:64]) for row in rows) / (1797 * 64 * 16)
assert abs(images["mean"] - mean) < 1e-6, images["mean"]

kept = [row for row in rows if row[64] in (3, 5)]
for first, second in ((3, 5), (5, 3)):
    signs = [1 if row[64] == second else -1 for row in kept]
    strengths = [abs(sum(s * row[j] for s, row in zip(signs, kept))) / len(kept) for j in range(64)]
    experiment = json.dumps({"data": {"name": "digits", "classes": [first, second], "scale": 0.0625},
                             "dynamics": {"mode": "discrete", "steps": 1}})
    for info, scale in ((run("data", "info", "digits", "--classes", f"{first},{second}", "--json"), 1.0),
                        (run("data", "info", "-", "--json", text=experiment), 0.0625)):
        entry = info["data"][0]
        assert (entry["examples"], entry["features"]) == (len(kept), 64), entry
        assert [c["examples"] for c in entry["classes"]] == [counts[first], counts[second]], entry
        for strong in entry["strongest"]:
            assert abs(strong["strength"] - scale * strengths[strong["feature"]]) < 1e-12, strong
        assert entry["strongest"][0]["feature"] == max(range(64), key=lambda j: strengths[j]), entry
document = run("simulate", "-", "--json", text=experiment)
assert document["experiment"]["data"]["name"] == "digits", document["experiment"]["data"]
print("digits hold")
