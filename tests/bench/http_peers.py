#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plain GETs by canaryd's `http` probes beside Debian's blackbox_exporter, of the same nginx.

    tests/bench/http_peers.py [--probes N...] [--interval SECONDS] [--rounds N]

Every probe is due once an interval. canaryd schedules them itself; the exporter has no schedule and
is asked by a plain loop at the same pace, which is not counted, as little as the Prometheus is that
would ask it. In turn, so many rounds; each is watched for one interval, after one to settle in."""
import argparse
import os
import pathlib
import re
import statistics
import sys
import time

from http_probes import EXPORTER, Exporter, HttpProbes
from many_probes import TICK


def cpu_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def canaryd(probes):
    """CPU milliseconds a GET, and MiB."""
    with HttpProbes(probes) as site:
        time.sleep(HttpProbes.interval + 2)
        before, cpu = site.metrics(), site.cpu()
        time.sleep(HttpProbes.interval)
        used, page = site.cpu() - cpu, site.metrics()
        runs = page.total("canaryd_probe_runs_total") - before.total("canaryd_probe_runs_total")
        well = page.total("canaryd_probe_success")
        if well != probes or runs < 0.9 * probes:
            print(f"canaryd: {runs:.0f} runs of {probes} probes, {well:.0f} well", flush=True)
        return 1000 * used / runs, site.rss()


def exporter(probes):
    """The same of the exporter, asked one by one at that pace."""
    with HttpProbes(1) as site, Exporter(site.folder) as peer:  # the first for its nginx
        return asked(peer, site.served, probes)


def asked(peer, served, probes):
    cpu = late = 0.0
    for interval in range(2):  # the first to settle in
        begun, cpu = time.monotonic(), cpu_of(peer.pid)
        for i in range(probes):
            due = begun + i * HttpProbes.interval / probes
            time.sleep(max(0.0, due - time.monotonic()))
            answer = peer.probe(f"{served}/page?{i}")
            if b"\nprobe_success 1\n" not in answer:
                sys.exit("the exporter does not succeed:\n" + answer.decode()[-2000:])
        late = time.monotonic() - begun - HttpProbes.interval
    if late > 1:
        print(f"the exporter was {late:.1f} s late", flush=True)
    return 1000 * (cpu_of(peer.pid) - cpu) / probes, resident(peer.pid)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    HttpProbes.interval = options.interval
    if not os.path.exists(EXPORTER):
        sys.exit("needs Debian's prometheus-blackbox-exporter")
    print(f"medians of {options.rounds}, every probe each {options.interval} s, "
          f"load {os.getloadavg()[0]:.1f}\n"
          f"{'':10}{'CPU per GET, ms':>28}{'':>10}{'resident, MiB':>20}\n"
          f"{'GETs':10}{'canaryd':>14}{'exporter':>14}{'ratio':>10}{'canaryd':>10}{'exporter':>10}")
    memory = {}
    for probes in options.probes:
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(canaryd(probes))
            theirs.append(exporter(probes))
        (our_cpu, our_memory), (their_cpu, their_memory) = (
            (statistics.median(column) for column in zip(*figures)) for figures in (ours, theirs))
        memory[probes] = our_memory
        print(f"{probes:<10}{our_cpu:14.3f}{their_cpu:14.3f}{our_cpu / their_cpu:10.2f}"
              f"{our_memory:10.1f}{their_memory:10.1f}", flush=True)
    if len(memory) > 1:
        few, many = min(memory), max(memory)
        each = (memory[many] - memory[few]) / (many - few)
        print(f"canaryd: {memory[few] - few * each:.1f} MiB and {each * 1024:.2f} KiB a probe")


if __name__ == "__main__":
    main()
