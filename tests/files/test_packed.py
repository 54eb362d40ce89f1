#!/usr/bin/env python3
"""Data files compressed by bzip2 and xz, written by Python's own modules, are read as the plain file is; damaged ones are
errors with exit code 3.

usage: SAMFLOW_PROGRAM=path/to/samflow test_packed.py      (exit 77: the build has neither library)
"""

import bz2
import gzip
import json
import lzma
import os
import random
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("wrong:", what)


def info(path, *options):
    """(exit code, what is known of the data without its name, messages)"""
    done = subprocess.run([PROGRAM, "data", "info", path, "--json", *options], capture_output=True, text=True, timeout=120)
    data = json.loads(done.stdout)["data"] if done.returncode == 0 else None
    for entry in data or []:
        entry.pop("name")
        entry.pop("separability_seconds", None)
    return done.returncode, without_times(data), done.stderr


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if "seconds" not in k and "time" not in k}
    return [without_times(v) for v in value] if isinstance(value, list) else value


def write(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def table(rng, rows):
    lines = ["a,b,c,y"]
    lines += [",".join(repr(rng.gauss(0, 1)) for _ in range(3)) + "," + str(i % 2) for i in range(rows)]
    return ("\n".join(lines) + "\n").encode()


def svmlight(rng, rows):
    return "".join(f"{i % 2} 1:{rng.gauss(0, 1)!r} 3:{rng.gauss(0, 1)!r}\n" for i in range(rows)).encode()


def large_dictionary(packed):
    """The same xz file, but for a dictionary of 4 GiB that its header asks for (.xz format 1.0.4, sections 2.1.1 and 3.1)."""
    at, size = 12, (packed[12] + 1) * 4
    header = bytearray(packed[at : at + size - 4])
    where = header.index(b"\x21\x01")
    header[where + 2] = 40
    return packed[:at] + bytes(header) + struct.pack("<I", zlib.crc32(header)) + packed[at + size :]


def same_as_plain(folder, rng):
    for rows in (2, 50, 3000):
        for ending, content in (("csv", table(rng, rows)), ("svm", svmlight(rng, rows))):
            expected = info(write(folder, "plain." + ending, content))
            check(expected[0] == 0, f"plain {ending} of {rows} rows: {expected[2]}")
            half = len(content) // 2
            forms = {
                "bz2": bz2.compress(content),
                "two.bz2": bz2.compress(content[:half]) + bz2.compress(content[half:]),
                "one.bz2": bz2.compress(content, 1),
                "xz": lzma.compress(content),
                "two.xz": lzma.compress(content[:half]) + lzma.compress(content[half:]),
                "padded.xz": lzma.compress(content) + bytes(8),
                "crc32.xz": lzma.compress(content, check=lzma.CHECK_CRC32),
            }
            if ending == "csv":
                forms["utf16.xz"] = lzma.compress(content.decode().encode("utf-16"))
                forms["bom.bz2"] = bz2.compress(b"\xef\xbb\xbf" + content)
            for form, packed in forms.items():
                name = f"{ending}.{form}" if form in ("bz2", "xz") else f"{form}.{ending}.{form.split('.')[-1]}"
                got = info(write(folder, "t." + name, packed))
                check(got[:2] == expected[:2], f"{form} of {ending}, {rows} rows: {got}")
            got = info(write(folder, "noending", lzma.compress(content)))
            check(got[:2] == expected[:2], f"xz without an ending, {ending}: {got}")


def labels_too(folder):
    images = struct.pack(">4B3I", 0, 0, 8, 3, 4, 2, 2) + bytes(range(16))
    labels = struct.pack(">4BI", 0, 0, 8, 1, 4) + bytes([0, 1, 1, 0])
    expected = info(write(folder, "i-idx3-ubyte", images), "--labels", write(folder, "l-idx1-ubyte", labels))
    got = info(write(folder, "i-idx3-ubyte.xz", lzma.compress(images)), "--labels",
               write(folder, "l-idx1-ubyte.bz2", bz2.compress(labels)))
    check(expected[0] == 0 and got[:2] == expected[:2], f"IDX: {got} instead of {expected}")


def damaged(folder, rng):
    content = table(rng, 3000)
    for name, packed, word in (("bz2", bz2.compress(content), "bzip2"), ("xz", lzma.compress(content), "xz")):
        for cut in sorted(rng.sample(range(12, len(packed) - 1), 12)):
            code, _, said = info(write(folder, "cut.csv." + name, packed[:cut]))
            check(code == 3 and word in said and "truncated" in said, f"{name} cut at {cut}: {code} {said}")
        for at in sorted(rng.sample(range(16, len(packed) - 40), 12)):
            broken = bytearray(packed)
            broken[at] ^= 1 << rng.randrange(8)
            code, _, said = info(write(folder, "broken.csv." + name, bytes(broken)))
            check(code == 3 and "broken.csv" in said, f"{name} with byte {at} changed: {code} {said}")
        code, _, said = info(write(folder, "behind.csv." + name, packed + b"something else"))
        check(code == 3 and "behind.csv" in said, f"{name} with bytes behind: {code} {said}")
    code, _, said = info(write(folder, "dictionary.csv.xz", large_dictionary(lzma.compress(content))))
    check(code == 3 and "512 MiB" in said, f"dictionary of 4 GiB: {code} {said}")
    promise = struct.pack(">4B3I", 0, 0, 8, 3, 2**31, 2**15, 2**8)
    code, _, said = info(write(folder, "promise-idx3-ubyte.xz", lzma.compress(promise)), "--labels", "/dev/null")
    check(code == 3 and "can hold" in said, f"sizes of an IDX file: {code} {said}")
    code, _, said = info(write(folder, "twice.csv", gzip.compress(b"PK\x03\x04 and so on")))
    check(code == 3 and "zip" in said, f"zip within gzip: {code} {said}")


with tempfile.TemporaryDirectory() as place:
    probe = [info(write(place, "probe.csv" + e, f(b"1,2,0\n2,1,1\n"))) for e, f in ((".bz2", bz2.compress), (".xz", lzma.compress))]
    if all("this build of samflow cannot read" in said for _, _, said in probe):
        print("skipped: built without bzip2 and xz")
        sys.exit(77)
    generator = random.Random(20)
    same_as_plain(place, generator)
    labels_too(place)
    damaged(place, generator)
print("wrong:" if failures else "all as it should be", failures or "")
sys.exit(failures > 0)
