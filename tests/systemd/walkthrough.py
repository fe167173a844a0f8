# SPDX-License-Identifier: Apache-2.0
"""A page of the manual, typed into a terminal as it stands.

The blocks ```sh of a page are typed in their order, all into one shell. A block ```text right behind
one is what the reader is promised to see: its lines must be in the output, in their order; `...` in a
line stands for anything within it, and a line that is `...` alone for any lines.
"""
import dataclasses
import os
import re
import select
import subprocess
import time

from system_test import Failed, say

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


@dataclasses.dataclass
class Step:
    heading: str
    typed: str
    shown: str = ""


def steps(page):
    """The page's commands with what it shows of them."""
    text = page.read_text(encoding="utf-8")
    headings = [(found.start(), found[1]) for found in re.finditer(r"^## (.*)$", text, re.M)]
    found, end = [], None
    for block in FENCE.finditer(text):
        heading = next((name for at, name in reversed(headings) if at < block.start()), "")
        if block[1] == "sh":
            found.append(Step(heading, block[2]))
            end = block.end()
        elif block[1] == "text":
            # What stands between may explain, but not be another heading.
            if not found or found[-1].shown or found[-1].heading != heading or end is None:
                raise Failed(f"{page.name}: under '{heading}' an output without its command")
            found[-1].shown = block[2]
    return found


def first_line_missing(shown, output):
    """Of what is promised, the first line that the output has not; None where all are there."""
    rest = iter(output.splitlines())
    for line in shown.splitlines():
        if line.strip() in ("...", ""):
            continue
        pattern = re.compile(r".*?".join(re.escape(part) for part in
                                         re.sub(r"\s+", " ", line.strip()).split("...")))
        if not any(pattern.fullmatch(re.sub(r"\s+", " ", each.strip())) for each in rest):
            return line
    return None


class Terminal:
    """A shell of the machine, as root in /root. A command that fails ends it."""
    MARK = "-- the step has ended --"

    def __init__(self, machine):
        self.machine = machine
        self.count = 0
        self.shell = subprocess.Popen(
            ["nsenter", "-t", str(machine.pid), "-a", "env", "-i", "HOME=/root", "TERM=dumb",
             "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
             "DEBIAN_FRONTEND=noninteractive", "bash", "-euo", "pipefail"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.send("cd /root")

    def send(self, line):
        self.shell.stdin.write(f"{line}\n".encode())
        self.shell.stdin.flush()

    def type(self, block, patience=400):
        """The output; raises where a command of it fails or does not come to its end."""
        self.count += 1
        self.machine.write(f"/run/step-{self.count}", block)
        self.send(f". /run/step-{self.count} </dev/null; echo; echo '{self.MARK}'")
        output, deadline = b"", time.monotonic() + patience
        while not output.endswith(f"\n{self.MARK}\n".encode()):
            ready, _, _ = select.select([self.shell.stdout], [], [], deadline - time.monotonic())
            if not ready:
                raise Failed(f"this does not come to its end:\n{block}It said: {output.decode()}")
            piece = os.read(self.shell.stdout.fileno(), 65536)
            if not piece:
                raise Failed(f"this fails:\n{block}It said: {output.decode()[-3000:]}")
            output += piece
        return output.decode().removesuffix(f"\n{self.MARK}\n")

    def follow(self, page, but=()):
        """All that stands there, but under some headings."""
        found = [step for step in steps(page) if step.heading not in but]
        for step in found:
            started = time.monotonic()
            output = self.type(step.typed)
            missing = first_line_missing(step.shown, output)
            if missing is not None:
                raise Failed(f"{page.name}, '{step.heading}': \n{step.typed}is said to show\n"
                             f"{missing}\nand shows\n{output}")
            first = step.typed.splitlines()[0]
            say(f"{step.heading}: {first[:60]} ({time.monotonic() - started:.1f} s"
                f"{', shows what it says' if step.shown else ''})")
        return found

    def close(self):
        self.shell.stdin.close()
        try:
            self.shell.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.shell.kill()
            self.shell.wait()
        self.shell.stdout.close()
