#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes by discovery: a real canaryd follows a list that a real server serves, changes, breaks,
keeps waiting for and takes to its grave.

What is wrong or cannot be had changes nothing, over a restart either, and is said by status, page,
metrics and log. Probes that a new list leaves as they were go on counting. Two shards divide what
is listed.
"""
import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

from harness import eventually, Failed, get, listening_port, run_test, say


class ListServer:
    """Serves /list by `way`, and anything else as a repository that is there."""

    def __init__(self):
        self.body, self.way, self.asked, self.unchanged = "probes: []\n", "serve", 0, 0
        self.release, self.slow_asked, self.release_slow = (threading.Event() for _ in range(3))
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with contextlib.suppress(OSError):
                    if self.path == "/list":
                        outer.answer(self)
                    elif self.path == "/slow":
                        outer.slow_asked.set()
                        outer.release_slow.wait(60)
                        self.send(200, "probes:\n" + outer.probe("old"))
                    elif self.path == "/moved":
                        self.send_response(302)
                        self.send_header("Location", "/list")
                        self.send_header("Content-Length", "0")
                        self.end_headers()
                    else:
                        self.send(200, "here\n")

            def send(self, status, body, **headers):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass
        self.handler = Handler
        self.server, self.port = None, 0
        self.start()

    def start(self):
        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # clients that gave up waiting
        self.server = Server(("127.0.0.1", self.port), self.handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def die(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        self.asked += 1
        if self.way == "hang":
            self.release.wait(60)
            return
        if self.way == "fail":
            request.send(500, "out of order\n")
            return
        tag = f'"{abs(hash(self.body))}"'
        if request.headers.get("If-None-Match") == tag:
            self.unchanged += 1
            request.send_response(304)
            request.send_header("ETag", tag)
            request.end_headers()
            return
        request.send(200, self.body, ETag=tag)

    def probe(self, name, more=""):
        return (f"  - {{name: {name}, interval: 1s, http: {{url: 'http://127.0.0.1:{self.port}/"
                f"{name}'}}{more}}}\n")

    def serve(self, *probes):
        self.body, self.way = "probes:\n" + "".join(probes), "serve"


class Canaryd:
    def __init__(self, program, home, source, cleanup, top="", probes="probes: []\n", options=()):
        self.program, self.home, self.cleanup, self.options = program, home, cleanup, options
        (home / "run").mkdir(parents=True)
        self.file = home / "canaryd.yml"
        self.configure(source, top, probes)
        self.start()

    def configure(self, source, top="", probes="probes: []\n"):
        self.file.write_text(
            f"state_directory: {self.home}/state\nweb: {{listen_addresses: ['127.0.0.1:0']}}\n"
            f"scheduler: {{start_spread: 0s}}\n{top}discovery:\n{source}{probes}")

    def start(self):
        with open(self.home / "log", "a") as log:
            self.process = subprocess.Popen(
                [self.program, "run", "--config", str(self.file), *self.options], stdout=log,
                stderr=log, env={**os.environ, "RUNTIME_DIRECTORY": str(self.home / "run")})
        self.cleanup.callback(self.end)
        self.port = listening_port(self.process, "canaryd")

    def end(self):
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(60) != 0:
            raise Failed(f"canaryd ended with {self.process.returncode}")

    def ask(self, path):
        answer = get(f"http://127.0.0.1:{self.port}{path}")
        return answer[1] if answer and answer[0] == 200 else ""

    def probes(self):
        text = self.ask("/api/v1/probes")
        return {each["name"]: each for each in json.loads(text)["probes"]} if text else {}

    def names(self):
        return set(self.probes())

    def runs(self, name):
        text = self.ask(f"/api/v1/probes/{name}")
        return json.loads(text)["counters"]["runs"] if text else 0

    def last_success(self, name):
        found = re.search(rf'^canaryd_probe_last_success_timestamp_seconds{{probe="{name}"}} (\S+)$',
                          self.ask("/metrics"), re.M)
        return float(found[1]) if found else 0

    def source(self):
        text = self.ask("/api/v1/status")
        return json.loads(text)["daemon"]["discovery"][0] if text else {}

    def metric(self, name):
        found = re.search(rf'^{name}{{source="fleet"}} (\S+)$', self.ask("/metrics"), re.M)
        return float(found[1]) if found else None

    def status(self):
        return subprocess.run([self.program, "status"], capture_output=True, text=True,
                              env={**os.environ, "RUNTIME_DIRECTORY": str(self.home / "run")},
                              check=False).stdout

    def log(self):
        return (self.home / "log").read_text()

    def fails(self, why):
        """The source is said to fail for that, everywhere."""
        eventually(f"the source fails: {why}",
                   lambda: why in self.source().get("error", "") or None)
        if self.metric("canaryd_discovery_successful") != 0:
            raise Failed("the metric does not say that the source fails")
        status = self.status()
        if "discovery fleet: " not in status or why not in status:
            raise Failed(f"status does not say it: {status}")
        # As a person reads it.
        page = self.ask("/")
        if "The last look failed" not in page:
            raise Failed("the page does not say it")
        if "a list of probes cannot be had" not in self.log():
            raise Failed("the log does not say it")

    def works(self):
        eventually("the source works", lambda: self.source().get("successful") is True)
        if self.metric("canaryd_discovery_successful") != 1:
            raise Failed("the metric does not say that the source works")


def source_of(server, path="list", more=""):
    return (f"  - {{name: fleet, url: 'http://127.0.0.1:{server.port}/{path}', refresh: 1s, "
            f"timeout: 2s, http: {{max_attempts: 1}}{more}}}\n")


def changes(server, canaryd):
    eventually("the empty list is taken", lambda: canaryd.metric("canaryd_discovery_probes") == 0)
    server.serve(server.probe("a"), server.probe("b"))
    eventually("two probes run", lambda: canaryd.names() == {"a", "b"} and canaryd.runs("a") > 2)
    if canaryd.probes()["a"]["source"] != "fleet":
        raise Failed("a probe does not say where it comes from")
    say("a list of two probes is followed")
    eventually("the server says that nothing changed", lambda: server.unchanged > 0)

    before, run_before = canaryd.runs("a"), canaryd.runs("b")
    server.serve(server.probe("a"), server.probe("b", ", timeout: 7s"), server.probe("c"))
    eventually("the third runs", lambda: canaryd.runs("c") > 0)
    if canaryd.runs("a") < before or canaryd.runs("b") < run_before:
        raise Failed("probes that were known began anew")
    server.serve(server.probe("a"), server.probe("c"))
    eventually("one is gone", lambda: canaryd.names() == {"a", "c"})
    if canaryd.runs("a") < before:
        raise Failed("the probe that is as it was began anew")
    say("a changed list changes what it changed, and nothing else")


def breaks(server, canaryd):
    known = canaryd.names()
    for body, why in (("probes:\n" + server.probe("a") + "  - {name: x, tpc: {}}\n", "list:3:5: "),
                      ("probes:\n  - {name: x, exec: {command: [/bin/true]}}\n",
                       "a list may run no programs"),
                      ("", "expected probes, a list"), ("<html>", "list:1:1: "),
                      ("probes:\n" + server.probe("own"), "is taken, by a file")):
        server.body = body
        canaryd.fails(why)
        if canaryd.names() != known:
            raise Failed(f"after a list that is wrong ({why}) the probes are {canaryd.names()}")
    server.way = "fail"
    canaryd.fails("500")
    server.way = "hang"
    eventually("who looks at the tables sees the look that waits",
               lambda: "discovery:fleet" in canaryd.ask("/debug/executor"))
    canaryd.fails("before the deadline")
    if canaryd.names() != known:
        raise Failed(f"without a list the probes are {canaryd.names()}")
    server.release.set()
    server.serve(server.probe("a"), server.probe("c"))
    canaryd.works()
    say("what is wrong, or does not come, changes nothing, and is said")


def dies(server, canaryd):
    last = canaryd.last_success("a")
    server.die()
    canaryd.fails("refused")
    canaryd.stop()
    canaryd.start()
    eventually("the kept list is in force", lambda: canaryd.names() == {"own", "a", "c"})
    canaryd.fails("refused")
    if not last or canaryd.last_success("a") < last:
        raise Failed("a probe of the kept list forgot what was known of it")
    age = time.time() - canaryd.metric("canaryd_discovery_confirmed_timestamp_seconds")
    if not 0 < age < 300:
        raise Failed(f"the list's age is {age} s")
    say("a restart without the server goes on with the list that was good last")
    server.start()
    server.serve(server.probe("a"), server.probe("d"))
    eventually("the new list is taken", lambda: canaryd.names() == {"own", "a", "d"})
    canaryd.works()


def reloads(server, canaryd):
    """Another file has the name of a listed probe; another URL has the same list."""
    canaryd.configure(source_of(server), probes="probes:\n" + server.probe("d") +
                      server.probe("own"))
    canaryd.process.send_signal(signal.SIGHUP)
    canaryd.fails("the name d is taken, by a file")
    if canaryd.probes()["d"]["source"] is not None or canaryd.probes()["a"]["source"] != "fleet":
        raise Failed(f"the file's probe is not the one that runs: {canaryd.probes()}")
    canaryd.configure(source_of(server, "moved"), probes="probes:\n" + server.probe("own"))
    canaryd.process.send_signal(signal.SIGHUP)
    canaryd.works()
    eventually("the list is whole again", lambda: canaryd.names() == {"own", "a", "d"})
    canaryd.configure("", probes="probes:\n" + server.probe("own"))
    canaryd.file.write_text(canaryd.file.read_text().replace("discovery:\n", ""))
    canaryd.process.send_signal(signal.SIGHUP)
    eventually("without the source its probes are gone", lambda: canaryd.names() == {"own"})
    server.way = "fail"
    canaryd.configure(source_of(server), probes="probes:\n" + server.probe("own"))
    canaryd.process.send_signal(signal.SIGHUP)
    eventually("back again, what was kept of its list is used",
               lambda: canaryd.names() == {"own", "a", "d"})
    canaryd.fails("500")
    server.way = "serve"
    say("files come before lists, and sources come and go by reload")


def changes_meanwhile(options, folder, cleanup, server):
    """A look goes on while a reload says something else of its source."""
    more = ", refresh: 1h, timeout: 50s, http: {max_attempts: 1}}\n"
    slow, other = (f"  - {{name: fleet, url: 'http://127.0.0.1:{server.port}/{path}'{more}"
                   for path in ("slow", "list"))
    server.serve(server.probe("new"))
    canaryd = Canaryd(options.canaryd, folder / "meanwhile", slow, cleanup)
    if not server.slow_asked.wait(30):
        raise Failed("the first URL is not asked")
    canaryd.configure(other)
    canaryd.process.send_signal(signal.SIGHUP)
    eventually("the reload is taken over", lambda: "configuration reloaded" in canaryd.log())
    server.release_slow.set()
    eventually("the other URL is asked at once", lambda: canaryd.names() == {"new"})
    if "probes=1" not in canaryd.log() or "/slow" in canaryd.source().get("from", "/slow"):
        raise Failed("the list is not of the other URL")
    if canaryd.log().count("a list of probes is taken over") != 1:
        raise Failed("the list of the first URL was taken over, too")
    canaryd.stop()
    say("what a URL gives that the source has no more is not taken")


def from_files(options, folder, cleanup, server):
    lists = folder / "lists"
    lists.mkdir()
    (lists / "1.yml").write_text("probes:\n" + server.probe("f1"))
    home = folder / "files"
    canaryd = Canaryd(options.canaryd, home,
                      f"  - {{name: fleet, file: {lists}/*.yml, refresh: 1s}}\n", cleanup)
    eventually("the first file is read", lambda: canaryd.names() == {"f1"})
    (lists / "part").write_text("probes:\n" + server.probe("f2"))
    (lists / "part").rename(lists / "2.yml")
    eventually("the second file is read", lambda: canaryd.names() == {"f1", "f2"})
    for file in lists.glob("*.yml"):
        file.unlink()
    canaryd.fails("no file can be read as")
    if canaryd.names() != {"f1", "f2"}:
        raise Failed("files that are gone took their probes along")
    canaryd.stop()
    say("files of a pattern are one list")


def divided(options, folder, cleanup, server):
    names = [f"p{i}" for i in range(20)]
    server.serve(*(server.probe(name) for name in names))
    shards = [Canaryd(options.canaryd, folder / f"shard{i}", source_of(server), cleanup,
                      options=("--shard", f"{i}/2")) for i in range(2)]
    eventually("all that is listed is watched once",
               lambda: sorted(n for each in shards for n in each.names()) == sorted(names))
    for each, other in zip(shards, reversed(shards)):
        if not each.names() or f"\ncanaryd_config_probes_elsewhere {len(other.names())}\n" \
                not in each.ask("/metrics"):
            raise Failed("a shard does not count what it leaves to the other")
    say("two shards divide what is listed")


def exchanges(options, folder, cleanup, server):
    """Two lists swap names; one of them comes first, and waits for the other."""
    lists = folder / "swapped"
    lists.mkdir()

    def write(name, *probes):
        (lists / "new").write_text("probes:\n" + "".join(server.probe(each) for each in probes))
        (lists / "new").rename(lists / f"{name}.yml")

    def sources():
        text = canaryd.ask("/api/v1/status")
        return json.loads(text)["daemon"]["discovery"] if text else []

    def owners():
        return {name: each["source"] for name, each in canaryd.probes().items()}

    write("one", "x", "one")
    write("two", "y")
    canaryd = Canaryd(options.canaryd, folder / "exchange", "".join(
        f"  - {{name: {name}, file: {lists}/{name}.yml, refresh: 1s}}\n"
        for name in ("one", "two")), cleanup)
    eventually("both are in force", lambda: owners() == {"x": "one", "one": "one", "y": "two"})
    write("one", "y", "one")
    eventually("the first waits", lambda: [each for each in sources() if
                                           "y is taken, by the list of two" in each["error"]])
    if owners() != {"x": "one", "one": "one", "y": "two"}:
        raise Failed("a list that is refused changed something")
    (lists / "one.yml").unlink()  # what came last waits all the same
    eventually("it is away", lambda: [each for each in sources() if
                                      "no file can be read" in each["error"]])
    write("two", "x")
    eventually("names are swapped", lambda: owners() == {"y": "one", "one": "one", "x": "two"})
    write("one", "y", "one")
    eventually("both are well", lambda: all(each["successful"] for each in sources()))
    canaryd.stop()
    say("two lists swap names")


def long(options, folder, cleanup):
    """What takes its time to read, and goes on, does not stand still."""
    canaryd = Canaryd(options.canaryd, folder / "long", "  - {name: fleet, file: /none}\n", cleanup,
                      options=("--watchdog.step-stall", "1s"))
    canaryd.configure("  - {name: fleet, file: /none}\n", probes="probes:\n" + "".join(
        f"  - {{name: p{i}, enabled: false, tcp: {{address: 'a.example:1'}}}}\n"
        for i in range(45_000)))
    began = time.monotonic()
    canaryd.process.send_signal(signal.SIGHUP)
    eventually("the reload ends", lambda: "configuration reloaded" in canaryd.log() or
               "did not end in time" in canaryd.log())
    if "did not end in time" in canaryd.log():
        raise Failed("a reading that went on was given up")
    canaryd.stop()
    say(f"a reload that went on for {time.monotonic() - began:.1f} s is not given up after 1 s")


def forgets(canaryd):
    """What was trusted of a probe that is on no list any more."""
    folder = canaryd.home / "state" / "probes" / "gone"

    def forget(refused, text):
        done = subprocess.run(
            [canaryd.program, "forget", "gone", "--reason", "a test", "--config",
             str(canaryd.file)], capture_output=True, text=True, check=False,
            env={**os.environ, "RUNTIME_DIRECTORY": str(canaryd.home / "run")})
        if (done.returncode != 0) != refused or text not in done.stdout + done.stderr:
            raise Failed(f"forget: {done}")

    for unknown, stop in (("no probe is called", False), ("nothing is trusted of", True)):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "root.json").write_text("{}")
        if stop:
            canaryd.stop()
        forget(False, "forgot what was trusted of gone (1 file)")
        forget(True, unknown)
        if list(folder.iterdir()):
            raise Failed("the files of the probe that is gone are there still")
    say("what was trusted of a removed probe can be forgotten")


def tell(options, folder, cleanup):
    server = ListServer()
    canaryd = Canaryd(options.canaryd, folder / "one", source_of(server), cleanup)
    changes(server, canaryd)
    canaryd.configure(source_of(server), probes="probes:\n" + server.probe("own"))
    canaryd.process.send_signal(signal.SIGHUP)
    eventually("the file's own probe is there", lambda: canaryd.names() == {"own", "a", "c"})
    breaks(server, canaryd)
    dies(server, canaryd)
    reloads(server, canaryd)
    forgets(canaryd)
    changes_meanwhile(options, folder, cleanup, server)
    from_files(options, folder, cleanup, server)
    divided(options, folder, cleanup, server)
    exchanges(options, folder, cleanup, server)
    long(options, folder, cleanup)


def main():
    return run_test(__doc__, ("canaryd",), (), tell)


if __name__ == "__main__":
    sys.exit(main())
