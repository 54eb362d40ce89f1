"""HDF5 files of strangers: trajectories (plot) and checkpoints (attribute, train --resume), each object of a good file replaced
by what it must not be, and files whose bytes were changed.

Reads $SAMFLOW_PROGRAM; $SAMFLOW_FUZZ: how many files with changed bytes (default 60), $SAMFLOW_SEED: which.
"""

import json
import os
import random
import shutil
import sys
import tempfile
import unittest

import hostile

try:
    import h5py
    import numpy
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FUZZED = int(os.environ.get("SAMFLOW_FUZZ", "60"))
SEED = int(os.environ.get("SAMFLOW_SEED", "1"))
EXPERIMENT = {"data": {"example": [1, 2]}, "network": {"init": 0.6}, "record": {"samples": 9}}
TRAINING = {"data": {"patches": {"strong": 1, "faint": 0.3, "noise": 0.4, "height": 8, "width": 8, "patch": 2,
                                 "per_class": 20, "seed": 1}, "split": {"test": 0.2, "seed": 1}},
            "network": {"model": "diagonal", "depth": 2, "init_scale": 0.5},
            "optimizer": {"method": "l2-sam", "rho": 0.05, "momentum": 0.9},
            "training": {"steps": 6, "batch": 8, "rate": 0.1, "seed": 1}}


def values_that_are_none(draws):
    """(name, function(parent, key)) makes an object of a kind that no reader expects; parent: group or attributes."""
    def array(parent, key, data, dtype=None):
        if isinstance(parent, h5py.AttributeManager):
            parent.create(key, data, dtype=dtype)
        else:
            parent.create_dataset(key, data=data, dtype=dtype)

    kinds = []
    for rank in (0, 1, 2, 3, 4, 5, 31, 32):
        for dtype in ("<f8", ">f4", "<f2", "<u8", "<i1", ">i4", "S1", "S16", "?", "<c16"):
            kinds.append((f"rank {rank} of {dtype}",
                          lambda p, k, r=rank, t=dtype: array(p, k, numpy.zeros((1,) * r, dtype=t))))
    for size in (0, 7, 4096):
        for dtype in ("<f8", "<u8", "S8"):
            kinds.append((f"{size} of {dtype}",
                          lambda p, k, n=size, t=dtype: array(p, k, numpy.zeros(n, dtype=t))))
    kinds += [
        ("long double", lambda p, k: array(p, k, numpy.zeros(2, dtype=numpy.longdouble))),
        ("variable text", lambda p, k: array(p, k, "text" * draws.randrange(99), h5py.string_dtype())),
        ("variable texts", lambda p, k: array(p, k, ["a", "bc"], h5py.string_dtype())),
        ("fixed text", lambda p, k: array(p, k, numpy.bytes_(b"A" * 4096))),
        ("sequences", lambda p, k: p.create(k, None, (2,), h5py.vlen_dtype(numpy.int32)) if
         isinstance(p, h5py.AttributeManager) else p.create_dataset(k, (2,), h5py.vlen_dtype(numpy.int32))),
        ("compound", lambda p, k: array(p, k, numpy.zeros(2, dtype=[("a", "<f8"), ("b", "S3")]))),
        ("array", lambda p, k: array(p, k, numpy.zeros(2, dtype=[("a", "<f8", (3, 3))])["a"].astype("<f4"))),
        ("enumeration", lambda p, k: array(p, k, numpy.zeros(3, dtype="i4"), h5py.enum_dtype({"A": 0, "B": 1}, "i4"))),
        ("opaque", lambda p, k: array(p, k, numpy.zeros(3, dtype="V5"))),
        ("reference", lambda p, k: array(p, k, numpy.array([h5py.Reference()], dtype=h5py.ref_dtype), h5py.ref_dtype)),
        ("nothing", lambda p, k: array(p, k, h5py.Empty("f8"))),
    ]
    return kinds


def places_that_are_none(shape, dtype):
    """The same for data sets: the right shape and type, but not here, not all, or not plainly."""
    shape, large = tuple(shape), tuple(max(1, n) * 2**20 for n in shape) or (2**20,)
    filled = numpy.zeros(shape, dtype=dtype)
    kinds = [
        ("a group", lambda p, k: p.create_group(k)),
        ("a soft link to itself", lambda p, k: p.__setitem__(k, h5py.SoftLink(p.name.rstrip("/") + "/" + k))),
        ("a soft link to nothing", lambda p, k: p.__setitem__(k, h5py.SoftLink("/nowhere"))),
        ("a link to another file", lambda p, k: p.__setitem__(k, h5py.ExternalLink("other.h5", "/" + k))),
        ("its own parent", lambda p, k: p.__setitem__(k, p)),
        ("a named type", lambda p, k: p.__setitem__(k, numpy.dtype("f8"))),
        ("never written, large", lambda p, k: p.create_dataset(k, large, dtype)),
        ("never written, huge", lambda p, k: p.create_dataset(k, (2**40,) * max(1, len(shape)), dtype,
                                                              chunks=(1,) * max(1, len(shape)))),
        ("a count that wraps", lambda p, k: p.create_dataset(k, (2**62, 2**3)[:max(1, len(shape))] or (2**63,), dtype,
                                                             chunks=(1,) * max(1, min(2, len(shape))))),
    ]
    if shape and filled.size:
        virtual = h5py.VirtualLayout(shape=shape, dtype=dtype)
        virtual[...] = h5py.VirtualSource("other.h5", "x", shape=shape)
        kinds += [
            ("never written", lambda p, k: p.create_dataset(k, shape, dtype, chunks=shape)),
            ("compressed", lambda p, k: p.create_dataset(k, data=filled, chunks=shape, compression="gzip")),
            ("virtual", lambda p, k: p.create_virtual_dataset(k, virtual)),
            ("in another file", lambda p, k: p.create_dataset(k, shape, dtype, external=[("passwd", 0, 9999)])),
        ]
    return kinds


class Hostile(unittest.TestCase):
    """Made once: one.h5, a trajectory, and two.h5, a checkpoint."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.here = cls.folder.name
        cls.path("one.h5"), cls.path("two.h5")
        for name, code in (("run", EXPERIMENT), ("train", TRAINING)):
            with open(cls.path(f"{name}.yaml"), "w") as stream:
                json.dump(code, stream)
        for arguments in (("simulate", "run.yaml", "-o", "one.h5", "--quiet"),
                          ("train", "train.yaml", "--checkpoint", "two.h5", "--quiet")):
            done = hostile.run(*arguments, folder=cls.here)
            if done.returncode != 0:
                raise AssertionError(done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.here, name)

    def commands(self, source, name):
        if source == "one.h5":
            return [("plot", name, "-o", "x.svg")]
        return [("attribute", name), ("train", "train.yaml", "--checkpoint", name, "--resume", "--quiet")]

    def changed(self, source, change):
        shutil.copy(self.path(source), self.path("x.h5"))
        with h5py.File(self.path("x.h5"), "r+") as file:
            change(file)

    def objects(self, source):
        """(name, is an attribute, shape, dtype) of all that the program reads."""
        found = []
        with h5py.File(self.path(source), "r") as file:
            file.visititems(lambda name, it: found.append((name, False, it.shape, it.dtype))
                            if isinstance(it, h5py.Dataset) else None)
            found += [(name, True, (), None) for name in file.attrs
                      if name in ({"experiment"} if source == "one.h5" else {"settings", "network"})]
        return [it for it in found if it[0] != "layers"]

    def spoil(self, name, attribute, make):
        def change(file):
            if attribute:
                del file.attrs[name]
                make(file.attrs, name)
            else:
                parent, _, key = name.rpartition("/")
                group = file[parent] if parent else file
                del group[key]
                make(group, key)
        return change

    def test_good_files_are_read(self):
        for source in ("one.h5", "two.h5"):
            shutil.copy(self.path(source), self.path("x.h5"))
            for command in self.commands(source, "x.h5"):
                done = hostile.run(*command, folder=self.here)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_object_of_every_kind(self):
        draws = random.Random(SEED)
        tried = 0
        for source in ("one.h5", "two.h5"):
            objects = self.objects(source)
            everything = []
            for name, attribute, shape, dtype in objects:
                kinds = values_that_are_none(draws) + ([] if attribute else places_that_are_none(shape, dtype))
                if name == "experiment":  # a text of variable length is what it is
                    kinds = [kind for kind in kinds if kind[0] != "variable text"]
                everything += [(kind, name, attribute, make, shape, dtype) for kind, make in kinds]
            draws.shuffle(everything)
            seen = {}
            for kind, name, attribute, make, shape, dtype in everything:  # each kind for one object, or all
                if seen.get(kind, 0) >= (1 if FUZZED < 1000 else len(objects)):
                    continue
                seen[kind] = seen.get(kind, 0) + 1
                try:
                    self.changed(source, self.spoil(name, attribute, make))
                except (ValueError, TypeError, OSError, RuntimeError, OverflowError, AttributeError):
                    continue  # the library does not write such a file
                if not attribute and kind.startswith(("rank", "0 of", "7 of")):
                    with h5py.File(self.path("x.h5"), "r") as file:
                        if file[name].shape == tuple(shape) and file[name].dtype.newbyteorder("<") == dtype:
                            continue  # it happens to be right
                tried += 1
                with self.subTest(file=source, object=name, kind=kind):
                    commands = self.commands(source, "x.h5")
                    if name == "network" or "/" in name:
                        commands = commands[-1:]  # attribute reads a part only
                    for command in commands:
                        hostile.refuse(self, 3, ["x.h5", name.partition("/")[0]], *command, folder=self.here)
        self.assertGreater(tried, 100)

    def test_changed_bytes(self):
        """Any end but by a signal; what is still readable may be read."""
        draws = random.Random(SEED + 1)
        for n in range(FUZZED):
            source = draws.choice(("one.h5", "two.h5"))
            with open(self.path(source), "rb") as stream:
                content = bytearray(stream.read())
            way = draws.randrange(4)
            if way == 0:
                del content[draws.randrange(len(content)):]
            else:
                for _ in range(draws.choice((1, 2, 8, 64))):
                    at = draws.randrange(min(len(content), draws.choice((512, 4096, len(content)))))
                    content[at] = draws.choice((0, 1, 0x7f, 0x80, 0xff, draws.randrange(256)))
            with open(self.path("x.h5"), "wb") as stream:
                stream.write(content)
            with self.subTest(file=source, number=n):
                command = draws.choice(self.commands(source, "x.h5"))
                done = hostile.refuse(self, (0, 2, 3), [], *command, folder=self.here)
                if done.returncode == 3:
                    self.assertIn("x.h5", done.stderr)


if __name__ == "__main__":
    unittest.main()
