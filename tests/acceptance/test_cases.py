"""The program against reference cases in high precision, end to end: experiment file in, JSON out.

usage: test_cases.py FAMILY   (discrete, reduced_flow, critical_alpha, dominance, limits, linf_flow, gd_limit_multi)

Reads FAMILY.json from $SAMFLOW_CASES, else from the folder cases/ beside this file, whose few inputs a family and answers
(25 to 60 digits, each by two methods; gd_limit_multi in double precision, good to 1e-9) are those of the reference
cases. The program is $SAMFLOW_PROGRAM. Prints the largest error of every quantity; a quantity that misses its tolerance,
is null or is missing fails. Standard library only.
"""

import json
import math
import os
import subprocess
import sys

METHOD = {"gd": "gd", "l2": "l2-sam", "linf": "linf-sam", "lp": "lp-sam", "usam": "usam", "l2-sam": "l2-sam",
          "linf-sam": "linf-sam", "lp-sam": "lp-sam"}


def numbers(values):
    return [numbers(v) if isinstance(v, list) else float(v) for v in values]


def run(command, experiment, *options, codes=(0,)):
    """Runs the program on an experiment (a dictionary: JSON is YAML) and returns its JSON document."""
    done = subprocess.run([os.environ["SAMFLOW_PROGRAM"], command, "-", "--json", *options],
                          input=json.dumps(experiment), capture_output=True, text=True)
    if done.returncode not in codes:
        raise AssertionError(f"{command}: exit status {done.returncode}: {done.stderr.strip()}")
    return json.loads(done.stdout)


class Tally:
    """The largest error of every quantity, against its tolerance."""

    def __init__(self):
        self.worst = {}
        self.failures = []

    def check(self, case, what, actual, expected, tolerance, floor=0.0, absolute=0.0):
        """|actual - expected| <= tolerance * max(|expected|, floor) + absolute."""
        if actual is None:
            error = math.inf
        else:
            scale = max(abs(expected), floor)
            deviation = max(abs(actual - expected) - absolute, 0.0)
            error = deviation / scale if scale > 0 else (0.0 if deviation == 0.0 else math.inf)
        if not error <= self.worst.get(what, (-1.0, ""))[0]:
            self.worst[what] = (error, case)
        if not error <= tolerance:
            self.failures.append(f"{case}: {what} is {actual}, expected {expected:.17g} "
                                 f"(error {error:.2e}, tolerance {tolerance:.0e})")

    def same(self, case, what, actual, expected):
        self.worst.setdefault(what, (0.0, case))
        if actual != expected:
            self.failures.append(f"{case}: {what} is {actual}, expected {expected}")

    def finish(self):
        for what, (error, case) in self.worst.items():
            print(f"{what:40s} largest error {error:.2e} ({case})")
        for failure in self.failures:
            print("FAILED", failure)
        return 1 if self.failures else 0


def record_at(document, clock, value):
    """The record whose clock stands exactly at value."""
    for record in document["trajectory"]:
        if record[clock] is not None and abs(record[clock] - value) <= 1e-9 * max(1.0, abs(value)):
            return record
    raise AssertionError(f"no record at {clock} = {value}")


def single(mu, w, rho, method, **dynamics):
    depth = dynamics.pop("depth", 2)
    record = dynamics.pop("record", {"samples": 2})
    return {"data": {"example": mu}, "network": {"depth": depth, "init": w},
            "optimizer": {"method": method, "rho": rho}, "dynamics": dynamics, "record": record}


def discrete(cases, tally):
    for case in cases["cases"] + cases.get("edge_cases", []):
        given, name = case["input"], case["id"]
        steps = sorted(at["step"] for at in case["output"]["at_step"])
        optimizer = {"method": METHOD[given["method"]], "rho": float(given["rho"])}
        if "p" in given:
            optimizer["p"] = float(given["p"])
        experiment = {
            "data": {"points": numbers(given["x"]), "labels": [int(y) for y in given["y"]]},
            "network": {"depth": given["L"], "init": {"layers": numbers(given["W0"])}},
            "optimizer": optimizer,
            "dynamics": {"mode": "discrete", "step": float(given["eta"]), "steps": steps[-1]},
            "record": {"samples": 2, "at": {"step": steps}},
        }
        document = run("simulate", experiment)
        for at in case["output"]["at_step"]:
            record = record_at(document, "step", at["step"])
            beta = numbers(at["beta"])
            for actual, expected in zip(record["beta"], beta):
                tally.check(name, "beta", actual, expected, 1e-11, absolute=1e-300)
            tally.check(name, "log_loss", record["log_loss"], float(at["log_loss"]), 1e-11, absolute=1e-15)
            tally.check(name, "min_margin", record["min_margin"], min(numbers(at["margins"])), 1e-11,
                        absolute=1e-14)
            if at["step"] == steps[-1]:
                for actual, expected in zip(document["final"]["layers"], numbers(at["W"])):
                    for a, e in zip(actual, expected):
                        tally.check(name, "layers", a, e, 1e-11)


def flow_records(case, tally, experiment, clocks, tolerance, log_tolerance):
    name = case["id"]
    document = run("simulate", experiment)
    for at in clocks:
        record = record_at(document, "tau", float(at["tau"]))
        for actual, log_actual, expected in zip(record["beta"], record["log_abs_beta"], numbers(at["beta"])):
            if abs(expected) > 1e-290:
                tally.check(name, "beta", actual, expected, tolerance)
                tally.check(name, "log_abs_beta", log_actual, math.log(abs(expected)), tolerance, floor=1.0)
            else:
                tally.check(name, "beta below 1e-290", actual, expected, tolerance, absolute=1e-290)
        if at.get("log_t") is None or at["log_t"] == "None":
            tally.same(name, "log_time that does not exist", record["log_time"], None)
        else:
            tally.check(name, "log_time", record["log_time"], float(at["log_t"]), log_tolerance, floor=1.0)
        if "log_loss" in at:
            tally.check(name, "log_loss", record["log_loss"], float(at["log_loss"]), log_tolerance, floor=0.1)
    return document


def reduced_flow(cases, tally):
    for case in cases["cases"]:
        given, clocks = case["input"], case["output"]["at_tau"]
        taus = [float(at["tau"]) for at in clocks]
        layers = {"layers": [numbers(given["w1_0"]), numbers(given["w2_0"])]}
        for mode in ("flow", "exact"):
            experiment = single(numbers(given["mu"]), layers, float(given["rho"]), "l2-sam", mode=mode,
                                until={"tau": max(taus)}, record={"samples": 2, "at": {"tau": taus}})
            document = flow_records(case, tally, experiment, clocks, 1e-8, 1e-8)
            if case["output"]["fate"] == "growth":
                tally.same(case["id"], "status", document["status"], "completed")


def critical_alpha(cases, tally):
    for case in cases["cases"]:
        given = case["input"]
        document = run("predict", single(numbers(given["mu"]), 0.7, float(given["rho"]), "l2-sam", mode="flow",
                                         until={"log_time": 10}))
        tally.check(case["id"], "critical_scale", document["critical_scale"], float(case["output"]["alpha_c"]), 1e-9)


def dominance(cases, tally):
    for case in cases["cases"]:
        given, expected, name = case["input"], case["output"], case["id"]
        experiment = single(numbers(given["mu"]), float(given["alpha"]), float(given["rho"]), "l2-sam", mode="flow",
                            until={"log_time": 10})
        document = run("predict", experiment)
        leaders = [leader["index"] + 1 for leader in document["dominance"]]
        tally.same(name, "order of dominance", leaders, expected["order_of_dominance"])
        tally.check(name, "spotlight", document["spotlight"],
                    2 * float(expected["initial_window_centre_n0/(2rho)"]), 1e-12)
        for leader, switch in zip(document["dominance"][1:], expected["switches"]):
            tally.check(name, "switch tau", leader["tau"], float(switch["tau"]), 1e-9)
            tally.check(name, "switch log_time", leader["log_time"], float(switch["log_t"]), 1e-9)
        peak = expected.get("peak_ratio_beta(min mu)/beta(max mu)")
        if peak and document.get("peak_ratio") and peak.get("tau") not in (None, "None"):
            tally.check(name, "peak ratio", document["peak_ratio"]["ratio"], float(peak["ratio"]), 1e-8)
            tally.check(name, "peak tau", document["peak_ratio"]["tau"], float(peak["tau"]), 1e-9)
        if expected["switches"]:
            last = float(expected["switches"][-1]["tau"])
            experiment["dynamics"]["until"] = {"tau": last * 1.01}
            document = run("simulate", experiment)
            events = [event for event in document["events"] if event["kind"] == "dominance"]
            tally.same(name, "events", [event["to"] + 1 for event in events], expected["order_of_dominance"][1:])
            for event, switch in zip(events, expected["switches"]):
                tally.check(name, "event tau", event["tau"], float(switch["tau"]), 1e-8)
                tally.check(name, "event log_time", event["log_time"], float(switch["log_t"]), 1e-8, floor=1.0)
                tally.check(name, "event log_loss", event["log_loss"], float(switch["log_loss"]), 1e-8, floor=1.0)


def limits(cases, tally):
    for case in cases["cases"]:
        given, expected, name = case["input"], case["output"], case["id"]
        experiment = {"data": {"points": numbers(given["x"]), "labels": [int(y) for y in given["y"]]}}
        for norm in ("l1", "l2"):
            if not expected["separable"]:
                document = run("margin", experiment, "--norm", norm, codes=(3,))
                tally.same(name, "separable", document["separable"], False)
                weights = document["certificate"]
                total = [math.fsum(w * z[j] for w, z in zip(weights, numbers(given["z"]))) for j in range(given["d"])]
                tally.check(name, "certificate sum", math.fsum(weights), 1.0, 1e-12)
                tally.check(name, "certificate residual", math.hypot(*total), 0.0, 1e-10, floor=1.0)
                tally.same(name, "certificate sign", all(w >= 0 for w in weights), True)
                continue
            document = run("margin", experiment, "--norm", norm)
            answer = expected[norm]
            value = next(float(v) for k, v in answer.items() if k.startswith(f"{norm}_margin"))
            tally.same(name, "separable", document["separable"], True)
            tally.check(name, f"{norm} margin", document["margin"], value, 1e-12)
            tally.check(name, f"{norm} kkt_residual", document["kkt_residual"], 0.0, 1e-9, floor=1.0)
            tally.same(name, f"{norm} unique", document["unique"], answer["unique"])
            direction = next(v for k, v in answer.items() if k == f"direction_b/||b||_{norm[1]}")
            if answer["unique"]:
                for actual, reference in zip(document["direction"], numbers(direction)):
                    tally.check(name, f"{norm} direction", actual, reference, 1e-10, floor=1.0)


def linf_flow(cases, tally):
    for case in cases["cases"]:
        given, expected, name = case["input"], case["output"], case["id"]
        if "w1_0" in given:
            init = {"layers": [numbers(given["w1_0"]), numbers(given["w2_0"])]}
        else:
            init = numbers(given["alpha (w_l=alpha for all l)"])
        taus = [float(at["tau"]) for at in expected["at_tau"]]
        experiment = single(numbers(given["mu"]), init, float(given["rho"]), "linf-sam", mode="flow", depth=given["L"],
                            until={"tau": max(taus)}, record={"samples": 2, "at": {"tau": taus}})
        document = flow_records(case, tally, experiment, expected["at_tau"], 1e-8, 1e-8)
        for coordinate in expected.get("per_coordinate", []):
            if "tau_zero" in coordinate and float(coordinate["tau_zero"]) < max(taus):
                reached = [event["tau"] for event in document["events"]
                           if event["kind"] in ("sliding", "collapse") and event["to"] in (coordinate["coordinate"] - 1, None, -1)]
                tally.check(name, "tau of reaching 0", reached[0] if reached else None, float(coordinate["tau_zero"]), 1e-8)
        blow_up = expected.get("limit", {}).get("tau_max")
        if blow_up:
            experiment["dynamics"]["until"] = {"tau": 2 * float(blow_up)}
            experiment["record"] = {"samples": 2}
            document = run("simulate", experiment)
            event = [e for e in document["events"] if e["kind"] == "blow_up"]
            tally.check(name, "tau of blow-up", event[0]["tau"] if event else None, float(blow_up), 1e-8)
        if "per_coordinate" in expected:
            prediction = run("predict", experiment)["limit"]
            stars = expected["limit"].get("j_star", [])
            if len(stars) == 1:
                tally.same(name, "predicted limit", (prediction["kind"], prediction["index"]), ("basis", stars[0] - 1))


def gd_limit_multi(cases, tally):
    for case in cases["cases"]:
        given, name = case["input"], case["id"]
        target = numbers(case["target"]["direction"])
        for method, answer in case["output"].items():
            checkpoints = answer["checkpoints"]
            clocks = [float(at["log_t"]) for at in checkpoints]
            experiment = {
                "data": {"points": numbers(given["z"]), "labels": [1] * given["N"]},
                "network": {"depth": 2, "init": {"layers": [numbers(given["w1_0"]), numbers(given["w2_0"])]}},
                "optimizer": {"method": METHOD[method], "rho": float(given["rho_for_l2_sam"]) if method != "gd" else 0},
                "dynamics": {"mode": "flow", "until": {"log_time": max(clocks)}},
                "record": {"samples": 2, "at": {"log_time": clocks}},
            }
            document = run("simulate", experiment)
            for at in checkpoints:
                record = record_at(document, "log_time", float(at["log_t"]))
                beta = numbers(at["beta"])
                for actual, expected in zip(record["beta"], beta):
                    tally.check(f"{name} {method}", "beta", actual, expected, 1e-6)
                total = math.fsum(abs(b) for b in record["beta"])
                error = math.fsum(abs(b / total - t) for b, t in zip(record["beta"], target))
                tally.check(f"{name} {method}", "direction error", error, float(at["direction_error_l1"]), 1e-5)


def main():
    family = sys.argv[1]
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases")
    path = os.path.join(os.environ.get("SAMFLOW_CASES") or beside, family + ".json")
    with open(path, encoding="utf-8") as stream:
        cases = json.load(stream)
    tally = Tally()
    globals()[family](cases, tally)
    if not tally.worst:
        tally.failures.append(f"{path} asks for nothing")
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
