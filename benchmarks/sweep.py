"""What launchers cost per run, what a sweep costs next to a shell loop, and 10,000 runs listed.

    python benchmarks/sweep.py                      # everything that is installed here
    python benchmarks/sweep.py --only listing       # or launchers, loop
    python benchmarks/sweep.py --runs 8             # of the loop, instead of 40

Ray is measured where ``RAY_ADDRESS`` answers, Slurm by submitit's local executor. Times say
something only on a quiet machine, so the machine's load is printed with each.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from genlib.runs import launch, queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.launch import LaunchError

TRAIN: dict[str, object] = {"limit": 256, "batch_size": 64, "precision": "float32", "threads": 1}
PYTHON = [sys.executable, "-m", "genlib"]
LIST_S = 1.0  # a listing after the first
LISTED = 10_000
PATIENCE_S = 600.0


def tiny(seed: int, epochs: int = 1) -> RunSpec:
    """784-2-784 on 256 digits: an epoch takes some hundredths of a second."""
    return RunSpec(
        "autoencoder", "digits", {"latent_dim": 2}, {**TRAIN, "epochs": epochs, "seed": seed}
    )


def load() -> str:
    """The machine's load, which is ours alone on a quiet one."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def wait(holds: Callable[[], object]) -> None:
    """Look after the queue until ``holds()``."""
    until = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError("a run did not finish")
        queue.advance()
        time.sleep(0.02)


def first_step(name: str, count: int) -> list[float]:
    """Seconds from ``queue.start`` to the first gradient step, of runs one after the other.

    Loading Python, torch and the data is in it: a run is a process wherever it is started.
    """
    found = []
    for seed in range(count):
        run = queue.start(tiny(seed), on=name)
        wait(lambda run=run: run.state == "finished")
        begun = next(event for event in run.events()[0] if event.kind in ("step", "epoch"))
        found.append(begun.time - begun.metrics["seconds"] - run.spec.created)
    return found


def in_shell(count: int) -> list[float]:
    """The same for ``genlib train`` as a person would type it."""
    found = []
    for seed in range(count):
        at = time.time()
        subprocess.run([*PYTHON, *words(seed)], check=True, capture_output=True)
        run = queue.listing()[0]
        begun = next(event for event in run.events()[0] if event.kind in ("step", "epoch"))
        found.append(begun.time - begun.metrics["seconds"] - at)
    return found


def words(seed: int) -> list[str]:
    """The arguments of a tiny training."""
    settings = {**TRAIN, "latent_dim": 2, "seed": seed, "epochs": 1}
    given = [text for name, value in settings.items() for text in ("--set", f"{name}={value}")]
    return ["train", "autoencoder", "--dataset", "digits", *given]


def launchers(count: int) -> None:
    """Print the seconds to the first step for each launcher that can be asked."""
    print(f"seconds from the queue to the first step, median of {count} ({load()})")
    base = statistics.median(in_shell(count))
    print(f"  {'genlib train':14} {base:6.2f}")
    for name in launch.LAUNCHERS:
        try:
            found = statistics.median(first_step(name, count))
        except LaunchError as error:
            print(f"  {name:14} not measured: {error}")
            continue
        print(f"  {name:14} {found:6.2f}   {found - base:+.2f} s per run")


def loop(count: int) -> None:
    """Print the seconds of a sweep of ``count`` runs, two at a time, and of the same in a shell."""
    lines = "\n".join(shlex.join([*PYTHON, *words(seed)]) for seed in range(count))
    shell = costs(["xargs", "-P", "2", "-d", "\n", "-n", "1", "sh", "-c", 'exec sh -c "$0"'], lines)
    fixed = [text for name, value in TRAIN.items() for text in ("--set", f"{name}={value}")]
    command = ["sweep", "autoencoder", "--dataset", "digits", *fixed, "--set", "latent_dim=2"]
    command += ["--epochs", "1", "--seeds", str(count), "--max", "2"]
    swept = costs([*PYTHON, *command])
    print(f"{count} tiny runs, two at a time, seconds: wall, processor ({load()})")
    print(f"  shell loop     {shell[0]:6.1f} {shell[1]:6.1f}")
    ratios = [b / a for a, b in zip(shell, swept, strict=True)]
    print(f"  genlib sweep   {swept[0]:6.1f} {swept[1]:6.1f}   {ratios[0]:.2f}x {ratios[1]:.2f}x")


def costs(command: list[str], text: str = "") -> tuple[float, float]:
    """Seconds of the clock until a command ends, and of the processor until all of its processes
    have ended, those included that it left behind."""
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: what is left behind is ours
    begin, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text.encode(), check=True, capture_output=True)
    wall = time.monotonic() - begin
    with suppress(ChildProcessError):  # there is none any more
        while True:
            os.wait()
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def listing(count: int) -> bool:
    """Print the seconds that a list of ``count`` synthetic runs takes; whether the bar holds."""
    for n in range(count):
        path = queue.folder() / f"autoencoder-{n + 1}"
        path.mkdir(parents=True)
        spec = tiny(n)
        values = {**spec.to_dict(), "sweep": f"sweep {n // 200}", "created": 1.7e9 + n}
        (path / "run.json").write_text(json.dumps(RunSpec.from_dict(values).to_dict()))
        status = {"state": "finished", "since": 1.7e9, "message": ""}
        (path / "status.json").write_text(json.dumps(status))
        Run(path).lock.touch()
    code = "import time; from genlib.runs import queue; a = time.time(), time.process_time(); "
    code += "n = len(queue.listing()); b = time.time(), time.process_time(); "
    code += "queue.listing(); c = time.time(), time.process_time(); queue.advance(); "
    code += "d = time.time(), time.process_time(); "
    code += "print(n, *(y[i] - x[i] for x, y in ((a, b), (b, c), (c, d)) for i in (0, 1)))"
    results = []
    for _ in range(2):
        text = subprocess.check_output([sys.executable, "-c", code], text=True)
        n, *seconds = map(float, text.split())
        assert n == count
        results.append(seconds)
    first, again = results
    rows = {
        "the first time (the index is built)": first[0:2],
        "again in the same process": first[2:4],
        "the first time in another process": again[0:2],
        "a look after the queue": again[4:6],
    }
    print(f"{count:,} runs, seconds: wall, processor ({load()})")
    for name, (wall, cpu) in rows.items():
        print(f"  {name:36} {wall:6.2f} {cpu:6.2f}")
    return all(wall <= LIST_S for wall, _ in (first[2:4], again[0:2]))


def main() -> int:
    """Measure, print; 1 if the listing misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["launchers", "loop", "listing"])
    parser.add_argument("--runs", type=int, default=40, help="of the loop")
    parser.add_argument("--turns", type=int, default=5, help="runs for each launcher")
    options = parser.parse_args()
    os.environ.setdefault("GENLIB_SLURM_EXECUTOR", "local")
    os.environ["OMP_NUM_THREADS"] = "1"
    holds = True
    parts: dict[str, Callable[[], object]] = {
        "launchers": lambda: launchers(options.turns),
        "loop": lambda: loop(options.runs),
        "listing": lambda: listing(LISTED),
    }
    for name, measure in parts.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                os.environ["GENLIB_RUNS"] = folder
                os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
                holds = measure() is not False and holds
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
