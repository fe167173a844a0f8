#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The history of 1,000 probes each 10 s over 400 days: history_bench writes it through the real
store, then canaryd is started on it, its pages are asked for, and what it writes is measured.

    tests/bench/history.py [--probes N] [--days N] [--full-days N] [--seconds N] [--database FILE]"""
import argparse
import http.client
import os
import pathlib
import shutil
import subprocess
import time

from http_probes import HttpProbes
from many_probes import BUILD, TICK

PAGES = ("/", "/incidents?since=90d", "/probe/get-7", "/hangs?since=90d", "/incidents.atom",
         "/api/v1/incidents?since=90d", "/api/v1/runs?probe=get-7&since=1d",
         "/api/v1/history?since=7d")


class OldProbes(HttpProbes):
    """On a history that is there already."""

    def __init__(self, options):
        super().__init__(options.probes)
        self.options = options

    def write_repositories(self, repositories):
        super().write_repositories(repositories)
        state = self.folder / "state"
        state.mkdir()
        if self.options.database:
            shutil.copy(self.options.database, state / "history.db")
            return
        subprocess.run([BUILD / "history_bench", state / "history.db", str(self.probes),
                        str(self.interval), str(self.options.days), str(self.options.full_days)],
                       check=True)


def thread_cpu(pid, name):
    """Processor seconds of the process's threads of this name."""
    used = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        before, _, after = (task / "stat").read_text().rpartition(")")
        if before.partition("(")[2] == name:
            fields = after.split()
            used += int(fields[11]) + int(fields[12])
    return used / TICK


def written(pid):
    return int(pathlib.Path(f"/proc/{pid}/io").read_text().split("\nwrite_bytes: ")[1].split()[0])


def ask(site, path):
    address, port = site.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(address, int(port), timeout=60)
    begun = time.monotonic()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    print(f"{path:44}{answer.status:5}{1000 * (time.monotonic() - begun):9.0f} ms"
          f"{len(body) / 1024:9.0f} KiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--full-days", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--database", help="one that history_bench wrote before")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}", flush=True)
    with OldProbes(options) as site:
        time.sleep(3 * site.interval)  # the file is looked through for damage
        for path in PAGES:
            ask(site, path)
        pid, runs = site.process.pid, "canaryd_probe_runs_total"
        before, bytes_before = site.metrics().total(runs), written(pid)
        cpu, begun = thread_cpu(pid, "history"), time.monotonic()
        time.sleep(options.seconds)
        lasted, now = time.monotonic() - begun, site.metrics()
        done = now.total(runs) - before
        print(f"{done:.0f} runs in {lasted:.0f} s: history took "
              f"{1000 * 1000 * (thread_cpu(pid, 'history') - cpu) / done:.0f} ms CPU per 1,000 runs; "
              f"{(written(pid) - bytes_before) / lasted / 1024:.0f} KiB/s written by the process; "
              f"dropped {now.total('canaryd_history_entries_dropped_total'):.0f}")
        for line in site.log.read_text().splitlines():
            if "level=warn" in line or "level=error" in line:
                print("    " + line[:300])


if __name__ == "__main__":
    main()
