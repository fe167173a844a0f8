#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One cause pages once: a real Alertmanager with the sample configuration is told all that fires
for a cause, and must hold back all but the one alert that names it.

usage: inhibition_test.py PROJECT_FOLDER
Exits 77 where Alertmanager is missing.
"""
import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE = 30
PROBES = ("a", "b")


def per_probe(*names):
    return [(name, {"probe": probe}) for name in names for probe in PROBES]


def part(subject):
    return ("CanarydPartStalled", {"subject": subject})


def stalls(subject):
    return ("CanarydStalls", {"subject": subject})


LATE = per_probe("CanarydProbeStalled", "CanarydProbeStallsRepeatedly", "CanarydProbeStale",
                 "CanarydProbeNeverRan", "CanarydRunsSkipped", "RepoUnreachable", "RepoDown",
                 "RepoProbeFlaky", "RepoProbeNearTimeout")
NO_NEWS = [("CanarydScheduleLag", {}), ("CanarydSeesNothing", {})]
# What happens: all that fires for it, and what of it reaches somebody.
CAUSES = {
    # Runs go on beside a state directory that does not answer: what they say is heard.
    "the disk hangs, and a repository cannot be reached": (
        [part("disk"), stalls("disk"), ("RepoUnreachable", {"probe": "a"})],
        [part("disk"), ("RepoUnreachable", {"probe": "a"})]),
    "hash workers hang": ([part("cpu"), stalls("cpu"), *LATE, *NO_NEWS], [part("cpu")]),
    "the scheduler sleeps": ([part("scheduler"), stalls("scheduler"), *LATE], [part("scheduler")]),
    "lookups do not end": ([part("resolver"), stalls("resolver"), *LATE, *NO_NEWS],
                           [part("resolver")]),
    "the server is stuck, probes are not": (
        [part("server"), stalls("server"), ("RepoProbeFailing", {"probe": "a"})],
        [part("server"), ("RepoProbeFailing", {"probe": "a"})]),
    "the loop hangs": (
        [("CanarydExecutorStalled", {}), part("scheduler"), part("disk"), stalls("loop"),
         ("CanarydWasBlind", {}), ("CanarydUncleanExit", {}), *LATE, *NO_NEWS],
        [("CanarydExecutorStalled", {})]),
    "a repository is down": (per_probe("RepoUnreachable", "RepoDown", "RepoProbeFlaky"),
                             per_probe("RepoDown")),
    "a repository is down, seen from two places": (
        [("RepoBadFromManyPlaces", {"probe": "far"}), ("RepoDown", {"probe": "far"}),
         ("RepoProbeFailing", {"probe": "far"}), ("TufSplitView", {"repo": "far"})],
        [("RepoBadFromManyPlaces", {"probe": "far"}), ("TufSplitView", {"repo": "far"})]),
    "canaryd's own network is down": (
        [("CanarydSeesNothing", {}), *per_probe("RepoUnreachable", "RepoDown", "RepoProbeFlaky")],
        [("CanarydSeesNothing", {})]),
    "the disk hung for a moment": ([stalls("disk")], [stalls("disk")]),
    "canaryd is down": ([("CanarydDown", {}), part("disk"), stalls("disk"), *LATE],
                        [("CanarydDown", {})]),
    "it is restarted again and again": (
        [("CanarydRestartLoop", {}), ("CanarydUncleanExit", {}), ("CanarydWasBlind", {}),
         part("disk")], [("CanarydRestartLoop", {})]),
    "one probe is stuck, the other repository is wrong": (
        [("CanarydProbeStalled", {"probe": "a"}), ("CanarydProbeStale", {"probe": "a"}),
         ("TufIntegrityFailure", {"probe": "b"}), ("RepoProbeFailing", {"probe": "b"})],
        [("CanarydProbeStalled", {"probe": "a"}), ("TufIntegrityFailure", {"probe": "b"})]),
    "a certificate has ended": (
        [("RepoTlsCertExpired", {"probe": "a"}), ("RepoTlsCertExpiring", {"probe": "a"}),
         ("RepoProbeFailing", {"probe": "a"}), ("RepoTlsCertExpiring", {"probe": "b"})],
        [("RepoTlsCertExpired", {"probe": "a"}), ("RepoTlsCertExpiring", {"probe": "b"})]),
    "work is announced on one of two": (
        [("CanarydProbeInMaintenance", {"probe": "a"}), ("TufIntegrityFailure", {"probe": "a"}),
         *per_probe("RepoDown", "RepoUnreachable", "TufMirrorsDisagree", "OpenpgpKeyExpired"),
         ("CanarydProbeStallsRepeatedly", {"probe": "a"}), ("CanarydHistoryNotWritten", {})],
        [("CanarydProbeInMaintenance", {"probe": "a"}), ("CanarydHistoryNotWritten", {}),
         ("RepoDown", {"probe": "b"}), ("OpenpgpKeyExpired", {"probe": "b"})]),
    "a mirror is rolled back": (
        [("TufIntegrityFailure", {"probe": "a"}), ("RepoProbeFailing", {"probe": "a"}),
         *per_probe("TufMirrorsDisagree")], [("TufIntegrityFailure", {"probe": "a"})]),
    "canaryd's own name server is down": (
        [("CanarydSeesNothing", {}), ("RepoNamesUnresolved", {})], [("CanarydSeesNothing", {})]),
    # Hung workers say nothing about what a repository serves, where the probe could tell.
    "hash workers hang, and metadata has expired": (
        [part("cpu"), ("TufMetadataExpired", {"probe": "a", "role": "timestamp"}),
         ("CanarydProbeStale", {"probe": "b"})],
        [part("cpu"), ("TufMetadataExpired", {"probe": "a", "role": "timestamp"})]),
}


def alert(cause, number, name, labels):
    # Each cause is a machine of its own.
    probe = labels.get("probe")
    place = {"repo": f"repo-{number}", "host": f"host-{number}"} if probe else {}
    return {"labels": {"alertname": name, "job": "canaryd", "instance": f"machine-{number}",
                       "cause": cause, "severity": "critical", **place, **labels}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def alertmanager(config):
    """Its address. Webhooks go nowhere: only what it makes of alerts counts."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "alertmanager.yml"
        file.write_text(re.sub(r'"https://[^"]+"', '"http://127.0.0.1:9/"', config.read_text()))
        port = free_port()
        log = open(pathlib.Path(folder) / "log", "w+")
        process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={file}", f"--storage.path={folder}",
             f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
            stdout=log, stderr=log)
        try:
            yield f"http://127.0.0.1:{port}/api/v2"
        except Exception:
            log.seek(0)
            print(log.read())
            raise
        finally:
            process.kill()
            process.wait()


def ask(address, body=None):
    request = urllib.request.Request(address, data=body and json.dumps(body).encode(),
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read() or b"null")


def eventually(what, condition):
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            if (value := condition()) is not None:
                return value
        if time.monotonic() > deadline:
            sys.exit(f"not within {PATIENCE} s: {what}")
        time.sleep(0.1)


def shown(name, labels):
    return name + "".join(f" {key}={labels[key]}" for key in ("subject", "probe", "role")
                          if key in labels)


def main(project):
    if not shutil.which("prometheus-alertmanager"):
        print("skipped: prometheus-alertmanager is not installed")
        sys.exit(77)
    known = set(re.findall(r"alert: (\S+)",
                           (project / "config/prometheus/canaryd.rules.yml").read_text()))
    alerts = [alert(cause, number, *each)
              for number, (cause, (fires, _)) in enumerate(CAUSES.items()) for each in fires]
    unknown = {each["labels"]["alertname"] for each in alerts} - known
    if unknown:
        sys.exit(f"no rule is called {unknown}")
    with alertmanager(project / "config/prometheus/alertmanager.yml") as address:
        eventually("Alertmanager takes alerts", lambda: ask(f"{address}/alerts", alerts) or True)

        # Inhibition follows the alerts by a moment, on a busy machine by more.
        deadline = time.monotonic() + PATIENCE
        while True:
            found = ask(f"{address}/alerts")
            wrong = wrongly_told(found) if len(found) == len(alerts) else ["alerts are missing"]
            if not wrong or time.monotonic() > deadline:
                break
            time.sleep(0.1)
    for cause, (fires, _) in CAUSES.items():
        print(f"{cause}: of {len(fires)} alerts {', '.join(reaching(found, cause))}")
    if wrong:
        sys.exit("\n".join(wrong))


def reaching(found, cause):
    return sorted(shown(each["labels"]["alertname"], each["labels"]) for each in found
                  if each["labels"]["cause"] == cause and each["status"]["state"] == "active")


def wrongly_told(found):
    return [f"{cause}: {reaching(found, cause)} reach somebody, expected {expected}"
            for cause, (_, wanted) in CAUSES.items()
            if reaching(found, cause) != (expected := sorted(shown(*each) for each in wanted))]


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
