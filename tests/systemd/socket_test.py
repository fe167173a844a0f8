#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""canaryd on a listening socket that it is handed, with this test in systemd's place: whoever
connects between two processes is answered by the second, whatever ended the first; and a program
that is started anew in place of the first (on_dead: exec) has the socket, too.

usage: socket_test.py CANARYD STORY_REPOSITORY HANG_SHIM
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = 40
CONFIG = """
state_directory: {folder}/state
web: {{listen_addresses: ["127.0.0.1:1"]}}
watchdog: {{loop_suspect: 100ms, loop_stall: 300ms, loop_hung: 600ms, loop_dead: 1500ms}}
scheduler: {{start_spread: 0s, stop_timeout: 3s}}
defaults: {{interval: 1s, timeout: 5s}}
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


class Canaryd:
    """Started as systemd does: sockets from descriptor 3 on, announced for its own process id."""
    started = []

    def __init__(self, options, folder, sockets, *flags):
        self.log_path = folder / "log"
        moves = "".join(f"exec {3 + i}<&{each} {each}<&-; "
                        for i, each in enumerate(each.fileno() for each in sockets)
                        if each != 3 + i)
        announce = (f"export LISTEN_PID=$$ LISTEN_FDS={len(sockets)} LISTEN_FDNAMES=canaryd.socket; "
                    if sockets else "")
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f"{moves}{announce}exec \"$0\" \"$@\"", options[0], "run",
             "--config", str(folder / "canaryd.yml"), *flags],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log_path, "w"),
            pass_fds=[each.fileno() for each in sockets],
            env={**os.environ, "LD_PRELOAD": options[2],
                 "CANARY_TEST_HANG_FILE": str(folder / "hang")})

        Canaryd.started.append(self.process)

    def text(self):
        return self.log_path.read_text()

    def says(self, text, times=1):
        eventually(f"the log says {text}: {self.text()}", lambda: self.text().count(text) >= times)

    def end(self, by=signal.SIGTERM):
        self.process.send_signal(by)
        return self.process.wait(timeout=PATIENCE)


class Scrape:
    """A request that is sent at once and read later."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=PATIENCE)
        self.socket.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    def answer(self):
        everything = b""
        while piece := self.socket.recv(65536):
            everything += piece
        return everything.decode()


def is_page(text):
    return (text.startswith("HTTP/1.1 200") and "\ncanaryd_probe_runs_total" in text and
            "\ncanaryd_emergency_page 1\n" not in text)


def answers(address):
    text = Scrape(address).answer()
    if not is_page(text):
        fail(f"no page: {text[:500]}")


def loses_no_scrape_over_a_restart(options, folder, listener):
    address = listener.getsockname()
    first = Canaryd(options, folder, [listener], "--web.systemd-socket")
    first.says("msg=monitoring")
    if f"msg=listening address=127.0.0.1:{address[1]}" not in first.text():
        fail(f"it listens elsewhere: {first.text()}")
    answers(address)
    for way in (signal.SIGTERM, signal.SIGKILL):
        first.end(way)
        waiting = [Scrape(address) for _ in range(3)]  # nobody is there
        first = Canaryd(options, folder, [listener], "--web.systemd-socket")
        for each in waiting:
            if not is_page(each.answer()):
                fail(f"a scrape was lost over {way.name}")
        print(f"{way.name}: the next one answered all who waited")
    return first


def hangs_and_is_ended(options, folder, listener, canaryd):
    """By SIGABRT: the listener of whoever gave it goes on."""
    (folder / "hang").write_text("")
    code = canaryd.process.wait(timeout=PATIENCE)
    if code != -signal.SIGABRT:
        fail(f"it ended with {code}: {canaryd.text()}")
    waiting = Scrape(listener.getsockname())
    fresh = Canaryd(options, folder, [listener], "--web.systemd-socket")
    if not is_page(waiting.answer()):
        fail("a scrape was lost over a hang")
    print("SIGABRT: likewise")
    fresh.end()


def hands_it_on(options, folder, listener):
    """In place, and twice: the program that was started anew can do it again."""
    address = listener.getsockname()
    canaryd = Canaryd(options, folder, [listener], "--web.systemd-socket", "--watchdog.on-dead",
                      "exec")
    canaryd.says("msg=monitoring")
    pid = canaryd.process.pid
    for times in (2, 3):
        (folder / "hang").write_text("")
        canaryd.says("msg=monitoring", times)
        answers(address)
        if canaryd.process.poll() is not None:
            fail("it is another process")
    inode = os.fstat(listener.fileno()).st_ino
    held = [each for each in pathlib.Path(f"/proc/{pid}/fd").iterdir()
            if os.readlink(each) == f"socket:[{inode}]"]
    # The server's, the watchdog's copy, and the one to be handed on: not more at each turn.
    if len(held) != 3:
        fail(f"it holds the socket {len(held)} times")
    if canaryd.text().count(f"msg=listening address=127.0.0.1:{address[1]}") != 3:
        fail(f"it listened elsewhere: {canaryd.text()}")
    if canaryd.end() != 0:
        fail(canaryd.text())
    print("exec: handed on, twice")


def says_what_is_missing(options, folder, listener):
    none = Canaryd(options, folder, [], "--web.systemd-socket")
    if none.process.wait(timeout=PATIENCE) != 1 or "no socket was handed over" not in none.text():
        fail(f"without a socket: {none.text()}")
    config = folder / "canaryd.yml"
    config.write_text(config.read_text().replace("127.0.0.1:1", "127.0.0.1:0"))
    unasked = Canaryd(options, folder, [listener])
    unasked.says("msg=monitoring")
    unasked.says("--web.systemd-socket would serve on them")
    found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", unasked.text())
    if int(found[1]) == listener.getsockname()[1]:
        fail("it serves on a socket that it was not told to")
    unasked.end()


def main(*options):
    with tempfile.TemporaryDirectory() as name, \
            socket.create_server(("127.0.0.1", 0)) as silent, \
            socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        folder = pathlib.Path(name)
        (folder / "canaryd.yml").write_text(
            CONFIG.format(folder=folder, port=silent.getsockname()[1]))
        (folder / "repository").mkdir()
        subprocess.run([options[1], folder / "repository"], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL)
        try:
            canaryd = loses_no_scrape_over_a_restart(options, folder, listener)
            hangs_and_is_ended(options, folder, listener, canaryd)
            hands_it_on(options, folder, listener)
            says_what_is_missing(options, folder, listener)
        finally:
            for each in Canaryd.started:
                if each.poll() is None:
                    each.kill()
                    each.wait()
    print("all well")


if __name__ == "__main__":
    main(*sys.argv[1:])
