#!/usr/bin/env python3
"""samflow against the definitions on random experiments (families.py).

What is compared: the flow with original time by LSODA, updates with 50 digits, gates and blow-ups in closed form, margins by weak
duality in rationals, sweeps with single runs, and the program with itself where an experiment is told in another way. A
disagreement is reported only where it exceeds what the reference itself loses, or what a change of the start makes.

usage: run.py PROGRAM [--seed S|day] [--count N] [--minutes M] [--hours H] [--only FAMILY,...] [--first K]
Experiment K of a family depends on S, the family and K alone.
"""
import argparse
import datetime
import os
import random
import signal
import sys
import time

try:
    import mpmath, numpy, scipy  # noqa: E401,F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import families
from experiments import Failed, Program, Slow


# What the program says of experiments that it does not do yet: part of its message, and why this is not a fault of today.
KNOWN_OPEN = {
    "need a depth of at most 64": "linf-SAM flows are limited to 64 layers; predict has the closed form",
    "creeps around a singular point": "lp-SAM with p > 2 where a gradient coordinate is 0: the field is not smooth there",
    "integrator's steps have become too small": "a flow at rest for very long: the rounding of tau ends it, with exit code 4",
}


PATIENCE = 90  # seconds an experiment


def out_of_time(*_):
    raise Slow


class Tally:
    def __init__(self):
        self.agree, self.worst, self.words, self.wrong, self.seconds = 0, 0.0, {}, 0, 0.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--hours", type=float, default=0.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    seed = datetime.date.today().isoformat() if arguments.seed == "day" else arguments.seed
    signal.signal(signal.SIGALRM, out_of_time)
    print(f"seed {seed}", flush=True)
    kinds = {k: f for k, f in families.KINDS.items() if not arguments.only or k in arguments.only.split(",")}
    program, tallies = Program(arguments.program), {k: Tally() for k in kinds}
    length = 3600 * arguments.hours + 60 * arguments.minutes
    end = time.time() + length if length else None
    k, opened = arguments.first, {}
    while time.time() < end if end else k < arguments.first + arguments.count:
        for name, family in kinds.items():
            if end and time.time() > end:
                break
            tally, start = tallies[name], time.time()
            signal.alarm(PATIENCE)
            try:
                worst, word = family(random.Random(f"{seed} {name} {k}"), program)
                tally.words[word] = tally.words.get(word, 0) + 1
                if word is None:
                    tally.agree += 1
                    tally.worst = max(tally.worst, worst)
            except Slow:
                tally.words["slow"] = tally.words.get("slow", 0) + 1
            except (families.Wrong, Failed) as error:
                reason = next((r for m, r in KNOWN_OPEN.items() if m in str(error)), None)
                if reason:
                    tally.words["known open"] = tally.words.get("known open", 0) + 1
                    opened[reason] = opened.get(reason, 0) + 1
                    continue
                tally.wrong += 1
                print(f"WRONG {name} {k}: {error}", flush=True)
            except (ArithmeticError, ValueError, TypeError) as error:  # of the reference: counted, and said
                tally.words[f"reference: {error}"] = tally.words.get(f"reference: {error}", 0) + 1
            finally:
                signal.alarm(0)
            tally.seconds += time.time() - start
            if arguments.verbose:
                print(f"{name} {k}: {time.time() - start:.1f} s", flush=True)
        k += 1
    for name, t in tallies.items():
        words = ", ".join(f"{n} {w}" for w, n in t.words.items() if w)
        print(f"{name:24} {t.agree:6} agree, {t.wrong} wrong, worst {t.worst:.1e}, {t.seconds:.0f} s" + (f" ({words})" if words else ""))
    for reason, times in opened.items():
        print(f"known open, {times} times: {reason}")
    sys.exit(any(t.wrong for t in tallies.values()))


if __name__ == "__main__":
    main()
