"""Is what `samflow export` writes what the result file holds? usage: check_export.py RESULT.db FILE.csv FILE.h5

Reads the result file by sqlite3, the CSV by csv, the HDF5 file by h5py (and xarray where it is installed), and compares
value by value. Prints what it left out; ends with status 77 if h5py is missing."""

import csv
import sqlite3
import sys

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(f"not compared: {missing}")
    sys.exit(77)

database, table, archive = sys.argv[1:]
connection = sqlite3.connect(database)
cursor = connection.execute("SELECT * FROM result ORDER BY position")
names = [column[0] for column in cursor.description]
rows = cursor.fetchall()
axes = [name for (name,) in connection.execute("SELECT name FROM axis WHERE grid = 1 ORDER BY number")]

with open(table, newline="") as stream:
    lines = list(csv.reader(stream))
assert lines[0] == names, (lines[0], names)
assert len(lines) == len(rows) + 1
for line, row in zip(lines[1:], rows):
    for text, value in zip(line, row):
        if value is None:
            assert text == ""
        elif isinstance(value, str):
            assert text == value
        else:
            assert float(text) == value, (text, value)

with h5py.File(archive) as file:
    shape = tuple(len(file[axis]) for axis in axes)
    assert np.prod(shape) == len(rows)
    for index, name in enumerate(names):
        if name in axes:
            dimension = axes.index(name)
            scale = file[name][()]
            for position, row in enumerate(rows):
                at = np.unravel_index(position, shape)[dimension]
                value = scale[at].decode() if isinstance(scale[at], bytes) else scale[at]
                assert value == row[index]
            continue
        data = file[name]
        assert data.shape == shape, (name, data.shape, shape)
        for dimension, axis in enumerate(axes):
            assert data.dims[dimension][0].name == "/" + axis
        for value, row in zip(data[()].ravel(), rows):
            expected = row[index]
            if isinstance(value, bytes):
                assert value.decode() == (expected or "")
            elif expected is None:
                assert np.isnan(value) or value == -1 == data.attrs["_FillValue"]
            else:
                assert value == expected, (name, value, expected)

try:
    import xarray
except ImportError as missing:
    print(f"not compared: {missing}")
else:
    with xarray.open_dataset(archive, engine="h5netcdf") as data:
        assert data["regime"].dims == tuple(axes)
try:
    import duckdb
except ImportError as missing:
    print(f"not compared: {missing}")
else:  # the command that samflow names for Parquet
    parquet = table + ".parquet"
    duckdb.sql(f"COPY (FROM '{table}') TO '{parquet}'")
    result = duckdb.sql(f"FROM '{parquet}' ORDER BY position")
    assert result.columns == names
    assert result.fetchall() == rows
print(f"{len(rows)} rows, {len(names)} columns agree")
