#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""1,000 probes of 1,000 small repositories each 10 s in one process: CPU seconds per 1,000 probes,
memory, worst lateness, file descriptors over time.

    tests/soak/probes.py [SECONDS] [PROBES]
"""
import sys
import time

from many_probes import ManyProbes

seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
probes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000

with ManyProbes(probes) as site:
    time.sleep(15)  # the first round
    first = site.metrics().total("canaryd_probe_runs_total")
    first_cpu, began = site.cpu(), time.monotonic()
    print(f"{'time s':>7} {'runs':>8} {'rss MiB':>8} {'fds':>5}", flush=True)
    seen = []
    while time.monotonic() - began < seconds:
        time.sleep(min(30, seconds / 4))
        page = site.metrics()
        seen.append(site.descriptors())
        print(f"{time.monotonic() - began:7.0f} {page.total('canaryd_probe_runs_total'):8.0f} "
              f"{site.rss():8.1f} {seen[-1]:5}", flush=True)
    page = site.metrics()
    runs, used = page.total("canaryd_probe_runs_total") - first, site.cpu() - first_cpu
    failed = page.total("canaryd_probe_failures_total")
    skipped = page.total("canaryd_probe_runs_skipped_total")
    print(f"runs {runs:.0f}, CPU {used:.1f} s: {1000 * used / runs:.3f} s per 1,000 probes; "
          f"{100 * used / (time.monotonic() - began):.0f}% of a core")
    print(f"failed {failed:.0f}, skipped {skipped:.0f}; every run started within "
          f"{page.worst_bucket('canaryd_schedule_lag_seconds')} s of its time; "
          f"descriptors {min(seen)} to {max(seen)}")
    code = site.stop()
    print("stopped cleanly" if code == 0 else f"exit code {code}")
    sys.exit(1 if failed or skipped or code else 0)
