#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""100,000 probes over ten shards, as far as one machine can show it: what falls to each shard, what
it takes to check and to start all of that configuration, and one shard that really runs its share
(a third each `tuf`, `http` and `tcp`, of repositories that a private nginx serves) for a while,
each probe every 5 minutes.

    tests/soak/shards.py [SECONDS] [PROBES] [SHARDS]

Exits 1 where a run failed or was skipped, or a shard has more than a tenth too much.
"""
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

from many_probes import BUILD, ManyProbes

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
PROBES = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
SHARDS = int(sys.argv[3]) if len(sys.argv) > 3 else 10
REPOSITORIES = 1_000
PER_FILE = 10_000  # a file has 4 MiB at most


def run_counted(*command):
    """Output, seconds of wall and CPU, and the most memory in MiB."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed: {text}")
    return (text, time.monotonic() - began, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024)


class Shard(ManyProbes):
    def write_repositories(self, repositories):
        subprocess.run([BUILD / "bench_repository", repositories, f"small:{REPOSITORIES}"],
                       check=True)

    def probe(self, i, url, repositories):
        host = url.removeprefix("http://")
        repository = i % REPOSITORIES
        if i % 3 == 0:
            return (f"tuf: {{metadata_url: '{url}/{repository}/metadata', "
                    f"root: '{repositories}/{repository}/metadata/1.root.json'}}")
        if i % 3 == 1:
            return f"http: {{url: '{url}/{repository}/metadata/timestamp.json'}}"
        return f"tcp: {{address: '{host}'}}"

    def configuration(self, url, repositories):
        folder = self.folder / "conf.d"
        folder.mkdir()
        for first in range(0, PROBES, PER_FILE):
            lines = [f"  - {{name: repo-{i}, {self.probe(i, url, repositories)}}}\n"
                     for i in range(first, min(first + PER_FILE, PROBES))]
            (folder / f"{first:07}.yml").write_text("probes:\n" + "".join(lines))
        self.file = self.folder / "canaryd.yml"
        self.file.write_text(
            f"state_directory: {self.folder}/state\n"
            "web: {listen_addresses: ['127.0.0.1:0']}\n"
            "scheduler: {max_concurrent_runs_per_host: 64, start_spread: 5m}\n"
            "defaults: {interval: 5m, timeout: 30s, http: {proxy: none}}\n"
            "include: conf.d/*.yml\n")
        return self.file

    def start(self, configuration):
        """Counts what falls to each shard first, and starts one."""
        self.shares = []
        for index in range(SHARDS):
            text, wall, cpu, most = run_counted(BUILD / "canaryd", "config", "check", "--shard",
                                                f"{index}/{SHARDS}", configuration)
            self.shares.append(int(re.search(r"probes: (\d+) of", text)[1]))
        print(f"config check: {wall:.1f} s, {cpu:.1f} s of CPU, at most {most:.0f} MiB; shards "
              f"have {min(self.shares)} to {max(self.shares)} of {sum(self.shares)} probes",
              flush=True)
        began = time.monotonic()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [BUILD / "canaryd", "run", "--config", configuration, "--shard",
                 f"0/{SHARDS}"], stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(self.folder / "run")})
        while self.address is None:
            found = re.search(r"msg=listening address=(\S+)", self.log.read_text())
            self.address = found and found[1]
            if self.process.poll() is not None or time.monotonic() - began > 300:
                raise SystemExit("canaryd did not start:\n" + self.log.read_text()[-2000:])
            time.sleep(0.02)
        print(f"start of shard 0/{SHARDS}: {time.monotonic() - began:.1f} s until it listens, "
              f"{self.cpu():.1f} s of CPU, {self.rss():.0f} MiB (at most {self.most():.0f})",
              flush=True)

    def most(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def scrape(self):
        """Bytes, series, and seconds until the last one is there."""
        began = time.monotonic()
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        series = sum(1 for line in text.splitlines() if not line.startswith("#"))
        return len(text), series, time.monotonic() - began


def main():
    with Shard(PROBES, quiet=True) as site:
        began, used = time.monotonic(), site.cpu()
        print(f"{'time s':>7} {'runs':>8} {'rss MiB':>8} {'cores':>6}", flush=True)
        while time.monotonic() - began < SECONDS:
            time.sleep(min(60, SECONDS / 4))
            page, now, cpu = site.metrics(), time.monotonic(), site.cpu()
            print(f"{now - began:7.0f} {page.total('canaryd_probe_runs_total'):8.0f} "
                  f"{site.rss():8.0f} {(cpu - used) / (now - began):6.3f}", flush=True)
        page = site.metrics()
        failed = page.total("canaryd_probe_failures_total")
        skipped = page.total("canaryd_probe_runs_skipped_total")
        size, series, took = site.scrape()
        print(f"scrape: {size / 1e6:.1f} MB, {series} series, {took:.2f} s; failed {failed:.0f}, "
              f"skipped {skipped:.0f}; every run started within "
              f"{page.worst_bucket('canaryd_schedule_lag_seconds')} s of its time")
        code = site.stop()
        uneven = max(site.shares) > 1.1 * sum(site.shares) / SHARDS
        return 1 if failed or skipped or code or uneven or sum(site.shares) != PROBES else 0


if __name__ == "__main__":
    sys.exit(main())
