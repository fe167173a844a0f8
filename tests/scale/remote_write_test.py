#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics sent by remote write into a real Prometheus, which is killed and started again.

A message that is answered 500 again and again is given up. While the receiver is away samples wait:
none is missing afterwards, from before to after. Away for longer than the queue has room for, the
oldest are dropped and counted, and the newest arrive. At a stop all series end at once. Nothing is
scraped. Each has a canaryd of its own, for most of it is waiting. Exits 77 where a program is missing.
"""
import concurrent.futures
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

from harness import eventually, Failed, get, listening_port, run_test, say

AWAY = 10  # samples, one a second, while the receiver is away
ERRORS = 5  # attempts for a message that is answered 500
MOST = 256 * 1024  # bytes of the queue, the least that the configuration takes
PROBES, MANY = 50, 500  # with the many, the queue is full after a few samples


class Receiver:
    """One Prometheus after the other, on one port, with what the one before has written down."""

    def __init__(self, folder, cleanup):
        self.folder, self.port, self.process = folder, 0, None
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n")
        cleanup.callback(self.kill)

    def start(self):
        log = open(self.folder / "prometheus.log", "a")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/tsdb", "--web.enable-remote-write-receiver",
             f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)
        self.port = listening_port(self.process, "prometheus")
        eventually("prometheus is ready",
                   lambda: (get(f"http://127.0.0.1:{self.port}/-/ready") or [0])[0] == 200)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def query(self, text):
        answer = get(f"http://127.0.0.1:{self.port}/api/v1/query?query={urllib.parse.quote(text)}")
        if not answer or answer[0] != 200:
            return []
        return json.loads(answer[1])["data"]["result"]

    def times(self):
        """Of each sample of one series, as it was taken."""
        series = self.query("canaryd_time_seconds[10m]")
        return [float(at) for at, _ in series[0]["values"]] if series else []


class Erring:
    """Answers 500 to the first message that it ever got, however often it comes, as receivers do
    that will never take some sample, and takes all others."""

    def __init__(self):
        self.bodies = []
        bodies = self.bodies

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(500 if bodies[-1] == bodies[0] else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Sender:
    def __init__(self, program, folder, receiver, cleanup, probes=PROBES):
        probes = "".join(f"  - {{name: p{i}, tuf: {{metadata_url: 'http://127.0.0.1:1/metadata', "
                         f"root: {folder}/root.json}}}}\n" for i in range(probes))
        (folder / "root.json").write_text("{}")
        (folder / "run").mkdir()
        (folder / "canaryd.yml").write_text(
            f"state_directory: {folder}/state\nweb: {{listen_addresses: ['127.0.0.1:0']}}\n"
            "scheduler: {start_spread: 1h}\n"
            f"remote_write:\n  url: http://127.0.0.1:{receiver.port}/api/v1/write\n"
            f"  instance: sender\n  interval: 1s\n  queue: {MOST}B\n"
            f"defaults: {{interval: 1h, timeout: 5s}}\nprobes:\n{probes}")
        with open(folder / "log", "w") as log:
            self.process = subprocess.Popen(
                [program, "run", "--config", str(folder / "canaryd.yml")], stdout=log, stderr=log,
                env={**os.environ, "RUNTIME_DIRECTORY": str(folder / "run")})
        cleanup.callback(self.process.wait)
        cleanup.callback(self.process.kill)
        self.port = listening_port(self.process, "canaryd")

    def counts(self):
        page = get(f"http://127.0.0.1:{self.port}/metrics")
        lines = re.findall(r"^canaryd_remote_write_(\w+)(?:\{reason=\"(\w+)\"\})? (\S+)$",
                           page[1] if page else "", re.M)
        return {name + reason: float(value) for name, reason, value in lines}

    def has_caught_up(self):
        counts = self.counts()
        return counts if counts and counts["waiting_samples"] == 0 else None


def longest_gap(times):
    return max(after - before for before, after in zip(times, times[1:]))


def errors_end(options, folder, cleanup):
    """One message that is answered 500 does not hold up the others for ever."""
    erring = Erring()
    sender = Sender(options.canaryd, folder, erring, cleanup)
    eventually("another message is sent",
               lambda: any(body != erring.bodies[0] for body in list(erring.bodies)))
    tried = sum(body == erring.bodies[0] for body in erring.bodies)
    if tried != ERRORS:
        raise Failed(f"what is answered 500 was sent {tried} times")
    counts = eventually("what waited is sent", sender.has_caught_up)
    if not 0 < counts["samples_dropped_totalrefused"] or counts["failed_requests_total"] != ERRORS:
        raise Failed(f"it is counted otherwise: {counts}")
    say(f"a message that is answered 500 was tried {tried} times, and the others followed")
    sender.process.kill()


def nothing_is_lost(options, folder, cleanup):
    """While the receiver is away for a while; and all series end with canaryd."""
    receiver = Receiver(folder, cleanup)
    receiver.start()
    sender = Sender(options.canaryd, folder, receiver, cleanup)
    labels = eventually("samples arrive", lambda: receiver.query('up{job="canaryd"}'))[0]["metric"]
    if labels["instance"] != "sender":
        raise Failed(f"labels are {labels}")
    probes = eventually("all series arrive", lambda: [
        series for series in receiver.query("count(canaryd_probe_info)")
        if series["value"][1] == str(PROBES)])
    say(f"{probes[0]['value'][1]} probes' series are there")

    eventually("a few samples are written", lambda: len(receiver.times()) >= 3)
    receiver.kill()
    killed = time.time()
    eventually(f"{AWAY} samples wait", lambda: sender.counts().get("failed_requests_total", 0) > 0
               and time.time() - killed > AWAY)
    before = sender.counts()
    if before["samples_dropped_totaloverflow"] > 0:
        raise Failed(f"the queue was too small for what this part is about: {before}")
    receiver.start()
    counts = eventually("all that waited is sent", sender.has_caught_up)
    times = receiver.times()
    taken = [at for at in times if killed < at < killed + AWAY]
    if counts["samples_dropped_totaloverflow"] + counts["samples_dropped_totalrefused"] > 0:
        raise Failed(f"some were dropped: {counts}")
    # A busy machine may take one late; lost, there would be none in all that time.
    if len(taken) < AWAY / 2 or longest_gap(times) > AWAY / 2:
        raise Failed(f"of the time without a receiver there are {len(taken)} samples, "
                     f"and a gap of {longest_gap(times):.1f} s")
    say(f"{len(taken)} samples of each series are there from while the receiver was away; "
        f"{counts['failed_requests_total']:.0f} requests had failed")

    sender.process.send_signal(signal.SIGTERM)
    if sender.process.wait(60) != 0:
        raise Failed(f"canaryd ended with {sender.process.returncode}")
    left = receiver.query('{job="canaryd"}')
    if left:
        raise Failed(f"{len(left)} series go on after the end: {left[:2]}")
    say("all series ended with canaryd")


def the_oldest_are_dropped(options, folder, cleanup):
    """While it is away for longer than there is room for."""
    receiver = Receiver(folder, cleanup)
    receiver.start()
    sender = Sender(options.canaryd, folder, receiver, cleanup, MANY)
    eventually("samples arrive", receiver.times)
    receiver.kill()
    eventually("the queue is full",
               lambda: sender.counts().get("samples_dropped_totaloverflow", 0) > 0, patience=120)
    full = sender.counts()
    if not 0 < full["waiting_bytes"] <= MOST:
        raise Failed(f"more waits than there is room for: {full}")
    receiver.start()
    counts = eventually("all that waited is sent", sender.has_caught_up)
    if counts["samples_dropped_totalrefused"] > 0:
        raise Failed(f"the receiver refused some: {counts}")
    if time.time() - receiver.times()[-1] > 15:
        raise Failed("the newest samples did not arrive")
    say(f"beyond its bound {counts['samples_dropped_totaloverflow']:.0f} samples were dropped, "
        "and counted")


def tell(options, folder, cleanup):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = []
        for part in (errors_end, nothing_is_lost, the_oldest_are_dropped):
            (folder / part.__name__).mkdir()
            running.append(pool.submit(part, options, folder / part.__name__, cleanup))
    for part in running:
        part.result()


def main():
    return run_test(__doc__, ("canaryd",), ("prometheus",), tell)


if __name__ == "__main__":
    sys.exit(main())
