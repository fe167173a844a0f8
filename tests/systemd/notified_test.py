#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What canaryd tells systemd, and what it makes of what systemd kept: the real program, and this
test in systemd's place, with a notification socket and a descriptor store of its own.

usage: notified_test.py CANARYD STORY_REPOSITORY
"""
import array
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE = 30
CONFIG = """
state_directory: {folder}/state
web: {{listen_addresses: ["127.0.0.1:0"]}}
scheduler: {{start_spread: 1s, stop_timeout: 3s}}
defaults: {{interval: 1s, timeout: 60s}}
probes:
  - name: silent
    tuf:
      metadata_url: http://127.0.0.1:{port}/metadata
      targets_url: http://127.0.0.1:{port}/targets
      root: {folder}/repository/root.json
"""


def fail(why):
    sys.exit(f"FAILED: {why}")


def eventually(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            fail(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)
    return value


class Manager:
    """The part of systemd that a service sees."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = str(folder / "notify")
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []   # every datagram so far
        self.store = {}   # name: descriptors

    def listen(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
                received = array.array("i")
                for level, kind, content in ancillary:
                    if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                        received.frombytes(content[:len(content) - len(content) % 4])
                self.take(data.decode(), list(received))
        return self.heard

    def take(self, text, received):
        self.heard.append(text)
        fields = dict(line.split("=", 1) for line in text.splitlines())
        if "FDSTOREREMOVE" in fields:
            for descriptor in self.store.pop(fields["FDNAME"], []):
                os.close(descriptor)
        elif "FDSTORE" in fields:
            self.store.setdefault(fields["FDNAME"], []).extend(received)
        elif received:
            fail(f"descriptors came with {text!r}")

    def hears(self, pattern, since=0):
        return next((text for text in self.listen()[since:] if re.fullmatch(pattern, text, re.S)),
                    None)


class Canaryd:
    def __init__(self, program, folder, manager):
        self.log_path = folder / "log"
        self.log = open(self.log_path, "w")
        kept = [(name, each) for name, all in manager.store.items() for each in all]
        # As systemd does: descriptors from 3 on, and the process's own id, which only it knows.
        moves = "".join(f"exec {3 + i}<&{each} {each}<&-; " for i, (_, each) in enumerate(kept)
                        if each != 3 + i)
        variables = (f"LISTEN_PID=$$ LISTEN_FDS={len(kept)} "
                     f"LISTEN_FDNAMES={':'.join(name for name, _ in kept)} ") if kept else ""
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f"{moves}export NOTIFY_SOCKET={manager.path}; "
             f"{'export ' + variables + '; ' if variables else ''}"
             f"exec {program} run --config {folder}/canaryd.yml"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            pass_fds=[each for _, each in kept])

    def text(self):
        return self.log_path.read_text()

    def metrics(self):
        address = re.search(r"listening.* address=\"?(127\.0\.0\.1:\d+)", self.text())[1]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:
            return answer.read().decode()

    def end(self, by):
        self.process.send_signal(by)
        return self.process.wait(timeout=PATIENCE)


def descriptors_of(process):
    found = []
    for link in pathlib.Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(link))
    return found


def children_of(process):
    """Of all its threads: each child belongs to the thread that started it."""
    return [child for task in pathlib.Path(f"/proc/{process}/task").iterdir()
            for child in (task / "children").read_text().split()]


def tells_each_step_of_its_start(manager, canaryd, since):
    eventually("READY=1", lambda: manager.hears("READY=1", since))
    before = manager.heard[since:manager.heard.index("READY=1", since)]
    print("start:", *before, sep="\n  ")
    if not any(text.startswith("STATUS=starting") for text in before):
        fail(f"no status tells of the start: {before}")
    left = [text for text in before if "canaryd-tables" in text]
    if left != ["FDSTOREREMOVE=1\nFDNAME=canaryd-tables",
                "FDSTORE=1\nFDPOLL=0\nFDNAME=canaryd-tables"]:
        fail(f"the tables were left as {left}")
    if len(manager.store["canaryd-tables"]) != 1:
        fail(f"the store holds {manager.store}")
    eventually("a status that tells of the probes",
               lambda: manager.hears(r"STATUS=monitoring: \d of 1 probes.*", since))
    since = len(manager.heard)
    time.sleep(1.5)  # nothing is to be seen: what is looked for is silence
    late = [text for text in manager.listen()[since:] if text.startswith("EXTEND")]
    if late:
        fail("it asks for more time although it has started")


def holds_its_tables_alone(canaryd):
    own = [each for each in descriptors_of(canaryd.process.pid) if "canaryd-tables" in each]
    if len(own) != 1:
        fail(f"canaryd holds {own}")
    helpers = children_of(canaryd.process.pid)
    if not helpers:
        fail("there is no dump helper")
    for helper in helpers:
        leaked = [each for each in descriptors_of(helper) if "canaryd-tables" in each]
        if leaked:
            fail(f"the dump helper holds {leaked}")


def tells_of_a_reload(manager, canaryd):
    since, before = len(manager.listen()), time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    canaryd.process.send_signal(signal.SIGHUP)
    text = eventually("RELOADING=1", lambda: manager.hears(
        r"RELOADING=1\nMONOTONIC_USEC=\d+", since))
    eventually("READY=1 again", lambda: manager.hears("READY=1", since))
    at = int(text.rsplit("=", 1)[1])
    if not before <= at <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000:
        fail(f"it reloaded at {at}, asked at {before}")


def tells_of_its_stop(manager, canaryd):
    since = len(manager.listen())
    code = canaryd.end(signal.SIGTERM)
    said = manager.listen()[since:]
    print("stop:", *said, sep="\n  ")
    if code != 0 or "STOPPING=1" not in said:
        fail(f"it ended with {code} and said {said}\n{canaryd.text()}")
    after = said[said.index("STOPPING=1"):]
    if not any(text.startswith("STATUS=stopping") for text in after):
        fail(f"no status tells of the stop: {said}")


def tells_what_the_killed_one_was_at(canaryd, folder, killed):
    line = eventually("a line about the one before", lambda: re.search(
        rf"the process before did not end in order.* process={killed} .*", canaryd.text()))[0]
    print(line)
    for part in ("loop=", "runs=1", "going_on=silent", f"post-mortem-{killed}.txt"):
        if part not in line:
            fail(f"no {part} in {line}")
    eventually("/metrics says how it ended", lambda: re.search(
        r'^canaryd_previous_run_info\{end="killed",probe="[^"]*",site="[^"]*"\} 1$',
        canaryd.metrics(), re.M))
    text = eventually("the post-mortem", lambda: next(
        (file.read_text() for file in folder.glob(f"state/dumps/post-mortem-{killed}.txt")), None))
    for part in (f"process {killed} had ended", "silent > ", "PENDING OPERATIONS"):
        if part not in text:
            fail(f"no {part!r} in the post-mortem:\n{text}")


def main(program, repository):
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as silent:
        folder = pathlib.Path(name)
        # It accepts, and never answers: a run that is going on.
        (folder / "canaryd.yml").write_text(
            CONFIG.format(folder=folder, port=silent.getsockname()[1]))
        (folder / "repository").mkdir()
        subprocess.run([repository, folder / "repository"], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
        manager = Manager(folder)
        canaryd = Canaryd(program, folder, manager)
        try:
            tells_each_step_of_its_start(manager, canaryd, 0)
            holds_its_tables_alone(canaryd)
            if "canaryd_previous_run_info" in canaryd.metrics():
                fail("the first start knows of one before")
            tells_of_a_reload(manager, canaryd)
            eventually("a run is going on",
                       lambda: 'canaryd_probe_in_flight_start_timestamp_seconds{probe="silent"} '
                       in canaryd.metrics())
            killed = canaryd.process.pid
            canaryd.end(signal.SIGKILL)

            since = len(manager.listen())
            canaryd = Canaryd(program, folder, manager)
            tells_each_step_of_its_start(manager, canaryd, since)
            tells_what_the_killed_one_was_at(canaryd, folder, killed)
            holds_its_tables_alone(canaryd)
            tells_of_its_stop(manager, canaryd)

            since = len(manager.listen())
            canaryd = Canaryd(program, folder, manager)
            tells_each_step_of_its_start(manager, canaryd, since)
            if "did not end in order" in canaryd.text():
                fail(f"a stop in order is told as an accident:\n{canaryd.text()}")
            if 'end="orderly"' not in canaryd.metrics():
                fail("/metrics does not tell of the stop in order")
            tells_of_its_stop(manager, canaryd)
        finally:
            if canaryd.process.poll() is None:
                canaryd.end(signal.SIGKILL)
    print("all well")


if __name__ == "__main__":
    main(*sys.argv[1:])
