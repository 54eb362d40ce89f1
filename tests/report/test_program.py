"""samflow plot and samflow reproduce as users run them: files, exit codes, messages, no gnuplot, Ctrl-C."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PROGRAM = os.path.abspath(os.environ.get("SAMFLOW_PROGRAM", "build/release/samflow"))
EXPERIMENT = """
data: {example: [1, 2]}
network: {depth: 2, init: 0.6}
optimizer: {method: l2-sam, rho: 1.0}
dynamics: {mode: flow, until: {log_time: 60}}
record: {samples: 30}
"""
SWEEP = EXPERIMENT + """
sweep:
  axes:
    network.init: {linspace: [0.3, 1.1, 4]}
    optimizer.rho: {linspace: [0.5, 1.5, 3]}
"""


PIXELS = """
data: {points: [[1, 0.5, 0.2, -0.1, 0.3, 2], [0.8, 0.6, 0.3, -0.2, 0.1, 1.5]], labels: [1, 1], mirror: true}
network: {depth: 2, init: 0.3}
optimizer: {method: l2-sam, rho: 0.2}
dynamics: {mode: discrete, step: 0.1, steps: 400}
record: {at: {step: [1, 200]}}
"""


def run(*arguments, code=0, **options):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, **options)
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    return done


def check_plot():
    run("simulate", "e.yaml", "-o", "t.json")
    for kind in ("time", "shares", "plane", "loss"):
        run("plot", "t.json", "--kind", kind, "-o", kind + ".svg")
        assert open(kind + ".svg").read().startswith("<?xml"), kind
    run("plot", "t.json", "-o", "kept.png", "--keep-plots")
    assert os.path.exists("kept.gp") and os.path.exists("kept.dat")
    subprocess.run(["gnuplot", "-e", "ending='svg'", "kept.gp"], check=True)  # the user draws it again
    assert os.path.exists("kept.svg")
    run("plot", "t.json", "-o", "it's odd.png", "--keep-plots")
    assert os.path.exists("it's odd.png") and os.path.exists("it-s-odd.gp") and os.path.exists("it-s-odd.dat")
    assert "no clock" in run("plot", "t.json", "--clock", "step", "-o", "x.svg", code=2).stderr
    assert ".svg, .png, .pdf or .tex" in run("plot", "t.json", "-o", "x.gif", code=2).stderr
    assert "--kind" in run("plot", "t.json", "--kind", "pie", "-o", "x.svg", code=2).stderr
    assert "-o" in run("plot", "t.json", code=2).stderr
    run("plot", "e.json", "-o", "x.svg", code=3)
    assert not os.path.exists("x.svg")


def svg_size(path):
    """Width and height as the file says them."""
    return tuple(int(re.search(name + r'="(\d+)"', open(path).read()).group(1)) for name in ("width", "height"))


def check_looks():
    """Sizes, limits, letters, themes: what the file has, not what gnuplot was asked for."""
    run("plot", "t.json", "-o", "look.svg", "--size", "8.5cm,60mm", "--title", "A & B, it's 50 %", "--xlabel",
        "time", "--ylabel", "", code=2)  # an empty text is a slip of the shell
    run("plot", "t.json", "-o", "look.svg", "--size", "8.5cm,60mm", "--title", "A & B, it's 50 %", "--xlabel", "time",
        "--font", "Nimbus Sans,9")
    text = open("look.svg").read()
    assert svg_size("look.svg") == (321, 227), svg_size("look.svg")
    assert "A &amp; B, it" in text and ">time<" in text and "Nimbus Sans" in text
    run("plot", "t.json", "-o", "wide.svg", "--size", "5in")
    assert svg_size("wide.svg")[0] == 480
    run("plot", "t.json", "-o", "dark.svg", "--style", "dark")
    assert "#14171c" in open("dark.svg").read() or "20,  23,  28" in open("dark.svg").read()
    run("plot", "t.json", "-o", "limits.svg", "--xlim", "2,", "--ylim", "1e-9,1", "--keep-plots")
    script = open("limits.gp").read()
    assert "set xrange [2:*]" in script and "set yrange [1e-09:1]" in script, script
    run("plot", "t.json", "-o", "tex.tex", "--style", "paper")
    assert "includegraphics" in open("tex.tex").read() and r"$\beta$" in open("tex.tex").read()
    assert open("tex.pdf", "rb").read(4) == b"%PDF"
    os.mkdir("elsewhere")
    subprocess.run(["gnuplot", "-e", "ending='png'", os.path.abspath("limits.gp")], check=True, cwd="elsewhere")
    assert os.path.exists("limits.png") and not os.listdir("elsewhere")  # beside its script, from any folder
    for option, value, said in (("--xlim", "3,1", "lower one first"), ("--xlim", ",", "LOW,HIGH"), ("--ylim", "a,b", "LOW,HIGH"),
                                ("--log", "z", "x, y, c"), ("--log", "xy", "x, y, c"), ("--size", "8.5", "8.5cm,6cm"),
                                ("--size", "0cm", "8.5cm,6cm"), ("--size", "1e9cm", "8.5cm,6cm"),
                                ("--font", "x'; system 'id", "letters, digits"), ("--font", "Sans,huge", "FAMILY,POINTS"),
                                ("--style", "loud", "paper")):
        message = run("plot", "t.json", "-o", "bad.svg", option, value, code=2).stderr
        assert said in message, (option, value, message)
    assert not os.path.exists("bad.svg")


def check_several():
    """Figures of several trajectories, heat maps and images, from JSON and HDF5."""
    run("simulate", "pixels.yaml", "-o", "sam.json")
    run("simulate", "pixels.yaml", "--set", "optimizer.method=gd", "--set", "optimizer.rho=", "-o", "gd.h5")
    for name in ("sam.json", "gd.h5"):
        run("plot", name, "--kind", "spotlight", "-o", "spot.svg", "--keep-plots")
        assert "with image" in open("spot.gp").read()
    heat = [float(line.split()[2]) for line in open("spot.dat").read().split("\n\n\n")[0].split("\n")
            if line and line[0] != "#"]
    assert len(heat) == 200 * 60 and max(heat) == 0.0 and min(heat) < -0.5  # GD leaves weak features behind
    run("plot", "gd.h5", "sam.json", "--image", "2x3", "--at", "1,200", "-o", "image.svg", "--keep-plots")
    drawing = open("image.svg").read()
    assert drawing.count("<image ") == 4 and drawing.count("image-rendering:pixelated") == 4
    pixels = [line.split() for line in open("image.dat") if line.strip() and line[0] != "#"]
    record = [r for r in json.load(open("sam.json"))["trajectory"] if r["step"] == 200][0]
    folded = [record["beta"][j] - record["beta"][6 + j] for j in range(6)]
    for column, row, value in pixels[18:24]:  # the last panel: l2-SAM at step 200, rows from the bottom
        assert abs(float(value) - folded[(1 - int(row)) * 3 + int(column)]) < 1e-9
    run("plot", "gd.h5", "sam.json", "--kind", "loss", "--clock", "evaluations", "-o", "loss.svg", "--keep-plots")
    script = open("loss.gp").read()
    assert "#0072b2" in script and "#d55e00" in script and "'GD'" in script  # the colours of methods
    blocks = [b.split("\n") for b in open("loss.dat").read().split("\n\n\n") if b.strip()]
    last = [float(block[-1].split()[0]) for block in blocks]
    assert last == [400, 800], last  # one evaluation a step of GD, two of SAM
    assert "features" in run("plot", "gd.h5", "--image", "28x28", "-o", "x.svg", code=2).stderr
    assert "ROWSxCOLUMNS" in run("plot", "gd.h5", "--image", "28", "-o", "x.svg", code=2).stderr
    assert "--at" in run("plot", "gd.h5", "--image", "2x3", "--at", "1,b", "-o", "x.svg", code=2).stderr
    assert "above 0" in run("plot", "gd.h5", "--image", "2x3", "--at", "0", "-o", "x.svg", code=2).stderr
    run("simulate", "pixels.yaml", "--set", "dynamics.steps=1", "--set", "record.at=", "-o", "short.json")
    for kind in ("time", "shares", "loss", "spotlight"):
        assert "one moment" in run("plot", "short.json", "--kind", kind, "-o", "x.svg", code=2).stderr
    lonely = {**json.load(open("sam.json"))}
    del lonely["experiment"]
    with open("lonely.json", "w") as file:
        json.dump(lonely, file)
    assert "strengths" in run("plot", "lonely.json", "--kind", "spotlight", "-o", "x.svg", code=3).stderr
    run("plot", "lonely.json", "--kind", "loss", "-o", "lonely.svg")
    assert not os.path.exists("x.svg")


def check_sweep():
    run("sweep", "g.yaml", "-o", "r.db")
    run("plot", "r.db", "--x", "optimizer.rho", "--y", "network.init", "--color", "regime", "-o", "map.svg", "--keep-plots")
    script = open("map.gp").read()
    assert "boundary by theory" in script and "collapse" in script, script  # theory over measured cells
    run("plot", "r.db", "--x", "optimizer.rho", "--y", "network.init", "--color", "log_loss", "-o", "loss-map.svg")
    assert "no column" in run("plot", "r.db", "--x", "a", "--y", "b", "--color", "c", "-o", "x.svg", code=2).stderr
    assert "--color" in run("plot", "r.db", "-o", "x.svg", code=2).stderr


def check_reproduce():
    done = run("reproduce", "--quick", "--only", "P4.7,T3.1-SINGLE,MNIST-01", "--json", "-o", "rep")
    claims = {claim["id"]: claim for claim in json.loads(done.stdout)["claims"]}
    assert claims["P4.7"]["verdict"] == "reproduced" and all(c["holds"] for c in claims["P4.7"]["checks"])
    assert claims["MNIST-01"]["verdict"] == "not run" and not claims["MNIST-01"]["checks"]
    assert claims["P4.7"]["command"] == "samflow reproduce --only P4.7 --quick"
    page = open("rep/index.html").read()
    assert page.endswith("</html>\n") and "data:image/svg+xml" in page and "not run" in page
    assert "<details>" in page and " × 10<sup>" in page
    assert sorted(os.listdir("rep")) == ["figures", "index.html", "tables"]
    assert os.path.exists("rep/figures/p47-peak.png")
    run("reproduce", "--only", "NONE", code=2)
    run("reproduce", "--threads", "0", code=2)
    listed = json.loads(run("reproduce", "--list", "--json").stdout)
    assert {"id", "statement", "source"} <= set(listed[0])
    done = run("reproduce", "--only", "P4.7", "-o", "e.yaml/rep", code=2)
    assert "folder" in done.stderr and "P4.7" not in done.stdout  # found before anything ran


def check_without_gnuplot():
    done = run("reproduce", "--quick", "--only", "P4.7", "-o", "bare", env={**os.environ, "PATH": "/nowhere"})
    assert "gnuplot" in done.stderr and "No figures" in open("bare/index.html").read()
    done = run("plot", "t.json", "-o", "x.svg", code=1, env={**os.environ, "PATH": "/nowhere"})
    assert "gnuplot" in done.stderr and not os.path.exists("x.svg")


def interrupt(*arguments, after):
    process = subprocess.Popen([PROGRAM, "reproduce", *arguments, "--quiet"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted" in errors, (process.returncode, errors)
    return output


def check_interruption():
    """After Ctrl-C the page shows what was done; what was not reached reads "not run"."""
    claims = json.loads(interrupt("--threads", "1", "--only", "C3.5-TIES,GD-DEPTH,T4.5", "--json", "-o", "cut",
                                  after=1.0))["claims"]
    assert claims[0]["verdict"] == "reproduced" and claims[2]["verdict"] == "not run", claims
    assert len(claims[0]["checks"]) == 3 and not claims[2]["checks"]
    page = open("cut/index.html").read()
    assert page.endswith("</html>\n") and "interrupted" in page and "not run" in page and 'id="C3.5-TIES"' in page


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    environment = os.environ
    environment.pop("SAMFLOW_DATA", None)
    for name, text in (("e.yaml", EXPERIMENT), ("pixels.yaml", PIXELS), ("g.yaml", SWEEP), ("e.json", "{}")):
        with open(name, "w") as file:
            file.write(text)
    checks = [check_interruption]
    if shutil.which("gnuplot"):
        checks = [check_plot, check_looks, check_several, check_sweep, check_reproduce, check_without_gnuplot, check_interruption]
    else:
        print("skipped: gnuplot is not installed, figures are not drawn")
    for check in checks:
        check()
        print(check.__name__, "ok")
    os.chdir("/")
sys.exit(0)
