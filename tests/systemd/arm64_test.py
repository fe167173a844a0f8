#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The programs for arm64, run by qemu: they say what they are, check a configuration and a
repository, monitor, and tell of a hang with tables and without native stacks, and why.

usage: arm64_test.py BUILD      in the root of `./canary package arm64`
Exits 77 where the kernel hands no program for arm64 to qemu.
"""
import http.server
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

PATIENCE = 120  # qemu takes its time
NO_STACKS = "this canaryd copies stacks on x86-64 alone"
CONFIG = """
state_directory: {folder}/state
web: {{listen_addresses: ["127.0.0.1:0"]}}
watchdog: {{loop_suspect: 2s, loop_stall: 4s, loop_hung: 8s, loop_dead: 60s, on_dead: abort}}
scheduler: {{start_spread: 0s}}
defaults: {{interval: 2s, timeout: 20s}}
probes:
  - name: demo
    tuf:
      metadata_url: http://127.0.0.1:{port}/healthy/metadata
      targets_url: http://127.0.0.1:{port}/healthy/targets
      root: {folder}/demo/roots/healthy.root.json
"""


def fail(*why):
    sys.exit(f"FAILED: {' '.join(map(str, why))}")


def run(status, *command):
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True,
                          timeout=PATIENCE)
    if done.returncode != status:
        fail(command, "ended with", done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout + done.stderr


def eventually(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        if time.monotonic() > deadline:
            fail("not within", PATIENCE, "s:", what)
        time.sleep(0.2)
    return value


def says_what_it_is(build):
    for program in ("canaryd", "canaryd-dump-helper", "tuf-client"):
        with open(build / program, "rb") as file:
            if file.read(20)[18:20] != b"\xb7\0":  # EM_AARCH64
                fail(program, "is not for arm64")
    print(run(0, build / "canaryd", "--version").strip())
    text = run(0, build / "canaryd", "version")
    if "aarch64-linux-gnu" not in text:
        fail("its libraries are those of another machine:", text)


def checks(build, folder):
    run(0, build / "canaryd", "demo", "--sign", folder / "demo")
    for name, status in (("healthy", 0), ("expired", 2), ("corrupted-target", 2)):
        said = run(status, build / "canaryd", "check", "--root",
                   folder / f"demo/roots/{name}.root.json", "--metadata-url",
                   folder / f"demo/repositories/{name}/metadata", "--targets", "all")
        print(said.splitlines()[0], "|", said.splitlines()[-1].strip())


def serve(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder / "demo/repositories"))

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Daemon:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        (folder / "run").mkdir()
        self.log = folder / "log"
        self.process = subprocess.Popen(
            [str(build / "canaryd"), "run", "--config", str(folder / "canaryd.yml")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.log, "w"),
            env={**os.environ, "LD_PRELOAD": str(build / "libhang_on_connect.so"),
                 "RUNTIME_DIRECTORY": str(folder / "run"),
                 "CANARY_TEST_HANG_FILE": str(folder / "hang")})
        found = eventually("it listens", lambda: re.search(
            r"msg=listening address=(\S+)", self.log.read_text()))
        self.address = found[1]

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=20) as answer:
                return answer.read().decode()
        except OSError as error:
            return str(error)

    def dump(self):
        """Of the loop, readable: made by the helper that canaryd started."""
        for path in self.folder.glob("state/dumps/*-loop.txt"):
            return path.read_text()
        return None

    def has(self, sample):
        return f"\n{sample}\n" in self.get("/metrics")


def monitors_and_hangs(daemon):
    eventually("the probe succeeds", lambda: daemon.has('canaryd_probe_success{probe="demo"} 1'))
    if "dumps have no native stacks on this architecture" not in daemon.log.read_text():
        fail("the log does not say that there are no stacks:", daemon.log.read_text())
    live = daemon.get("/debug/executor")
    if "THREADS" not in live:
        fail("a live dump has no threads:", live[:3000])
    print("monitors; a live dump has its tables")

    (daemon.folder / "hang").write_text("")
    eventually("/metrics tells of the stall", lambda: daemon.has("canaryd_executor_stalled 1"))
    text = eventually("a dump on disk", daemon.dump)
    for part in (NO_STACKS, "ITS HANDLER RUNS NOW", "demo > "):
        if part not in text:
            fail(f"no {part!r} in the dump:", text[:4000])
    if re.search(r"^ +\d+  \S+", text, re.M) and "hang_for_ever" in text:
        fail("it claims a stack:", text[:4000])
    print("hung: the stall is told, the dump has runs and threads, and says why it has no stacks")
    if re.search(r"dump helper .*(ended|did not answer)", daemon.log.read_text()):
        fail("the dump helper was started anew:", daemon.log.read_text())
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()


def main(build):
    build = pathlib.Path(build)
    if not os.environ.get("CANARY_RUNS_ARM64"):
        print("skipped: this kernel (before 6.7) hands no program for arm64 to qemu in a namespace")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        says_what_it_is(build)
        checks(build, folder)
        (folder / "canaryd.yml").write_text(CONFIG.format(folder=folder, port=serve(folder)))
        print(run(0, build / "canaryd", "config", "check", folder / "canaryd.yml").strip())
        daemon = Daemon(build, folder)
        try:
            monitors_and_hangs(daemon)
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
    print("all well")


if __name__ == "__main__":
    main(*sys.argv[1:])
