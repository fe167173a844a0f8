#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long canaryd takes to start and to reload with many probes, however they are spread over files.

From exec, or SIGHUP, to the READY=1 that it sends to systemd; the probes' first runs are spread over
an hour, so that what is measured is start and reload alone."""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

BUILD = pathlib.Path(os.environ.get("CANARY_BUILD", "build/release")).resolve()


def write_site(folder, probes, files, roots):
    """The configuration; its probes stand in it, or in so many files that it includes."""
    folder.mkdir()
    entries = [f"  - {{name: probe-{i}, tuf: {{metadata_url: 'http://127.0.0.1:9/{i}/metadata', "
               f"root: '{roots[i % len(roots)]}'}}}}" for i in range(probes)]
    main = ["state_directory: " + str(folder / "state"), "web: {listen_addresses: ['127.0.0.1:0']}",
            "scheduler: {start_spread: 1h}", "defaults: {interval: 1h, http: {proxy: none}}"]
    (folder / "state").mkdir()
    if files == 0:
        main += ["probes:"] + entries
    else:
        main.append("include: 'probes.d/*.yml'")
        (folder / "probes.d").mkdir()
        for i in range(files):
            text = "probes:\n" + "\n".join(entries[i::files]) + "\n"
            (folder / "probes.d" / f"{i:05}.yml").write_text(text)
    configuration = folder / "canaryd.yml"
    configuration.write_text("\n".join(main) + "\n")
    return configuration


class Daemon:
    def __init__(self, configuration):
        self.log = configuration.parent / "log"
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = str(configuration.parent / "notify")
        self.notified.bind(address)
        self.notified.settimeout(120)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [BUILD / "canaryd", "run", "--config", configuration],
            env=dict(os.environ, NOTIFY_SOCKET=address), stdout=subprocess.DEVNULL,
            stderr=open(self.log, "w"))

    def ready_after(self, begun):
        reloading = False
        while True:
            words = self.notified.recv(65536).decode().splitlines()
            reloading = reloading or "RELOADING=1" in words
            if "READY=1" in words:
                return time.monotonic() - begun

    def reload(self):
        begun = time.monotonic()
        self.process.send_signal(signal.SIGHUP)
        return self.ready_after(begun)

    def stop(self):
        self.process.terminate()
        return self.process.wait(60)

    def longest_handler(self):
        """Milliseconds, of the loop, since the start."""
        address = re.search(r"msg=listening address=(\S+)", self.log.read_text())[1]
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
            page = answer.read().decode()
        return 1000 * float(re.search(r"\ncanaryd_executor_longest_handler_seconds (\S+)", page)[1])

    def memory(self):
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--probes", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="canaryd-start."))
    try:
        subprocess.run([BUILD / "bench_repository", folder / "repository", "small:1"], check=True)
        first = next((folder / "repository").rglob("1.root.json")).read_bytes()
        roots = []
        for i in range(options.probes):
            roots.append(folder / f"root-{i}.json")
            roots[-1].write_bytes(first)
        print(f"{options.probes} probes, best (worst) of {options.rounds}, seconds\n"
              f"{'':12}{'start':>15}{'reload':>15}{'all changed':>15}{'resident':>13}"
              f"{'longest handler of start, reloads':>36}")
        for files, what in ((0, "one file"), (100, "100 files"), (options.probes, "a file each")):
            starts, reloads, changed = [], [], []
            for round_number in range(options.rounds):
                configuration = write_site(folder / f"{files}-{round_number}", options.probes, files, roots)
                daemon = Daemon(configuration)
                starts.append(daemon.ready_after(daemon.begun))
                of_start = daemon.longest_handler()
                reloads.append(daemon.reload())
                text = configuration.read_text()
                configuration.write_text(text.replace("interval: 1h", "interval: 2h"))
                changed.append(daemon.reload())
                memory, longest = daemon.memory(), daemon.longest_handler()
                if daemon.stop() != 0:
                    sys.exit((configuration.parent / "log").read_text()[-4000:])
            seconds = "".join(f"{min(each):8.2f} ({max(each):.2f})" for each in (starts, reloads, changed))
            print(f"{what:12}{seconds}{memory:9.0f} MiB{of_start:18.0f} ms,{longest:5.0f} ms", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
