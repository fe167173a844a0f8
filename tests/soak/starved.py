#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No false alarm where the machine gives too little: a canaryd whose probes want more than the fifth
of a core that its cgroup may have, while every core computes for others. Nobody may be accused.

    tests/soak/starved.py [MINUTES] [PROBES]

Needs root (a cgroup of its own); LOAD_NICE is the niceness of the load, 0 unless told.
"""
import os
import pathlib
import re
import subprocess
import sys
import time

from many_probes import ManyProbes

SHARE = 0.2  # of one core
PERIOD_US = 100_000
SUBJECTS = ("loop", "run", "scheduler", "disk", "cpu", "server", "resolver", "watchdog")


class Quota:
    """A cgroup of its own that may have SHARE of one core; version 1 or 2."""

    def __init__(self):
        self.folder, refused = None, []
        for base in self.places():
            folder = base / f"canaryd-starved-{os.getpid()}"
            try:
                folder.mkdir()
            except OSError as error:
                refused.append(f"{folder}: {error.strerror}")
                continue
            self.folder = folder
            try:
                self.limit()
                return
            except OSError as error:
                refused.append(f"{folder}: {error.strerror}")
                self.remove()
        raise SystemExit("no cgroup can be limited to a fifth of a core (root and the cpu "
                         "controller are needed): " + "; ".join(refused or ["no cpu controller"]))

    @staticmethod
    def places():
        own = pathlib.Path("/proc/self/cgroup").read_text()
        for line in own.splitlines():
            _, controllers, path = line.split(":", 2)
            mounts = ["cpu", "cpu,cpuacct"] if "cpu" in controllers.split(",") else []
            for mount in mounts + ([""] if not controllers else []):
                base = pathlib.Path("/sys/fs/cgroup") / mount
                for inside in (path.lstrip("/"), ""):
                    stat = base / inside / ("cpu.cfs_quota_us" if mount else "cgroup.controllers")
                    if stat.exists() or (mount and (base / inside / "cpu.stat").exists()):
                        yield base / inside

    def limit(self):
        quota = int(SHARE * PERIOD_US)
        if (self.folder / "cpu.cfs_quota_us").exists():
            (self.folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota))
            self.kind = f"cpu.cfs_quota_us {quota} of {PERIOD_US}"
        else:
            (self.folder.parent / "cgroup.subtree_control").write_text("+cpu")
            (self.folder / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            self.kind = f"cpu.max {quota} {PERIOD_US}"

    def command(self):
        """Starts what follows it inside."""
        return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def throttled(self):
        """(periods that were cut, all periods, seconds held)"""
        stat = dict(re.findall(r"^(\w+) (\d+)$", (self.folder / "cpu.stat").read_text(), re.M))
        held = (int(stat["throttled_time"]) / 1e9 if "throttled_time" in stat
                else int(stat["throttled_usec"]) / 1e6)
        return int(stat["nr_throttled"]), int(stat["nr_periods"]), held

    def remove(self):
        for _ in range(100):
            try:
                self.folder.rmdir()
                return
            except OSError:
                time.sleep(0.1)  # the last process is still ending


class Load:
    """Every core computes."""

    def __init__(self, niceness):
        self.processes = [
            subprocess.Popen(["nice", "-n", str(niceness), "sh", "-c", "while :; do :; done"])
            for _ in range(os.cpu_count())
        ]

    def stop(self):
        for process in self.processes:
            process.kill()
            process.wait()


def accusations(page):
    """What must not be there: {what: how often}."""
    found = {f"{subject} {level}": page.total("canaryd_stalls_total", f'subject="{subject}"',
                                              f'level="{level}"')
             for subject in SUBJECTS for level in ("stalled", "hung", "dead")}
    found["executor stalled now"] = page.total("canaryd_executor_stalled")
    found["dumps written"] = page.total("canaryd_watchdog_dumps_total")
    found["dumps suppressed"] = page.total("canaryd_watchdog_dumps_suppressed_total")
    found["dumps failed"] = page.total("canaryd_watchdog_dumps_failed_total")
    found["runs cancelled by the watchdog"] = page.total("canaryd_watchdog_runs_cancelled_total")
    found["runs stalled"] = page.total("canaryd_probe_stalls_total")
    found["probes in quarantine"] = page.total("canaryd_probe_quarantined")
    return {what: count for what, count in found.items() if count}


def misses(page):
    return {subject: int(page.total("canaryd_stalls_total", f'subject="{subject}"',
                                    'level="suspect"')) for subject in SUBJECTS}


def watch(site, quota, minutes):
    began, cpu = time.monotonic(), site.cpu()
    print(f"{'min':>5} {'runs':>8} {'not well':>8} {'skipped':>8} {'misses':>7} {'cpu %':>6} "
          f"{'cut %':>6} accused", flush=True)
    accused = {}
    before = (began, cpu, *quota.throttled())
    while time.monotonic() - began < minutes * 60 and not accused and site.alive():
        time.sleep(min(60, minutes * 15))
        page = site.metrics()
        accused = accusations(page)
        now = (time.monotonic(), site.cpu(), *quota.throttled())
        span = now[0] - before[0]
        print(f"{(now[0] - began) / 60:5.1f} {page.total('canaryd_probe_runs_total'):8.0f} "
              f"{page.total('canaryd_probe_failures_total'):8.0f} "
              f"{page.total('canaryd_probe_runs_skipped_total'):8.0f} "
              f"{sum(misses(page).values()):7} "
              f"{100 * (now[1] - before[1]) / span:6.1f} "
              f"{100 * (now[2] - before[2]) / max(1, now[3] - before[3]):6.1f} "
              f"{accused or 'nobody'}", flush=True)
        before = now
    return page, accused


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 30
    probes = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    niceness = int(os.environ.get("LOAD_NICE", "0"))
    quota = Quota()
    try:
        print(f"limited by {quota.kind}; load: {os.cpu_count()} endless loops at nice {niceness}")
        with ManyProbes(probes, prefix=quota.command()) as site:
            load = Load(niceness)
            try:
                page, accused = watch(site, quota, minutes)
                report(site, quota, page, accused)
            finally:
                load.stop()
    finally:
        quota.remove()


def report(site, quota, page, accused):
    cut, periods, held = quota.throttled()
    print(f"{page.total('canaryd_probe_runs_total'):.0f} runs, "
          f"{page.total('canaryd_probe_failures_total'):.0f} of them not well (a run that its own "
          f"timeout ends is a result, not an accusation), "
          f"{page.total('canaryd_probe_runs_skipped_total'):.0f} skipped because the one before "
          f"was still going on or waiting; started within "
          f"{page.worst_bucket('canaryd_schedule_lag_seconds')} s of their time")
    print(f"the quota cut {cut} of {periods} periods short and held threads for {held:.0f} s; "
          f"{page.total('canaryd_watchdog_disturbances_total'):.0f} disturbances recognised")
    print("misses (counted, nothing follows): "
          + (", ".join(f"{who} {count}" for who, count in misses(page).items() if count) or "none"))
    alive = site.alive()
    if accused and alive:
        time.sleep(10)  # the dump helper is as starved as everybody
    code = site.stop() if alive else site.process.returncode
    print(f"stopped with exit code {code}")
    if accused or not alive or code:
        print("ACCUSED: " + ", ".join(f"{what}: {count:.0f}" for what, count in accused.items()))
        lines = site.log.read_text().splitlines()
        print("\n".join(line for line in lines if "changed state" not in line))
        for dump in sorted(site.folder.glob("state/**/*.txt")):
            print(f"--- {dump.name}\n{dump.read_text()}")
        sys.exit(1)
    print("nobody accused: no stall, no dump, no run cancelled, no probe in quarantine")


main()
