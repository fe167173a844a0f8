#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maintenance windows that come and go by reload, with a real canaryd, Prometheus and Alertmanager,
whose spans of time are divided by one factor: a window that is added silences what is found from
then on, one that is taken out has it told at once, and one that is added again ends the telling.
Runs and counters go on through all of it. Exits 77 where a program is missing.
"""
import json
import pathlib
import re
import signal
import sys
import time

from incidents_test import PAGES, Receiver, start_alertmanager
from machines import Canaryd, Repositories
from prometheus import FACTOR, Prometheus
from scaled import milliseconds
from harness import eventually, Failed, get, run_test, say

WINDOW = "maintenance: [{weekly: \"daily 00:00-23:59\", probes: moved, reason: storage moves}]\n"
# Of the rules and routes: what would be told is told within these.
SILENCE = milliseconds("10m") / FACTOR / 1000


class World:
    def __init__(self, options, folder, cleanup):
        self.repositories = Repositories(options.repository, folder / "repositories", cleanup)
        self.repositories.sign("moving")
        self.canaryd = Canaryd(options.canaryd, folder, "windows", cleanup)
        self.canaryd.flags = ["--web.external-url", PAGES]
        self.reloads = 0
        self.configure("")
        self.canaryd.start()

    def configure(self, top):
        tuf = "      targets_url: $BASE/targets\n      targets: all\n"
        self.canaryd.configure([self.repositories.probe("moved", "moving", tuf=tuf),
                                self.repositories.probe("still")], top=top)

    def reload(self, top):
        self.configure(top)
        self.canaryd.signal(signal.SIGHUP)
        self.reloads += 1
        log = self.canaryd.folder / "log"
        eventually("the reload is through",
                   lambda: log.read_text().count("configuration reloaded") == self.reloads)

    def ask(self, path):
        answer = get(f"http://127.0.0.1:{self.canaryd.port}{path}")
        return answer[1] if answer and answer[0] == 200 else ""

    def probe(self):
        return json.loads(self.ask("/api/v1/probes/moved") or "{}")

    def runs(self):
        return self.probe().get("counters", {}).get("runs", 0)

    def is_announced(self, announced):
        """As the metric, the API and the page have it."""
        series = re.findall(r'^canaryd_probe_maintenance{probe="(\w+)"} 1$', self.ask("/metrics"), re.M)
        return (series == (["moved"] if announced else [])
                and ((self.probe().get("maintenance") or {}).get("reason") == "storage moves")
                == announced
                and ("in maintenance until" in self.ask("/probe/moved")) == announced)

    def corrupt(self):
        for file in (self.repositories.folder / "moving/targets").rglob("*"):
            if file.is_file():
                content = bytearray(file.read_bytes())
                content[0] ^= 1
                file.write_bytes(content)


def tell(options, folder, cleanup):
    project = pathlib.Path(options.project)
    receiver = Receiver()
    prometheus = Prometheus(project, folder, cleanup,
                            start_alertmanager(project, folder, receiver, cleanup))
    world = World(options, folder, cleanup)
    prometheus.know(windows=world.canaryd.port)
    eventually("the probe is well", lambda: world.probe().get("state") == "ok")
    eventually("it is scraped", prometheus.scrapes_all)
    if not world.is_announced(False):
        raise Failed("work is announced that nobody announced")

    before = world.runs()
    world.reload(WINDOW)
    eventually("the work is announced", lambda: world.is_announced(True))
    if world.runs() < before:
        raise Failed("a window began the probe anew")
    eventually("Prometheus holds it back", lambda: prometheus.query(
        'ALERTS{alertname="CanarydProbeInMaintenance",alertstate="firing",probe="moved"}'))
    world.corrupt()
    eventually("the rule fires", lambda: prometheus.query(
        'ALERTS{alertname="TufIntegrityFailure",alertstate="firing",probe="moved"}'))
    time.sleep(SILENCE)
    if receiver.of({"moved"}):
        raise Failed(f"told in the window: {receiver.of({'moved'})}")
    say("a window that came by reload silences")

    began, before = time.monotonic(), world.runs()
    world.reload("")
    eventually("no work is announced", lambda: world.is_announced(False))
    told = eventually("it is told", lambda: receiver.of({"moved"}))
    if {whom for _, whom, _ in told} != {"pager"} or told[0][0] < began:
        raise Failed(f"told otherwise: {told}")
    if world.runs() < before:
        raise Failed("a window that went began the probe anew")
    say(f"without it the pager is told, after {told[0][0] - began:.1f} s")

    world.reload(WINDOW + "metrics: {detail: full}\n")
    eventually("the work is announced again", lambda: world.is_announced(True))
    eventually("Prometheus holds it back again", lambda: prometheus.query(
        'ALERTS{alertname="CanarydProbeInMaintenance",alertstate="firing",probe="moved"}'))
    time.sleep(1)  # until Alertmanager knows
    count = len(receiver.of({"moved"}))
    time.sleep(SILENCE)
    if len(receiver.of({"moved"})) != count:
        raise Failed("told again in the window")
    say("a window that is added again ends the telling")


def main():
    return run_test(__doc__, ("project", "canaryd", "repository"),
                    ("prometheus", "prometheus-alertmanager", "openssl", "gpg"), tell)


if __name__ == "__main__":
    sys.exit(main())
