"""Discrete iterates against 50-digit arithmetic on random cases: depths 1 to 4, up to 10 examples, every method.

usage: oracle.py SEED COUNT   ($SAMFLOW_PROGRAM; exit status 77, skipped, without mpmath)
"""

import importlib.util
import os
import subprocess
import sys
import tempfile

if importlib.util.find_spec("mpmath") is None:
    print("skipped: mpmath is not installed")
    sys.exit(77)

acceptance = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "acceptance")
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "discrete.json"), "w", encoding="utf-8") as stream:
        subprocess.run([sys.executable, os.path.join(acceptance, "generate_cases.py"), "discrete", *sys.argv[1:3]],
                       stdout=stream, check=True)
    done = subprocess.run([sys.executable, os.path.join(acceptance, "test_cases.py"), "discrete"], check=False,
                          env=dict(os.environ, SAMFLOW_CASES=folder))
sys.exit(done.returncode)
