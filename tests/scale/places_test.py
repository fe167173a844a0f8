#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two places look at one repository, and one of them is shown another history.

Each place is a canaryd with its own `--vantage`; as root each stands in a network namespace of its
own, where the repository's one URL leads to that place's edge, and listens on a socket from outside.
Without root the places are two processes that ask two ports. Both are served the same at first, and
nothing fires. Then the keys sign two different timestamps of the same version, and each place gets
one: no probe finds anything wrong, and TufSplitView fires in a real Prometheus with the shipped
rules. Exits 77 where a program is missing.
"""
import contextlib
import functools
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import urllib.parse

from machines import same_history
from scaled import scaled
from harness import eventually, Failed, get, listening_port, run_test, say

FACTOR = 60
PLACES = ("fra", "sin")

# In a namespace of its own: loopback up, the edge, and canaryd on the descriptor that it was given.
PLACE = """
import functools, http.server, os, subprocess, sys, threading
folder, port, listener, *canaryd = sys.argv[1:]
os.dup2(int(listener), 3)  # before anything else is opened there
os.set_inheritable(3, True)
if os.environ.get("CANARY_NAMESPACE"):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_): pass
edge = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)),
                                       functools.partial(Files, directory=folder))
threading.Thread(target=edge.serve_forever, daemon=True).start()
port = edge.server_address[1]
config = canaryd[canaryd.index("--config") + 1]
text = open(config).read().replace("PORT", str(port))
open(config, "w").write(text)
child = os.fork()
if child == 0:
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    os.execv(canaryd[0], canaryd)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Owner:
    """Signs a repository in a folder, and new timestamps when told to."""

    def __init__(self, program, folder, cleanup):
        self.folder = folder
        self.process = subprocess.Popen([program, str(folder)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        cleanup.callback(self.process.wait)
        cleanup.callback(self.process.kill)
        self.process.stdout.readline()

    def sign_timestamp(self, seconds):
        self.process.stdin.write(f"expire {seconds}\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


def two_owners(program, folder, cleanup):
    """Two holders of the same keys, whose repositories are the same so far: they were signed in the
    same second."""
    for attempt in range(20):
        owners = [Owner(program, folder / f"{place}-{attempt}", cleanup) for place in PLACES]
        if same_history([owner.folder for owner in owners]):
            return owners
    raise Failed("two repositories were never signed in the same second")


class Place:
    def __init__(self, options, folder, name, owner, namespace, cleanup):
        self.name = name
        home = folder / f"place-{name}"
        (home / "run").mkdir(parents=True)
        (home / "canaryd.yml").write_text(
            f"state_directory: {home}/state\nscheduler: {{start_spread: 1s}}\n"
            "defaults: {interval: 1s, timeout: 5s}\nprobes:\n"
            "  - name: updates\n    tuf:\n      metadata_url: http://127.0.0.1:PORT/metadata\n"
            f"      root: {owner.folder}/root.json\n"
            "      expiry: {timestamp: {warning: 0s, critical: 0s}}\n")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        # The same URL in both namespaces; without them each process has a port of its own.
        port = 8080 if namespace else 0
        around = ["unshare", "--net", "--"] if namespace else []
        self.log = home / "log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [*around, sys.executable, "-c", PLACE, str(owner.folder), str(port),
                 str(listener.fileno()), options.canaryd, "run", "--config",
                 str(home / "canaryd.yml"), "--vantage", name, "--shard", "0/1",
                 "--web.systemd-socket"],
                stdout=log, stderr=log, pass_fds=[listener.fileno()], start_new_session=True,
                env={**os.environ, "RUNTIME_DIRECTORY": str(home / "run"),
                     "CANARY_NAMESPACE": "1" if namespace else ""})
        listener.close()
        cleanup.callback(self.end)

    def end(self):
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, 9)
        self.process.wait()

    def probe(self):
        answer = get(f"http://127.0.0.1:{self.port}/api/v1/probes/updates")
        return json.loads(answer[1]) if answer and answer[0] == 200 else None

    def timestamp(self):
        """Version and fingerprint that it was served last; None while its probe is not ok."""
        probe = self.probe()
        if not probe or probe["state"] != "ok":
            return None
        return next(((role["version"], role["fingerprint"]) for role in probe["known"]["roles"]
                     if role["role"] == "timestamp"), None)


class Prometheus:
    def __init__(self, project, folder, places, cleanup):
        rules = (project / "config/prometheus/canaryd.rules.yml").read_text()
        (folder / "canaryd.rules.yml").write_text(scaled(rules, FACTOR))
        config = (project / "config/prometheus/prometheus.yml").read_text()
        config = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): \w+", r"\1: 1s",
                        config)
        config = re.sub(r"\nalerting:\n(?:  .*\n)+", "\n", config)
        targets = ", ".join(f'"127.0.0.1:{place.port}"' for place in places)
        config = re.sub(r"targets: \[[^\]]*\]", f"targets: [{targets}]", config)
        (folder / "prometheus.yml").write_text(config)
        log = open(folder / "prometheus.log", "w")
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:0"],
            stdout=log, stderr=log)
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        self.port = listening_port(process, "prometheus")

    def query(self, text):
        answer = get(f"http://127.0.0.1:{self.port}/api/v1/query?query={urllib.parse.quote(text)}")
        if not answer or answer[0] != 200:
            return []
        return [(series["metric"], float(series["value"][1]))
                for series in json.loads(answer[1])["data"]["result"]]

    def firing(self, alert):
        return [labels for labels, _ in
                self.query(f'ALERTS{{alertstate="firing",alertname="{alert}"}}')]


def tell(options, folder, cleanup):
    namespace = os.geteuid() == 0 and shutil.which("ip") and subprocess.run(
        ["unshare", "--net", "--", "ip", "link", "set", "lo", "up"], capture_output=True,
        check=False).returncode == 0
    owners = two_owners(options.repository, folder, cleanup)
    places = [Place(options, folder, name, owner, namespace, cleanup)
              for name, owner in zip(PLACES, owners)]
    say("two places, each " + ("in a network namespace" if namespace else "a process"))
    prometheus = Prometheus(pathlib.Path(options.project), folder, places, cleanup)

    def both_see(version):
        seen = [place.timestamp() for place in places]
        return seen if all(each and each[0] == version for each in seen) else None
    one, other = eventually("both places were served version 1", functools.partial(both_see, 1))
    if one != other:
        raise Failed(f"version 1 is not the same in both places: {one}, {other}")
    recorded = 'version:canaryd_tuf_metadata_fingerprint:first_52_bits{role="timestamp"}'
    eventually("Prometheus has compared it",
               lambda: len({labels["instance"] for labels, _ in prometheus.query(
                   recorded.replace("}", ',version="1"}'))}) == 2)
    places_known = {labels["vantage"] for labels, _ in prometheus.query("canaryd_shards")}
    if places_known != set(PLACES):
        raise Failed(f"canaryd_shards knows {places_known}")
    if prometheus.firing("TufSplitView"):
        raise Failed("TufSplitView fires while both places were served the same")
    say("both were served the same: nothing fires")

    owners[0].sign_timestamp(864_000)
    owners[1].sign_timestamp(777_000)
    one, other = eventually("both places were served version 2", functools.partial(both_see, 2))
    if one == other:
        raise Failed("the two histories do not differ")
    say("each was served another version 2, and finds nothing wrong with it")
    labels = eventually("TufSplitView fires", lambda: prometheus.firing("TufSplitView"))
    found = {(each["repo"], each["role"], each["version"], each["severity"]) for each in labels}
    if found != {("updates", "timestamp", "2", "critical")}:
        raise Failed(f"TufSplitView is about {found}")
    for place in places:
        if place.probe()["state"] != "ok":
            raise Failed(f"the probe in {place.name} sees by itself what is wrong")
    say("TufSplitView fires, and neither place could tell by itself")


def main():
    return run_test(__doc__, ("project", "canaryd", "repository"), ("prometheus",), tell)


if __name__ == "__main__":
    sys.exit(main())
