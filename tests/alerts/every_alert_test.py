#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every alert of canaryd.rules.yml is fired once by the real program, by what it is for.

A canaryd for each kind of trouble, one Prometheus for all of them, with a copy of the shipped rules
in which every span of time is divided by one factor. Who must fire what stands in WANTED; a rule
that is not there, or that nobody fires, fails the test. canaryd-faults is the product with hands
laid on it (tests/faults). Exits 77 where a program is missing.
"""
import os
import pathlib
import signal
import sys
import threading
import time

from machines import Canaryd, Repositories, fifo, serve_one_scrape_in_three, serve_silence
from prometheus import Prometheus
from harness import eventually, Failed, run_test, say

PATIENCE = 200   # seconds from when all is running

# Alert: which canaryd fires it (Prometheus' label `instance`), and which of its series.
WANTED = {
    "Watchdog": {},
    "CanarydHeartbeat": {},  # while there is none but the healthy one
    "CanarydAbsent": {},     # at the end, when none is known
    "CanarydDown": {"instance": "down"},
    "CanarydScrapesLost": {"instance": "lossy"},
    "CanarydExecutorStalled": {"instance": "hangs"},
    "CanarydProbeStalled": {"instance": "deaf", "probe": "victim"},
    "CanarydProbeStallsRepeatedly": {"instance": "silent", "probe": "silent"},
    "CanarydProbeQuarantined": {"instance": "quarantine", "probe": "victim"},
    "CanarydPartStalled": {"instance": "disk", "subject": "disk"},
    "CanarydStalls": {"instance": "disk", "subject": "disk"},
    "CanarydProbeStale": {"instance": "deaf", "probe": "victim"},
    "CanarydProbeNeverRan": {"instance": "never", "probe": "victim"},
    "CanarydNoProbes": {"instance": "empty"},
    "CanarydProbesDropped": {"instance": "dropped"},
    "CanarydRunsSkipped": {"instance": "repositories", "probe": "slow", "reason": "overlap"},
    "CanarydScheduleLag": {"instance": "queue"},
    "CanarydLoopLag": {"instance": "lag"},
    "CanarydWatchdogLate": {"instance": "late"},
    "CanarydWatchdogStalled": {"instance": "held"},
    "CanarydThreadEnded": {"instance": "ended"},
    "CanarydDumpHelperDown": {"instance": "helper"},
    "CanarydDumpsFailing": {"instance": "dumps"},
    "CanarydWasBlind": {"instance": "blind"},
    "CanarydUncleanExit": {"instance": "blind"},
    "CanarydRestartLoop": {"instance": "restarts"},
    "CanarydConfigReloadFailed": {"instance": "refused"},
    "CanarydClockSkew": {"instance": "clock"},
    "CanarydMemoryGrowth": {"instance": "memory"},
    "CanarydFdNearLimit": {"instance": "descriptors"},
    "CanarydLogLinesDropped": {"instance": "pipe"},
    "CanarydHistoryNotWritten": {"instance": "forgetful"},
    "CanarydSeesNothing": {"instance": "blindfold"},
    "CanarydProbeInMaintenance": {"instance": "repositories", "probe": "closed"},
    "CanarydShardMissing": {"vantage": "one-of-two"},
    "CanarydRemoteWriteFailing": {"instance": "unsent"},
    "CanarydSendsNothing": {"instance": "sender"},
    "CanarydDiscoveryFailing": {"instance": "unlisted", "source": "fleet"},
    "TufSplitView": {"repo": "split", "role": "timestamp", "version": "1"},
    "RepoBadFromManyPlaces": {"probe": "lost"},
    "RepoBadFromOnePlace": {"probe": "far", "vantage": "there"},
    "TufIntegrityFailure": {"instance": "repositories", "probe": "tampered",
                            "reason": "signature"},
    "TufMetadataExpired": {"instance": "repositories", "probe": "expired", "role": "timestamp"},
    "TufMetadataExpiringCritical": {"instance": "repositories", "probe": "soon-critical",
                                    "role": "timestamp"},
    "TufMetadataExpiringSoon": {"instance": "repositories", "probe": "soon", "role": "timestamp"},
    "RepoProbeFailing": {"instance": "repositories", "probe": "tampered"},
    "RepoUnreachable": {"instance": "repositories", "probe": "closed"},
    "RepoDown": {"instance": "repositories", "probe": "closed"},
    "RepoNamesUnresolved": {"instance": "repositories"},
    "RepoProbeFlaky": {"instance": "repositories", "probe": "flaky"},
    "RepoFreshnessBudgetBurns": {"instance": "budget", "probe": "rare"},
    "TufMirrorsDisagree": {"instance": "repositories", "probe": "m1", "repo": "mirrored"},
    "RepoTlsCertExpiring": {"instance": "repositories", "probe": "tls-ending"},
    "RepoTlsCertExpired": {"instance": "repositories", "probe": "tls-ended"},
    "OpenpgpKeyExpiring": {"instance": "repositories", "probe": "key-ending"},
    "OpenpgpKeyExpired": {"instance": "repositories", "probe": "key-ended"},
    "OpenpgpClientRefusal": {"instance": "repositories", "probe": "key-ending", "client": "apt-3"},
    "RepoProbeNearTimeout": {"instance": "repositories", "probe": "slow"},
}


class Alerts(Prometheus):
    """And what has fired so far."""

    def __init__(self, *world):
        super().__init__(*world)
        self.fired = {}

    def look(self):
        """Notes what fires now."""
        for series in self.query('ALERTS{alertstate="firing"}') or []:
            labels = series["metric"]
            self.fired.setdefault(labels["alertname"], []).append(labels)

    def missing(self, names):
        def is_there(name):
            return any(WANTED[name].items() <= labels.items()
                       for labels in self.fired.get(name, []))
        return [name for name in names if not is_there(name)]

    def wait_for(self, names, patience):
        told = set()
        until = time.monotonic() + patience
        while True:
            self.look()
            missing = self.missing(names)
            for name in sorted(set(names) - set(missing) - told):
                told.add(name)
                say(f"fires: {name} {WANTED[name] or ''}")
            if not missing:
                return
            if time.monotonic() > until:
                elsewhere = {name: self.fired.get(name, [])[:3] for name in missing}
                raise Failed(f"not fired within {patience} s: {elsewhere}")
            time.sleep(0.5)


class World:
    def __init__(self, options, folder, cleanup):
        self.options, self.folder, self.cleanup = options, folder, cleanup
        self.repositories = Repositories(options.repository, folder / "repositories", cleanup)
        self.machines = {}

    def canaryd(self, name):
        machine = Canaryd(self.options.canaryd, self.folder, name, self.cleanup)
        self.machines[name] = machine
        return machine

    def victim(self, more=""):
        return [self.repositories.probe("victim", more=more)]

    def watching_repositories(self):
        probe = self.repositories.probe
        day = "{warning: 2d, critical: 1h}"
        critical = "{warning: 3d, critical: 2d}"
        mirrored = "    repository: mirrored\n"
        self.canaryd("repositories").configure([
            probe("good"), probe("tampered", "tampered"), probe("expired", "expired"),
            probe("soon", "soon", expiry=day), probe("soon-critical", "soon", expiry=critical),
            probe("closed", port=1), probe("flaky", way="flaky"),
            probe("m1", "older", more=mirrored), probe("m2", "newer", more=mirrored),
            probe("tls-ending", tls="ending"), probe("tls-ended", tls="ended"),
            self.repositories.key_probe("key-ending"), self.repositories.key_probe("key-ended"),
            # Nobody has names below invalid. (RFC 6761)
            probe("nameless-1", host="a.invalid", http="resolve_timeout: 2s"),
            probe("nameless-2", host="b.invalid", http="resolve_timeout: 2s"),
            probe("slow", way="slow", more="    timeout: 2s\n")],
            top="maintenance: [{weekly: \"daily 00:00-23:59\", probes: closed, reason: moves}]\n",
            scheduler=", max_concurrent_runs_per_host: 32").start()

    def troubled_by_themselves(self):
        """Those of which the trouble begins at the start, or is their configuration's."""
        probe, machine = self.repositories.probe, self.canaryd
        machine("queue").configure(
            [probe(f"q{i}", way="queued") for i in range(12)], interval="20s", timeout="30s",
            scheduler=", max_concurrent_runs: 1").start()
        forgetful = machine("forgetful").configure([probe("p")], interval="5s")
        (forgetful.folder / "state/history.db").mkdir(parents=True)  # no file can be there
        forgetful.start()
        machine("blindfold").configure([probe("one", port=1), probe("other", port=1)]).start()
        # Too seldom for a share of failed runs, and each time too short for an alert.
        machine("budget").configure([probe("rare", way="rare")]).start()
        patient = "first_byte_timeout: 50s, min_rate: 0B"
        machine("silent").configure([probe("silent", port=serve_silence(), http=patient)],
                                    watchdog=", run_unwind: 1s",
                                    timeout="1m").stalls_quickly().start()
        never = machine("never").fault("deaf-wait").configure(
            self.victim("    timeout: 2s\n"), watchdog=", run_unwind: 1s").stalls_quickly()
        never.trigger()
        never.start()
        for name in ("dropped", "empty", "refused", "memory", "down", "blind", "restarts", "late",
                     "dumps", "descriptors"):
            machine(name).configure([probe(f"p{i}") for i in range(4)], interval="5s").start()

    def places_and_senders(self, prometheus):
        """Two places of the same probes, a shard of two, one that sends and one that is refused."""
        probe, machine = self.repositories.probe, self.canaryd
        for place, split, far in (("here", "good", None), ("there", "forked", 1)):
            machine(place).configure(
                [probe("split", split), probe("far", port=far), probe("lost", port=1)],
                top=f"vantage: {place}\n").start()
        machine("shard").configure(self.victim(), top="shard: 0/2\nvantage: one-of-two\n").start()
        # Prometheus' own, but not the path that takes samples.
        for name, path in (("sender", "write"), ("unsent", "query")):
            machine(name).configure(
                self.victim(), top=f"remote_write: {{instance: {name}, interval: 1s, "
                f"url: 'http://127.0.0.1:{prometheus.port}/api/v1/{path}'}}\n").start()

    def without_its_list(self):
        self.canaryd("unlisted").configure(
            self.victim(), top="discovery: [{name: fleet, url: 'http://127.0.0.1:1/list', "
            "refresh: 1s, http: {max_attempts: 1}}]\n").start()

    def faults(self):
        machine = self.canaryd
        quick = ", run_unwind: 1s"
        # Long enough for a Prometheus that comes late to many scrapes.
        machine("hangs").fault("sleep", ms=15_000).configure(self.victim()).start()
        machine("lag").fault("sleep", again=True, ms=450).configure(
            self.victim(), watchdog=", loop_stall: 2s").start()
        machine("quarantine").fault("sleep", again=True, ms=1_300).configure(self.victim()).start()
        machine("deaf").fault("deaf-wait").configure(self.victim("    timeout: 2s\n"),
                                                     watchdog=quick).stalls_quickly().start()
        machine("clock").fault("clock-forward").configure(self.victim()).start()
        disk = machine("disk")
        disk.fault("disk", path=fifo(disk.folder)).configure(
            self.victim(), watchdog=", disk_stall: 1s").start()
        for name in ("held", "ended", "helper"):
            machine(name).preload(self.options.shim).configure(self.victim()).start()
        reader, writer = os.pipe()
        self.cleanup.callback(os.close, reader)
        machine("pipe").fault("full-pipe", again=True).configure(self.victim()).start(writer)
        os.close(writer)

    def reload(self, name, probes):
        self.machines[name].configure(probes, interval="5s")
        self.machines[name].signal(signal.SIGHUP)

    def make_trouble(self):
        """Once all are scraped."""
        machines, probe = self.machines, self.repositories.probe
        for name in ("hangs", "lag", "quarantine", "deaf", "clock", "disk", "pipe"):
            machines[name].trigger()
        machines["held"].misbehave("ppoll", "hang", "watchdog")
        machines["ended"].misbehave("poll", "end", "log")
        threading.Thread(target=machines["helper"].kill_helpers, args=(PATIENCE,),
                         daemon=True).start()
        self.reload("dropped", [probe("p0")])
        self.reload("empty", [probe("p0", more="    enabled: false\n")])
        self.reload("memory", [probe(f"p{i}", more="    enabled: false\n")
                               for i in range(4_000)] + [probe("last")])
        (machines["refused"].folder / "canaryd.yml").write_text("probes: nonsense\n")
        machines["refused"].signal(signal.SIGHUP)
        machines["descriptors"].lower_descriptors()
        machines["dumps"].forbid_writing()
        machines["dumps"].signal(signal.SIGUSR1)
        machines["down"].kill()
        machines["sender"].signal(signal.SIGTERM)
        machines["blind"].kill()
        threading.Thread(target=machines["late"].stutter, args=(PATIENCE,), daemon=True).start()
        threading.Thread(target=self.restart_again_and_again, daemon=True).start()
        threading.Thread(target=self.start_late, daemon=True).start()

    def restart_again_and_again(self):
        restarts = self.machines["restarts"].configure([self.repositories.probe("p0")])
        for _ in range(5):
            restarts.kill()
            restarts.start()
            time.sleep(2)

    def start_late(self):
        time.sleep(11)
        self.machines["blind"].configure([self.repositories.probe("p0")]).start()


def tell(options, folder, cleanup):
    prometheus = Alerts(pathlib.Path(options.project), folder, cleanup)
    unknown = set(prometheus.alerts) ^ set(WANTED)
    if unknown:
        raise Failed(f"in the rules or in WANTED alone: {sorted(unknown)}")
    world = World(options, folder, cleanup)
    healthy = world.canaryd("healthy").configure([world.repositories.probe("p")]).start()
    prometheus.know(healthy=healthy.port)
    prometheus.wait_for(["Watchdog", "CanarydHeartbeat"], 30)

    world.watching_repositories()
    world.troubled_by_themselves()
    world.faults()
    world.places_and_senders(prometheus)
    world.without_its_list()
    prometheus.know(**{name: machine.port for name, machine in world.machines.items()
                       if name != "sender"})
    prometheus.know(lossy=serve_one_scrape_in_three(f"127.0.0.1:{healthy.port}"))

    def all_scraped():
        prometheus.look()
        return prometheus.scrapes_all()
    eventually("every canaryd was scraped", all_scraped)
    say(f"{len(world.machines)} canaryds run and are scraped")
    world.make_trouble()
    prometheus.wait_for([name for name in WANTED if name != "CanarydAbsent"], PATIENCE)
    prometheus.forget_all()
    prometheus.wait_for(["CanarydAbsent"], 30)
    say(f"all {len(WANTED)} alerts have fired")


def main():
    return run_test(__doc__, ("project", "canaryd", "repository", "shim"),
                    ("prometheus", "openssl", "gpg"), tell)


if __name__ == "__main__":
    sys.exit(main())
