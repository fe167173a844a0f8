#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long the first round of many probes takes, where all they trust is written down for the first
time, on a disk as it is and on one whose fsync(2) takes 10 ms longer (a preloaded shim).

    tests/bench/first_round.py [--probes 1000] [--fsync-ms 10]

All are due at once, 64 run at a time; from the start of the process until the last has ended, which
waits until its files are on the disk."""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/soak"))
from many_probes import ManyProbes  # noqa: E402

LIMIT = 600  # seconds for a round


class FirstRound(ManyProbes):
    def configuration(self, url, repositories):
        file = super().configuration(url, repositories)
        text = file.read_text()
        file.write_text(text.replace("start_spread: 10s", "start_spread: 0s")
                        .replace("interval: 10s, timeout: 10s", "interval: 1h, timeout: 60s"))
        return file


def round_of(probes, prefix):
    """Seconds until the last run has ended, and until all is on the disk."""
    with FirstRound(probes, prefix, quiet=True) as site:
        begun = site.began
        while True:
            page = site.metrics()
            ended = page.total("canaryd_probe_runs_total")
            if ended >= probes:
                break
            if time.monotonic() - begun > LIMIT:
                sys.exit(f"after {LIMIT} s {ended:.0f} of {probes} runs have ended")
            time.sleep(0.1)
        ended = time.monotonic() - begun
        well = page.total("canaryd_probe_success")
        told = page.total("canaryd_probe_finding_severity", 'check="store"')
        if well != probes or told:
            print(f"of {probes} probes {well:.0f} are well, {told:.0f} tell of the state directory",
                  flush=True)
        # The last file of a run.
        while len(list((site.folder / "state/probes").glob("*/versions.seen"))) < probes:
            if time.monotonic() - begun > LIMIT:
                sys.exit(f"after {LIMIT} s not all is written down")
            time.sleep(0.1)
        return ended, time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=1_000)
    parser.add_argument("--fsync-ms", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shim = pathlib.Path(folder) / "slow_fsync.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", shim,
                        ROOT / "tests/bench/slow_fsync.c"], check=True)
        plain = round_of(options.probes, [])
        slowed = round_of(options.probes, ["env", f"LD_PRELOAD={shim}",
                                           f"SLOW_FSYNC_MS={options.fsync_ms}"])
    print(f"first round of {options.probes} probes: ended after {plain[0]:.1f} s, written down "
          f"after {plain[1]:.1f} s; with fsync slowed by {options.fsync_ms} ms: "
          f"{slowed[0]:.1f} s, {slowed[1]:.1f} s")


if __name__ == "__main__":
    main()
