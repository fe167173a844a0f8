# SPDX-License-Identifier: Apache-2.0
"""What tests have in common that start real programs and tell what they see: waiting with a limit,
asking by HTTP, and an end that shows every log where something failed."""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 60  # seconds for anything to happen; a failure says what did not


class Failed(Exception):
    pass


def say(text):
    print(f"{time.monotonic() - say.start:6.1f} s  {text}", flush=True)


say.start = time.monotonic()


def eventually(what, condition, patience=PATIENCE):
    """The first true value of condition(), asked for again and again."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {patience} s: {what}")
        time.sleep(0.05)


def get(url, patience=5):
    """Status and body; None where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=patience) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
    except OSError:
        return None


def listening_port(process, program):
    """The port of 127.0.0.1 that a process listens on, as the kernel knows it."""
    def find():
        if process.poll() is not None:
            raise Failed(f"{program} ended with status {process.returncode}")
        inodes = set()
        with contextlib.suppress(OSError):
            for entry in os.scandir(f"/proc/{process.pid}/fd"):
                with contextlib.suppress(OSError):
                    found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(entry.path))
                    if found:
                        inodes.add(found[1])
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            address, port = fields[1].split(":")
            if fields[3] == "0A" and fields[9] in inodes and address == "0100007F":
                return int(port, 16)
        return None
    return eventually(f"{program} listens", find)


def run_test(about, arguments, programs, tell):
    """tell(options, folder, cleanup), with `--NAME` for each of `arguments`, in a folder of its own;
    gives the exit status: 1 where it failed, with the ends of the logs in the folder, 77 where a
    program is missing."""
    parser = argparse.ArgumentParser(description=about.split("\n\n")[0])
    for name in arguments:
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: {program} is not installed (./canary install-packages)")
            return 77
    with tempfile.TemporaryDirectory(prefix="canary-test-") as name, \
            contextlib.ExitStack() as cleanup:
        folder = pathlib.Path(name)
        try:
            tell(options, folder, cleanup)
        except Failed as failed:
            say(f"FAILED: {failed}")
            for log in sorted([*folder.glob("log"), *folder.glob("*/log"), *folder.glob("*.log"),
                               *folder.glob("*/*.log")]):
                print(f"---- {log.relative_to(folder)}", log.read_text()[-3000:], sep="\n")
            return 1
    return 0
