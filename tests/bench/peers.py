#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""canaryd beside tough, go-tuf and python-tuf: the same work on the same repository and nginx.

    tests/bench/peers.py [--rounds N] [ROW...]     rows: one many small loop listed
                                                   delegations bins delegations-all bins-all

Each peer is a plain program of its library (tests/bench/peers/), with one client. A row runs all in
turn, so many rounds; medians of wall, CPU and peak memory, and canaryd divided by each peer. Needs
cargo and go beside what the tests need; a peer that cannot be built is left out and named."""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/soak"))
from many_probes import BUILD, SERVE, ManyProbes  # noqa: E402

PEERS = ROOT / "tests/bench/peers"
BUILT = ROOT / "build/peers"
LOOPS = 100  # runs of the row loop
# row: case of bench_repository, what is downloaded, how many at once, its title
ROWS = {
    "one": ("one", "all", 4, "one target of 1 GiB"),
    "many": ("many", "all", 4, "64 targets of 16 MiB, four at once"),
    "small": ("small:1", "all", 4, "three small targets, a whole process"),
    "loop": ("small:1", "all", 1, f"the same {LOOPS} times in one process; canaryd as a service"),
    "listed": ("listed", "none", 4, "100,000 targets in one file, metadata alone"),
    "delegations": ("delegations", "package-999-file", 4,
                    "a target behind the last of 1,000 delegations"),
    "bins": ("bins", "packages/group1/package-1.tar.gz", 4, "a target in one of 16,384 bins"),
}
# Likewise, where canaryd visits what no client of that target does: every role.
ROWS |= {f"{row}-all": (*ROWS[row][:3], f"{ROWS[row][3]}; canaryd verifies every role")
         for row in ("delegations", "bins")}


def build_peers():
    """Name -> command."""
    peers, BUILT_RUST = {}, BUILT / "tough"
    attempts = {
        "tough": (["cargo", "build", "--release", "--quiet", "--locked", "--target-dir",
                   str(BUILT_RUST)], PEERS / "tough", [str(BUILT_RUST / "release/peer-tough")]),
        "go-tuf": (["go", "build", "-o", str(BUILT / "peer-go-tuf"), "."], PEERS / "go-tuf",
                   [str(BUILT / "peer-go-tuf")]),
        "python-tuf": ([str(ROOT / "tests/tuf/python_tuf_env.sh"), str(ROOT / "build/python-tuf")],
                       ROOT, [str(ROOT / "build/python-tuf/bin/python"),
                              str(PEERS / "python_tuf.py")]),
    }
    BUILT.mkdir(parents=True, exist_ok=True)
    for name, (command, folder, program) in attempts.items():
        print(f"building {name}", file=sys.stderr, flush=True)
        try:
            subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)
            peers[name] = program
        except (OSError, subprocess.CalledProcessError) as failed:
            print(f"{name} is left out: {failed}", flush=True)
    return peers


def measured(command, well=(0,)):
    """(wall seconds, CPU seconds, peak MiB) of a program; None where it ends with another status."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = child.stderr.read().decode(errors="replace")
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in well:
        print(f"{command[0]}: exit {child.returncode}: {said[:300]}", flush=True)
        return None
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def as_a_service(rounds):
    """CPU seconds for LOOPS runs of a resident canaryd; no wall time: it waits for the next run."""
    figures = []
    for _ in range(rounds):
        with ManyProbes(1000, quiet=True) as site:
            time.sleep(12)  # the first round
            runs, cpu = site.metrics().total("canaryd_probe_runs_total"), site.cpu()
            time.sleep(20)
            page = site.metrics()
            if page.total("canaryd_probe_failures_total"):
                raise SystemExit("a run of canaryd failed")
            share = LOOPS / (page.total("canaryd_probe_runs_total") - runs)
            figures.append((None, (site.cpu() - cpu) * share, site.rss()))
    return figures


def canaryd(folder, url, wanted, every_role):
    return [BUILD / "canaryd", "check", "--root", folder / "metadata/1.root.json",
            "--metadata-url", f"{url}/metadata", "--targets-url", f"{url}/targets",
            "--targets", wanted, "--roles", "all" if every_role else "visited"]


def median(figures, column):
    values = [each[column] for each in figures if each[column] is not None]
    return statistics.median(values) if values else None


def show(title, table):
    print(f"\n{title}\n{'':12} {'wall s':>8} {'CPU s':>8} {'peak MiB':>9}   canaryd ÷ it: wall, CPU")
    own = table["canaryd"]
    for name, figures in table.items():
        cells, ratios = [], []
        for column, width in ((0, 8), (1, 8), (2, 9)):
            value = median(figures, column)
            cells.append(f"{value:{width}.3f}" if value is not None else " " * (width - 1) + "-")
            mine = median(own, column)
            if column < 2:
                ratios.append(f"{mine / value:.2f}" if value and mine is not None else "-")
        print(f"{name:12} {' '.join(cells)}   {', '.join(ratios) if name != 'canaryd' else ''}",
              flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./canary bench peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=" ".join(ROWS))
    asked = parser.parse_args()
    unknown = [row for row in asked.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row is called {unknown[0]}; there are {' '.join(ROWS)}")
    peers = build_peers()
    work = pathlib.Path(tempfile.mkdtemp(prefix="canaryd-peers."))
    work.chmod(0o755)  # nginx drops its privileges
    server = None
    try:
        nginx, url = subprocess.run(["bash", "-c", SERVE, "serve", work, work], check=True, cwd=ROOT,
                                    stdout=subprocess.PIPE, text=True).stdout.split()
        server = int(nginx)
        for row in asked.rows or ROWS:
            case, wanted, at_once, title = ROWS[row]
            folder = work / case.partition(":")[0]
            if not folder.exists():
                subprocess.run([BUILD / "bench_repository", folder, case], check=True)
            one = folder / "0" if case == "small:1" else folder
            address = f"{url}/{one.relative_to(work)}"
            runs = LOOPS if row == "loop" else 1
            names = {"all": [], "none": ["-"]}.get(wanted, [wanted])
            table = {"canaryd": as_a_service(1) if row == "loop" else []}
            running = dict(peers)
            for _ in range(asked.rounds):
                if row != "loop":
                    own = measured(canaryd(one, address, wanted, row.endswith("-all")),
                                   well=(0, 1))  # a warning: such metadata is too large for some
                    if own is None:
                        raise SystemExit("canaryd failed")
                    table["canaryd"].append(own)
                for name, program in list(running.items()):
                    figures = measured(
                        [*program, str(runs), str(at_once), one / "metadata/1.root.json",
                         f"{address}/metadata", f"{address}/targets", *names])
                    if figures is None:
                        del running[name]  # a peer that cannot do it has no figure
                        table.pop(name, None)
                    else:
                        table.setdefault(name, []).append(figures)
            show(title, table)
            if row in ("one", "many"):
                shutil.rmtree(folder)
    finally:
        if server is not None:
            os.kill(server, 15)
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
