"""Result files of strangers: status, export, plot, merge, a sweep into them. Values that are null or of another type, columns and
tables that are others, triggers and views that were planted, files cut and changed byte by byte.

Reads $SAMFLOW_PROGRAM; $SAMFLOW_FUZZ: how many files with changed bytes (default 60), $SAMFLOW_SEED: which.
"""

import json
import os
import random
import shutil
import sqlite3
import tempfile
import unittest

import hostile

FUZZED = int(os.environ.get("SAMFLOW_FUZZ", "60"))
SEED = int(os.environ.get("SAMFLOW_SEED", "1"))
GRID = {"data": {"example": [1, 2]}, "dynamics": {"mode": "exact"},
        "sweep": {"axes": {"network.init": [0.4, 0.8, 1.2], "optimizer.rho": [0.5, 1, 2]},
                  "observables": ["regime", "limit"]}}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.here = cls.folder.name
        with open(cls.path("grid.yaml"), "w") as stream:
            json.dump(GRID, stream)
        done = hostile.run("sweep", "grid.yaml", "-o", "good.db", "--quiet", folder=cls.here)
        if done.returncode != 0:
            raise AssertionError(done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.here, name)

    READING = [("sweep", "--status", "x.db"), ("export", "x.db", "-o", "x.csv"), ("export", "x.db", "-o", "x.h5"),
               ("merge", "m.db", "x.db")]
    WRITING = ("sweep", "grid.yaml", "-o", "x.db", "--quiet")

    def fresh(self):
        for name in ("x.db", "x.db-wal", "x.db-shm", "x.db-journal", "m.db"):
            if os.path.exists(self.path(name)):
                os.unlink(self.path(name))
        shutil.copy(self.path("good.db"), self.path("x.db"))

    def change(self, *statements, writable=False):
        self.fresh()
        file = sqlite3.connect(self.path("x.db"))
        if writable:
            file.execute("PRAGMA writable_schema=ON")
        for statement in statements:
            file.execute(statement)
        file.commit()
        file.close()

    def refuse(self, words, commands=None):
        for command in commands or [*self.READING, self.WRITING]:
            hostile.refuse(self, 3, ["x.db", *words], *command, folder=self.here)

    def test_good(self):
        self.fresh()
        for command in [*self.READING, self.WRITING]:
            done = hostile.run(*command, folder=self.here)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_values(self):
        """STRICT and NOT NULL are taken out of the schema first, as an editor of bytes would go round them."""
        loose = "UPDATE sqlite_master SET sql = replace(replace(replace(sql, ' NOT NULL', ''), ') STRICT', ')'), ', STRICT', '')"
        columns = {"grid": ("hash", "version", "name", "text", "settings", "points", "levels"),
                   "axis": ("key", "name", "factor", "count"), "setting": ("key",), "observed": ("observables",),
                   "session": ("grid", "state", "started", "updated", "points", "finished", "computed", "failed")}
        for table, names in columns.items():
            for name in names:
                for value in ("NULL", "x'00ff'") if name != "hash" else ("NULL", "7"):
                    with self.subTest(table=table, column=name, value=value):
                        self.change(loose, writable=True)
                        file = sqlite3.connect(self.path("x.db"))
                        file.execute(f"UPDATE {table} SET {name} = {value}")
                        file.commit()
                        file.close()
                        self.refuse([f"table {table}"], [self.READING[0], self.WRITING])

    def test_contents(self):
        for table, statement in (("grid", "UPDATE grid SET settings = '{\"a\": [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}'"),
                                 ("grid", "UPDATE grid SET text = 'data: &a [1, *a]'"),
                                 ("grid", "UPDATE grid SET text = '%' || char(0xdd)"),
                                 ("grid", "UPDATE grid SET text = 'a' || char(1)"),
                                 ("grid", "UPDATE grid SET points = 1000000000000"),
                                 ("grid", "UPDATE grid SET points = -1"),
                                 ("session", "UPDATE session SET grid = 77"),
                                 ("session", "UPDATE session SET computed = -5"),
                                 ("observed", "UPDATE observed SET observables = '['"),
                                 ("setting", "INSERT INTO setting VALUES('nowhere', 'a.b')")):
            with self.subTest(statement=statement):
                self.change(statement)
                self.refuse([f"table {table}"], [self.READING[1], self.READING[0]][:1 if "1000000000000" in statement else 2])

    def test_rows(self):
        self.change("DELETE FROM point WHERE id = 5")
        self.refuse(["table member, position"], self.READING[1:3])
        self.change("UPDATE point SET \"network.init\" = x'00' WHERE id = 5")
        self.refuse(["table point, position"], self.READING[1:2])

    def test_other_schemas(self):
        for words, statements in (((), ("DROP TABLE session",)),
                                  (("table session",), ("DROP TABLE session", "CREATE TABLE session(id)")),
                                  ((), ("DROP TABLE member", "CREATE VIEW member AS SELECT 1 AS grid")),
                                  (("schema 99",), ("UPDATE file SET value = '99' WHERE key = 'schema'",)),
                                  ((), ("ALTER TABLE grid RENAME COLUMN settings TO other",)),
                                  ((), ("ALTER TABLE point ADD COLUMN more TEXT AS (hex(zeroblob(1000)))",))):
            with self.subTest(statements=statements):
                self.change(*statements)
                self.refuse(words)
        self.fresh()
        os.unlink(self.path("x.db"))
        file = sqlite3.connect(self.path("x.db"))
        file.execute("CREATE TABLE bookmarks(id, url)")
        file.commit()
        file.close()
        self.refuse(["not a result file"])

    def test_planted_code(self):
        self.change("CREATE TRIGGER evil AFTER INSERT ON session BEGIN DELETE FROM point; END")
        self.refuse(["trigger", "evil"])
        loop = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n AS position FROM c"
        self.change("DROP VIEW result", f"CREATE VIEW result AS {loop}")
        for command in (*self.READING, self.WRITING):  # it is never asked, and a sweep makes it anew
            self.assertEqual(hostile.run(*command, folder=self.here).returncode, 0)

    def test_no_database(self):
        for content in (b"", b"SQLite format 3\0", b"no database" * 100, bytes(100)):
            self.fresh()
            with open(self.path("x.db"), "wb") as stream:
                stream.write(content)
            self.refuse([], self.READING)

    def test_changed_bytes(self):
        draws = random.Random(SEED)
        with open(self.path("good.db"), "rb") as stream:
            good = stream.read()
        for n in range(FUZZED):
            self.fresh()
            content = bytearray(good)
            if draws.randrange(4) == 0:
                del content[draws.randrange(len(content)):]
            else:
                for _ in range(draws.choice((1, 2, 8, 64, 512))):
                    at = draws.randrange(len(content) if draws.randrange(2) else 4096)
                    content[at] = draws.choice((0, 1, 0x7f, 0x80, 0xff, draws.randrange(256)))
            with open(self.path("x.db"), "wb") as stream:
                stream.write(content)
            command = draws.choice((*self.READING, self.WRITING))
            with self.subTest(number=n, command=command):
                hostile.refuse(self, (0, 2, 3, 6), [], *command, folder=self.here)


if __name__ == "__main__":
    unittest.main()
