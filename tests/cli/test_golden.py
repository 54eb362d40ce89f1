"""What the commands print, in words: help, errors with their hints and exit codes, tables, and the shapes of JSON documents.

Each case of CASES is run in a folder with the files of FILES; what comes out is compared with golden/NAME.txt. Numbers that
are no whole numbers are cut to 4 digits, and what depends on machine or moment is replaced.

    SAMFLOW_PROGRAM=build/release/samflow python3 tests/cli/test_golden.py --write

writes the files anew; what changed is then to be read, line by line.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(os.environ["SAMFLOW_PROGRAM"])
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")

FILES = {
    "run.yaml": "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\noptimizer: {method: l2-sam, rho: 1}\n"
                "dynamics: {until: {tau: 3}}\nrecord: {samples: 4}\n",
    "steps.yaml": "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\noptimizer: {rho: 0.1}\n"
                  "dynamics: {mode: discrete, step: 0.1, steps: 20}\nrecord: {samples: 4}\n",
    "diverge.yaml": "data: {points: [[1], [-1]], labels: [1, 1]}\nnetwork: {depth: 4, init: 2}\noptimizer: {method: gd}\n"
                    "loss: exponential\ndynamics: {mode: discrete, step: 10, steps: 500}\n",
    "points.yaml": "data: {points: [[1, 2], [-1, -1.5], [0.3, 1]], labels: [1, -1, 1]}\noptimizer: {rho: 0.1}\n",
    "mixed.yaml": "data: {points: [[1, 2], [1, 2]], labels: [1, -1]}\n",
    "named.yaml": "data: {file: nowhere.csv}\n",
    "grid.yaml": "data: {example: [1, 2]}\noptimizer: {rho: 0.1}\ndynamics: {mode: discrete, step: 0.1, steps: 20}\n"
                 "sweep:\n  axes: {network.init: [0.4, 0.6], optimizer.rho: [0.1, 0.2]}\n",
    "part.yaml": "data: {example: [1, 2]}\noptimizer: {rho: 0.1}\n"
                 "dynamics: {mode: discrete, step: 0.1, steps: 20}\n"
                 "sweep:\n  axes: {data.example: [[1, 2], [1, 2, 3]]}\n  observables: [direction]\n",
    "table.csv": "a,b,label\n1,2,1\n-1,-1.5,-1\n0.3,1,1\n",
    "broken.yaml": "data: {example: [1, 2]\n",
    "typo.yaml": "data: {example: [1, 2]}\nnetwork: {alpha: 0.1}\n",
    "flat.yaml": "data: {example: [1, 2]}\nnetwork.depth: 3\n",
    "escape.yaml": "data: {example: [1, 2]}\n\"bad\\e[31mkey\": 1\n",
}

COMMANDS = ["simulate", "predict", "sweep", "export", "merge", "limit", "margin", "train", "attribute", "data", "data info",
            "data fetch", "bench", "plot", "reproduce", "help"]


def cases():
    """name -> (arguments, options); options: before: commands run first; shape: of the JSON on standard output."""
    table = {"help_overview": "help", "none": ""}
    for command in COMMANDS:
        table["help_" + command.replace(" ", "_")] = "help " + command
    table.update({
        "error_command": "simulat run.yaml",
        "error_command_file": "run.yaml",
        "error_command_file_missing": "ran.yaml",
        "error_command_second": "info table.csv",
        "error_command_group": "data",
        "error_command_group_unknown": "data infos table.csv",
        "error_command_option_first": "--json simulate run.yaml",
        "error_help": "help simulatte",
        "error_help_two": "help --man --json",
        "error_option": "simulate run.yaml --jsn",
        "error_option_setting": "simulate run.yaml --rho 2",
        "error_option_other": "simulate run.yaml --shard 1/2",
        "error_option_habit": "simulate run.yaml -q",
        "error_option_value": "simulate run.yaml --json=3",
        "error_option_missing": "simulate run.yaml -o",
        "error_option_empty": ["simulate", "run.yaml", "-o", ""],
        "error_option_empty_equals": "sweep grid.yaml --threads=",
        "error_option_twice": "simulate run.yaml -o a.json -o b.json",
        "error_option_twice_value": "limit run.yaml --log-time 3 --log-time=4",
        "error_argument_none": "simulate",
        "error_argument_two": "simulate run.yaml steps.yaml",
        "error_argument_empty": ["simulate", ""],
        "error_argument_missing": "predict nowhere.yaml",
        "error_argument_folder": "predict .",
        "error_argument_dashes": "predict -- --json",
        "error_named_missing": "simulate named.yaml",
        "error_set_empty": ["simulate", "run.yaml", "--set", ""],
        "error_set_unknown": "simulate run.yaml --set optimizer.roh=1",
        "error_set_none": "merge all.db a.db --set a=b",
        "error_yaml": "simulate broken.yaml",
        "error_key_hint": "simulate typo.yaml",
        "error_key_flat": "simulate flat.yaml",
        "error_key_escape": "simulate escape.yaml",
        "error_choice": "margin points.yaml --norm l3",
        "error_choice_near": "data info table.csv --format cvs",
        "error_count": "sweep grid.yaml -o a.db --threads 1.5",
        "error_count_range": "bench --repeats 100",
        "error_number": "limit run.yaml --tolerance 0",
        "error_number_text": "limit run.yaml --log-time 3x",
        "error_seconds": "simulate run.yaml --max-seconds 0",
        "error_output_ending": "predict run.yaml -o run.csv",
        "error_output_folder": "predict run.yaml -o nowhere/run.json",
        "error_output_is_folder": "predict run.yaml -o ./",
        "error_output_input": "simulate run.json -o run.json",
        "error_output_dash": "export a.db -o -",
        "error_events_same": "simulate run.yaml -o a.json --events a.json",
        "error_alone": "simulate --settings run.yaml",
        "error_alone_option": "reproduce --list --quick",
        "error_alone_common": "sweep --status a.db -o b.db",
        "error_sweep_output": "sweep grid.yaml",
        "error_sweep_dry": "sweep grid.yaml --dry-run --threads 2",
        "error_sweep_dry_events": "sweep grid.yaml --dry-run --events e.jsonl",
        "error_sweep_dry_retry": "sweep grid.yaml --dry-run --retry-failed",
        "error_sweep_from": "sweep grid.yaml -o a.db --from a.db",
        "error_sweep_shard": "sweep grid.yaml -o a.db --shard 3/2",
        "error_sweep_auto": "sweep grid.yaml -o a.db --shard auto",
        "error_export_output": "export a.db",
        "error_merge_same": "merge a.db ./a.db",
        "error_merge_output": "merge a.db -o b.db",
        "error_train_resume": "train run.yaml --resume",
        "error_attribute_images": "attribute a.h5 --images 3",
        "error_attribute_layer": "attribute a.h5 --layer c1 --method input-gradient",
        "error_data_options": "data info run.yaml --mirror",
        "error_data_images": "data info table.csv --images --mirror",
        "error_data_images_labels": "data info table.csv --images",
        "error_data_set": "data info table.csv --set data.scale=2",
        "error_data_classes": "data info table.csv --classes 1",
        "error_fetch": "data fetch mnits",
        "error_fetch_part": "data fetch mnist --part tset",
        "error_plot_output": "plot run.json",
        "error_plot_kind": "plot run.json --kind shads -o a.svg",
        "error_plot_column": "plot run.json --x a -o a.svg",
        "error_plot_clock": "plot a.db --clock tau -o a.svg",
        "error_plot_two": "plot a.db b.db -o a.svg",
        "error_plot_image": "plot run.json --kind image -o a.svg",
        "error_plot_image_size": "plot run.json --image 3 -o a.svg",
        "error_plot_at": "plot run.json --at 1 -o a.svg",
        "error_plot_set": "plot run.json --set data.scale=1 -o a.svg",
        "error_plot_sweep": "plot a.db --x network.init -o a.svg",
        "error_reproduce_claim": "reproduce --only T44",
        "error_reproduce_twice": "reproduce --only T4.4,T4.4",
        "error_reproduce_set": "reproduce --only T4.4 --set optimizer.rho=0.5",
        "error_reproduce_data": "reproduce --only T4.4 --data .",
        "error_reproduce_output": "reproduce --only T4.4 -o run.yaml",
        "simulate_table": "simulate run.yaml",
        "simulate_steps": "simulate steps.yaml",
        "simulate_diverges": "simulate diverge.yaml --set record.samples=3",
        "predict_text": "predict run.yaml",
        "predict_points": "predict points.yaml",
        "limit_text": "limit run.yaml",
        "margin_text": "margin points.yaml",
        "margin_l2": "margin points.yaml --norm l2 --nonnegative",
        "margin_not_separable": "margin mixed.yaml",
        "data_text": "data info table.csv points.yaml",
        "sweep_dry": "sweep grid.yaml --dry-run",
        "sweep_failed_points": "sweep part.yaml -o part.db --threads 1",
        "merge_text": "merge all.db a.db",
        "reproduce_claim": "reproduce --only T4.4 --quick",
    })
    table = {name: {"arguments": a.split() if isinstance(a, str) else a} for name, a in table.items()}
    for name, arguments in {
            "simulate": "simulate run.yaml --json", "predict": "predict run.yaml --json", "limit": "limit run.yaml --json",
            "margin": "margin points.yaml --json", "data_info": "data info table.csv --json",
            "sweep": "sweep grid.yaml -o b.db --json", "sweep_status": "sweep --status a.db --json",
            "sweep_dry": "sweep grid.yaml -o a.db --dry-run --json", "export": "export a.db -o a.csv --json",
            "merge": "merge all.db a.db --json", "plot": "plot run.json -o run.svg --json",
            "plot_sweep": "plot a.db --x network.init --y optimizer.rho --color log_loss -o a.svg --json",
            "help": "help merge --json", "settings": "simulate --settings --json", "settings_train": "train --settings --json",
            "version": "--version --json", "reproduce_list": "reproduce --list --json",
            "reproduce": "reproduce --only T4.4 --quick --json", "dash": "predict run.yaml -o -"}.items():
        table["json_" + name] = {"arguments": arguments.split(), "shape": True}
    for name, case in table.items():
        words = case["arguments"]
        if any(word in ("a.db", "./a.db") for word in words) and name not in ("error_sweep_from",):
            case["before"] = [["sweep", "grid.yaml", "-o", "a.db", "--quiet"]]
        if "b.db" in words and words[0] == "plot":
            case["before"].append(["sweep", "grid.yaml", "-o", "b.db", "--quiet"])
        if "run.json" in words:
            case.setdefault("before", []).append(["simulate", "run.yaml", "-o", "run.json"])
        if "a.h5" in words:
            case.setdefault("before", []).append(["simulate", "run.yaml", "-o", "a.h5"])
    return table


def shape(value):
    """What a document is like: keys and types; of a list its first element."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true or false"
    return "text" if isinstance(value, str) else "number"


def clean(text, folder):
    text = text.replace(os.path.realpath(folder), "FOLDER").replace(folder, "FOLDER")
    text = re.sub(r"samflow 0\.\d+\.\d+", "samflow VERSION", text)
    text = re.sub(r"\(\d+\.\d s\)", "(SECONDS s)", text)
    text = re.sub(r"measured \d[.\d]*e-(0[89]|[1-9]\d)", "measured ROUNDING", text)  # an error: its size is the machine's
    text = re.sub(r"-?\d+\.\d+(e[+-]?\d+)?(?![.\d])", lambda m: f"{float(m[0]):.4g}", text)
    return re.sub(r" +$", "", re.sub(r"(?<=\S) {2,}", "  ", text), flags=re.M)


def transcript(case):
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("SLURM_", "SGE_", "PBS_", "LSB_", "SAMFLOW_DATA"))}
    with tempfile.TemporaryDirectory() as folder:
        for name, text in FILES.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
                stream.write(text)

        def run(arguments):
            return subprocess.run([PROGRAM, *arguments], capture_output=True, cwd=folder, env=environment,
                                  stdin=subprocess.DEVNULL, timeout=120)
        for arguments in case.get("before", []):
            run(arguments)
        done = run(case["arguments"])
        output, errors = done.stdout.decode(), done.stderr.decode()
        if case.get("shape"):
            output = json.dumps(shape(json.loads(output)), indent=1) + "\n"
        words = " ".join(word if word and " " not in word else f"'{word}'" for word in case["arguments"])
        return clean(f"$ samflow {words}\n{output}--- stderr\n{errors}--- exit code {done.returncode}\n", folder)


class Golden(unittest.TestCase):
    maxDiff = None

    def test_all(self):
        table = cases()
        for name, case in table.items():
            with self.subTest(name):
                with open(os.path.join(GOLDEN, name + ".txt"), encoding="utf-8") as stream:
                    self.assertEqual(transcript(case), stream.read())
        self.assertEqual(sorted(os.listdir(GOLDEN)), sorted(name + ".txt" for name in table))


def write():
    os.makedirs(GOLDEN, exist_ok=True)
    for name in os.listdir(GOLDEN):
        os.remove(os.path.join(GOLDEN, name))
    for name, case in cases().items():
        with open(os.path.join(GOLDEN, name + ".txt"), "w", encoding="utf-8") as stream:
            stream.write(transcript(case))


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main()
