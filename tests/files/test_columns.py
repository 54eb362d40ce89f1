"""Random tables, written as CSV in many dialects and as ARFF, read back through samflow: which columns became which features,
which examples are there, with which labels. What is compared are the strengths |mean of y x| of all features, computed here."""
import json
import os
import random
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(os.environ.get("SAMFLOW_PROGRAM", "build/release/samflow"))
ROUNDS = 60


def info(path, *options):
    done = subprocess.run([PROGRAM, "data", "info", path, "--json", *options], capture_output=True, text=True)
    assert done.returncode == 0, (path, options, done.stderr, open(path).read()[:600])
    return json.loads(done.stdout)["data"][0]


class Table:
    """d columns of numbers with names, a label of three names, ids, some values missing."""

    def __init__(self, rng):
        self.d, self.n = rng.randint(2, 8), rng.randint(6, 25)
        self.classes = rng.sample(["setosa", "versi color", "M", "B", "benign's", "class-3"], 3)
        self.names = rng.sample(["alpha", "b 1", "Width", "x.y", "größe", "q", "len_gth", "f8", "it's"], self.d)
        self.rows = [[round(rng.uniform(-9, 9), rng.randint(0, 6)) for _ in range(self.d)] for _ in range(self.n)]
        self.labels = [self.classes[i % 3] for i in range(self.n)]
        rng.shuffle(self.labels)
        self.missing = {(rng.randrange(self.n), rng.randrange(self.d)) for _ in range(rng.choice([0, 0, 1, 3]))}
        self.wanted = rng.sample(self.classes, 2)

    def strengths(self, columns):
        """Of the columns, over the complete examples of the two classes; and how many examples there are."""
        used = [i for i in range(self.n) if self.labels[i] in self.wanted and
                not any((i, j) in self.missing for j in columns)]
        sign = [1 if self.labels[i] == self.wanted[1] else -1 for i in used]
        return [abs(sum(s * self.rows[i][j] for s, i in zip(sign, used)) / len(used)) if used else 0
                for j in columns], len(used)


def compare(table, columns, found, what):
    expected, count = table.strengths(columns)
    assert found["examples"] == count, (what, found["examples"], count)
    assert found["features"] == len(columns), (what, found["features"], columns)
    got = {entry["feature"]: entry["strength"] for entry in found["strongest"]}
    for j, value in enumerate(expected):
        assert abs(got[j] - value) <= 1e-12 * max(1.0, value), (what, j, got, expected)


def usable(table, columns):
    """Both classes are there, in more than no example."""
    kept = [table.labels[i] for i in range(table.n) if not any((i, j) in table.missing for j in columns)]
    return all(kept.count(name) > 0 for name in table.wanted)


def check_csv(rng, table, path):
    separator = rng.choice([",", ";", "\t"])
    comma = separator != "," and rng.random() < 0.5
    quote_all, ids, label_first = rng.random() < 0.3, rng.random() < 0.5, rng.random() < 0.3
    token = rng.choice(["", "NA", "?"])

    def cell(text):
        return '"' + text.replace('"', '""') + '"' if quote_all or separator in text or '"' in text else text

    def number(i, j):
        if (i, j) in table.missing:
            return token
        text = repr(table.rows[i][j])
        return text.replace(".", ",") if comma else text

    header = (["id"] if ids else []) + (["y"] if label_first else []) + table.names + ([] if label_first else ["y"])
    lines = [separator.join(map(cell, header))]
    for i in range(table.n):
        label = [table.labels[i]]
        fields = ([f"row{i}"] if ids else []) + (label if label_first else []) + \
            [number(i, j) for j in range(table.d)] + ([] if label_first else label)
        lines.append(separator.join(map(cell, fields)))
    with open(path, "w", encoding=rng.choice(["utf-8", "utf-8-sig", "utf-16"]), newline="") as stream:
        stream.write(rng.choice(["\n", "\r\n"]).join(lines) + rng.choice(["", "\n"]))
    choose(rng, table, path, ["--label", "y"])


def check_arff(rng, table, path):
    sparse = rng.random() < 0.5

    def word(text):
        quote = rng.choice("'\"")
        plain = all(c.isalnum() or c in "_.-" for c in text)
        return text if plain else quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote

    place = rng.randrange(table.d + 1)  # of the label
    order = list(range(table.d))
    order.insert(place, None)
    lines = ["% a comment", rng.choice(["@relation", "@RELATION"]) + " r"]
    for j in order:
        kind = "{" + ", ".join(map(word, table.classes)) + "}" if j is None else rng.choice(["numeric", "REAL"])
        lines.append(rng.choice(["@attribute ", "@ATTRIBUTE\t"]) + word("y" if j is None else table.names[j]) + " " + kind)
    lines.append("@data")
    for i in range(table.n):
        fields = [word(table.labels[i]) if j is None else "?" if (i, j) in table.missing else repr(table.rows[i][j])
                  for j in order]
        if sparse:
            blank = [table.classes[0] if j is None else "0.0" for j in order]
            shown = [f"{k} {text}" for k, text in enumerate(fields)
                     if text != blank[k] and not (order[k] is None and table.labels[i] == table.classes[0])]
            lines.append("{" + ", ".join(shown) + "}")
        else:
            lines.append(rng.choice([",", ", "]).join(fields))
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    choose(rng, table, path, ["--label", "y"])


def choose(rng, table, path, options):
    """All columns, some, all but some; by name."""
    columns = list(range(table.d))
    how = rng.choice(["all", "features", "drop", "both"])
    if how in ("features", "both"):
        columns = rng.sample(columns, rng.randint(2, table.d))
        options = options + ["--features", ",".join(table.names[j] for j in columns)]
    if how in ("drop", "both"):
        out = rng.sample(range(table.d), rng.randint(1, table.d - 1))
        kept = [j for j in columns if j not in out]
        if len(kept) >= 1:
            columns = kept
            options = options + ["--drop", ",".join(table.names[j] for j in out)]
    options = options + ["--classes", ",".join(table.wanted)]
    if table.missing or rng.random() < 0.2:
        options = options + ["--missing", "skip"]
    if usable(table, columns):
        compare(table, columns, info(path, *options), (path, options))


def check_errors():
    """What is refused, and with which words."""
    def refused(text, said, *options, ending=".csv"):
        with open("bad" + ending, "w") as stream:
            stream.write(text)
        done = subprocess.run([PROGRAM, "data", "info", "bad" + ending, *options], capture_output=True, text=True)
        assert done.returncode in (2, 3) and said in done.stderr, (text, options, done.returncode, done.stderr)

    table = "a,b,y\n1,2,u\n3,?,v\n4,x,u\n"
    refused(table, "data.missing: skip")
    refused(table, "data.drop", "--missing", "skip")
    refused(table, "no column is called 'c'", "--features", "a,c")
    refused(table, "there twice", "--features", "a,a")
    refused(table, "column of the labels", "--drop", "y")
    refused(table, "no feature is left", "--drop", "a,b")
    refused("a,a,y\n1,2,u\n3,4,v\n", "both called 'a'", "--features", "a")
    refused(table, "there are 'u', 'v'", "--classes", "p,q", "--drop", "b")
    refused("1 1:2\n-1 1:3\n", "is for CSV and ARFF", "--drop", "a", ending=".svm")
    header = "@relation r\n@attribute a numeric\n@attribute y {u,v}\n"
    refused(header, "ends before @data", ending=".arff")
    refused(header + "@data\n{5 1}\n", "line 5", ending=".arff")
    refused(header + "@data\n{1 v, 0 2}\n", "ascend", ending=".arff")
    refused(header + "@data\n1\n", "1 fields, expected 2", ending=".arff")
    refused(header + "@data\n1,'u\n", "second quote", ending=".arff")
    refused(header + "@data\nx,u\n", "expected a number", ending=".arff")
    refused("@relation r\n@attribute a relational\n@data\n1\n", "expected the type", ending=".arff")
    refused("@relation r\nnonsense\n", "line 2", ending=".arff")


def main():
    seed = int(os.environ.get("SAMFLOW_SEED", "0")) or 20260328
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check_errors()
        for index in range(ROUNDS):
            rng = random.Random(seed * 1000 + index)
            table = Table(rng)
            check_csv(rng, table, "t.csv")
            check_arff(rng, table, "t.arff")
        os.chdir("/")
    print("columns ok, seed", seed)


if __name__ == "__main__":
    sys.exit(main())
