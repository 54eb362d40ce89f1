"""What the tests of hostile files share: the program under bounds of memory and time, and its verdict.

A hostile file must end in a message: never a signal, a hang, or memory out of proportion.
"""

import os
import resource
import subprocess

PROGRAM = os.environ["SAMFLOW_PROGRAM"]
SANITIZED = b"__asan_init" in open(PROGRAM, "rb").read()  # its shadow needs all addresses
ADDRESSES = 3 << 30
# HDF5 and SQLite may ask for more memory than there is, and take no for an answer; the sanitizer would abort instead.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="allocator_may_return_null=1:" + os.environ.get("ASAN_OPTIONS", ""))
SECONDS = 60  # of a machine under load; what hangs would never end


def bound():
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def run(*arguments, folder=None, text=None):
    """The finished program; an AssertionError where it hangs, ends by a signal, or a sanitizer speaks."""
    try:
        done = subprocess.run([PROGRAM, *arguments], capture_output=True, cwd=folder, preexec_fn=bound,
                              input=text, timeout=SECONDS, env=ENVIRONMENT)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{arguments}: no end after {SECONDS} s") from None
    done.stderr = done.stderr.decode("utf-8", "backslashreplace")
    if done.returncode < 0:
        raise AssertionError(f"{arguments}: signal {-done.returncode}: {done.stderr[-400:]}")
    for sign in ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:"):
        if sign in done.stderr:
            raise AssertionError(f"{arguments}: {done.stderr[:3000]}")
    return done


def refuse(test, code, words, *arguments, **options):
    """It ends with that code (or one of them), and its message holds the words and no control character."""
    done = run(*arguments, **options)
    codes = (code,) if isinstance(code, int) else code
    test.assertIn(done.returncode, codes, f"{arguments}: {done.stderr}")
    for word in words:
        test.assertIn(word, done.stderr)
    printable(test, done.stderr)
    return done


def printable(test, message):
    strange = [c for c in message if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]
    test.assertEqual(strange, [], message)
