#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`canaryd top` in a terminal that is a pty: what it shows, how it is left, and what is left behind.

usage: top_test.py CANARYD
"""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "support"))
from running_canaryd import Canaryd  # noqa: E402

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else ""
PATIENCE = 60  # seconds; what comes comes sooner
COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7]")
LEFT = b"\x1b[?1049l"  # xterm: back to what was on the screen before


class Terminal:
    def __init__(self, *arguments, rows=24, columns=80, **environment):
        self.own, other = pty.openpty()
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.own)
        inherited = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM", "LC_ALL")}

        def control():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            [PROGRAM, "top", *arguments], stdin=other, stdout=other, stderr=other,
            preexec_fn=control, env={**inherited, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
                                     **environment})
        os.close(other)
        self.seen = self.all = b""

    def size(self, rows, columns):
        fcntl.ioctl(self.own, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        if select.select([self.own], [], [], seconds)[0]:
            try:
                piece = os.read(self.own, 1 << 16)
                self.seen += piece
                self.all += piece
            except OSError:  # it is gone
                return False
        return True

    def until(self, pattern):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen)):
            if time.monotonic() > end or not self.read(0.1):
                raise AssertionError(f"{pattern} did not come: {self.seen[-3000:]}")
        self.seen = self.seen[found.end():]

    def press(self, keys):
        os.write(self.own, keys)

    def code(self):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.05)
        self.process.kill()
        self.process.wait()
        self.read(0)
        return self.process.returncode

    def is_as_it_was(self):
        return termios.tcgetattr(self.own)[:4] == self.before[:4]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.own)


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.canaryd = cls.enterClassContext(Canaryd(PROGRAM))
        cls.canaryd.wait_for(lambda: "failing" in cls.canaryd.page("/probe/evil"), "a verdict")

    def top(self, *arguments, **more):
        """One that shows something; asked anew where a busy machine took ten seconds to answer."""
        for _ in range(5):
            terminal = Terminal("--config", str(self.canaryd.config), "--every", "200ms",
                                *arguments, **more)
            self.addCleanup(terminal.close)
            while b"canaryd" not in terminal.all and terminal.process.poll() is None:
                terminal.read(0.1)
            if b"gave up after" not in terminal.all:
                break
        return terminal

    def test_shows_loop_lag_runs_and_probes_and_leaves_the_terminal_as_it_was(self):
        top = self.top()
        top.until(b"the loop turns")
        top.until(rb"lag \[")
        top.until(b"2 probes: 1 critical, 1 ok")
        top.until(b"RUNS")
        top.until(b"evil")
        self.assertFalse(top.is_as_it_was(), "it reads keys as they come")
        top.press(b"q")
        self.assertEqual(top.code(), 0)
        self.assertIn(LEFT, top.seen)
        self.assertTrue(top.is_as_it_was())

    def test_ends_clean_by_signals_and_when_its_terminal_goes(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            top = self.top()
            top.until(b"RUNS")
            top.process.send_signal(number)
            self.assertEqual(top.code(), 0, number)
            self.assertIn(LEFT, top.seen)
            self.assertTrue(top.is_as_it_was(), number)
        gone = self.top()
        gone.until(b"RUNS")
        os.close(gone.own)
        gone.process.wait(PATIENCE)
        gone.own = os.open("/dev/null", os.O_RDONLY)  # for close()

    def test_is_drawn_anew_when_the_terminal_has_another_size(self):
        top = self.top(rows=24, columns=80)
        top.until(b"s canaryd's own tasks")
        top.size(8, 24)
        os.killpg(top.process.pid, signal.SIGWINCH)
        top.until(rb"\x1b\[8(;1H|d)")  # what was on the last of 24 rows
        top.size(1, 5)
        os.killpg(top.process.pid, signal.SIGWINCH)
        top.press(b"jjGgs")
        top.size(40, 132)
        os.killpg(top.process.pid, signal.SIGWINCH)
        top.until(b"s canaryd's own tasks")
        top.press(b"q")
        self.assertEqual(top.code(), 0)

    def test_scrolls_and_shows_its_own_tasks(self):
        top = self.top(rows=10)
        top.until(b"RUNS")
        top.press(b"s")
        top.until(b"> beat.timer")
        top.press(b"G")
        top.until(b"good")
        top.press(b"g")
        top.until(b"RUNS")
        top.press(b"q")
        self.assertEqual(top.code(), 0)

    def test_has_colours_unless_somebody_does_not_want_or_have_them(self):
        for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False),
                                      ({"TERM": "vt100"}, False)):
            top = self.top(**environment)
            top.until(b"RUNS")
            top.until(b"evil")
            top.press(b"q")
            self.assertEqual(top.code(), 0)
            self.assertEqual(bool(COLOUR.search(top.all)), coloured, environment)

    def test_shows_no_byte_that_a_terminal_obeys_or_that_it_cannot_show(self):
        top = self.top(columns=300, rows=50, LC_ALL="C")
        top.until(b"evil")
        top.until(b"window.evil")
        top.press(b"q")
        self.assertEqual(top.code(), 0)
        self.assertFalse([each for each in top.all if each > 0x7f])

    def test_says_why_there_is_nothing_to_show(self):
        plain = subprocess.run([PROGRAM, "top", "--config", self.canaryd.config],
                               capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE)
        self.assertEqual(plain.returncode, 1)
        self.assertIn(b"this is for a terminal", plain.stderr)
        unknown = self.top(TERM="no-such-terminal")
        self.assertEqual(unknown.code(), 1)
        self.assertIn(b"TERM=no-such-terminal is known", unknown.seen)
        nobody = Terminal("--state-directory", str(self.canaryd.path / "nothing"))
        self.addCleanup(nobody.close)
        self.assertEqual(nobody.code(), 3)
        self.assertIn(b"no canaryd", nobody.seen)
        odd = subprocess.run([PROGRAM, "top", "--every", "1ms"], capture_output=True,
                             timeout=PATIENCE)
        self.assertEqual(odd.returncode, 1)
        self.assertIn(b"--every: expected from 200ms to 1h", odd.stderr)

    def test_goes_on_while_canaryd_does_not_answer(self):
        with Canaryd(PROGRAM) as other:
            top = Terminal("--config", str(other.config), "--every", "200ms")
            self.addCleanup(top.close)
            top.until(b"RUNS")
            other.process.send_signal(signal.SIGSTOP)
            try:
                top.until(b"canaryd does not answer")
                top.press(b"q")
                self.assertEqual(top.code(), 0)
            finally:
                other.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
