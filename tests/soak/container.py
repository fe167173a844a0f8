#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A container that gets little: PID 1 and nobody's root, a read-only root, no ::1, no
RUNTIME_DIRECTORY, a twentieth of a processor, 64 MiB. Runs of three repositories at a short interval,
all of them well and canaryd healthy all the time; then its loop hangs: with on_dead exec the same
process begins anew, with abort the container ends by SIGABRT.

    tests/soak/container.py [RUNS]      1440 unless told
    tests/soak/container.py --short     24, and one hang, under small limits

Needs root, namespaces and the controllers cpu and memory; exits 77 with the reason without them.
"""
import os
import pathlib
import re
import shutil
import struct
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/systemd"))
from container_test import Container, install, instructions  # noqa: E402
from system_test import Failed, eventually, say, skip  # noqa: E402

BUILD = pathlib.Path(os.environ.get("CANARY_BUILD", PROJECT / "build/release")).resolve()
SHIM = "/usr/lib/canaryd-shim.so"
CPU, MEMORY = 5, 64 << 20  # percent of one processor, bytes
PROBES = 3
WITHOUT_IPV6 = """
for each in all lo; do
  [ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/$each/disable_ipv6
done
"""


class Group:
    """Limits for whoever enters; version 1 or 2 of control groups."""

    def __init__(self, name):
        self.folders = []
        base, name = pathlib.Path("/sys/fs/cgroup"), f"canaryd-container-{os.getpid()}-{name}"
        v2 = (base / "cgroup.controllers").exists()
        wanted = ([(base / name, {"cpu.max": f"{CPU * 1000} 100000", "memory.max": MEMORY})] if v2
                  else [(base / "cpu" / name, {"cpu.cfs_period_us": 100000,
                                               "cpu.cfs_quota_us": CPU * 1000}),
                        (base / "memory" / name, {"memory.limit_in_bytes": MEMORY})])
        try:
            if v2:
                (base / "cgroup.subtree_control").write_text("+cpu +memory")
            for folder, files in wanted:
                folder.mkdir()
                self.folders.append(folder)
                for file, value in files.items():
                    (folder / file).write_text(str(value))
        except OSError as error:
            self.remove()
            skip(f"no control group can be made: {error}")

    def enter(self):
        """For a shell."""
        return "\n".join(f"echo $$ >{folder}/cgroup.procs" for folder in self.folders)

    def most_memory(self):
        for folder in self.folders:
            for name in ("memory.max_usage_in_bytes", "memory.peak"):
                if (folder / name).exists():
                    return int((folder / name).read_text()) / 2**20
        return 0

    def remove(self):
        for folder in self.folders:
            for name, free in (("cpu.cfs_quota_us", "-1"), ("cpu.max", "max")):
                if (folder / name).exists():
                    (folder / name).write_text(free)  # what ends there does so soon
            for _ in range(100):
                try:
                    folder.rmdir()
                    break
                except OSError:
                    time.sleep(0.1)  # the last process is still ending


class Hands:
    """The shim's file, as in tests/faults/shim_control.h: a process, then 120 bytes a call."""

    def __init__(self, file):
        self.file, self.header = file, (PROJECT / "tests/faults/shim_control.h").read_text()
        file.write_bytes(bytes(8192))
        file.chmod(0o666)

    def number(self, kind, name):
        body = re.search(rf"enum class {kind} : [^{{]*{{(.*?)}};", self.header, re.S)[1]
        names = re.findall(r"^ +(\w+)(?: = 0)?,", body, re.M)
        return names.index(name)

    def hang_the_loop(self):
        """Once: after that whoever calls free() goes on."""
        slot = 8 + 120 * self.number("Call", "free_memory")
        with open(self.file, "r+b") as file:
            for at, value in ((0, struct.pack("i", 1)), (slot + 24, struct.pack("q", 1)),
                              (slot + 40, b"loop\0"),
                              (slot, struct.pack("i", self.number("Misdeed", "hang")))):
                file.seek(at)
                file.write(value)
                file.flush()


def configuration(folder, on_dead, short):
    limits = ("loop_suspect: 500ms, loop_stall: 1s, loop_hung: 3s, loop_dead: 5s, "
              if short else "")
    lines = ["state_directory: /var/lib/canaryd",
             f"watchdog: {{{limits}on_dead: {on_dead}}}",
             "scheduler: {start_spread: 0s}",
             "defaults: {interval: 1s, timeout: 30s}",
             "probes:"]
    for i in range(PROBES):
        where = f"/var/lib/canaryd/repositories/{i}"
        lines.append(f"  - {{name: probe-{i}, tuf: {{metadata_url: 'file://{where}/metadata', "
                     f"root: '{where}/metadata/1.root.json', targets: all}}}}")
    return "\n".join(lines) + "\n"


class Trial:
    def __init__(self, folder, over, on_dead, short):
        self.folder = folder / on_dead
        self.folder.mkdir()
        self.folder.chmod(0o755)
        (over / "etc/canaryd").mkdir(parents=True, exist_ok=True)
        (over / "etc/canaryd/canaryd.yml").write_text(configuration(folder, on_dead, short))
        volume = self.folder / "volume"
        volume.mkdir()
        shutil.copytree(folder / "repositories", volume / "repositories")
        self.hands = Hands(volume / "shim")
        lines = instructions()
        lines["ENTRYPOINT"] = ["/usr/bin/env", "-u", "RUNTIME_DIRECTORY", f"LD_PRELOAD={SHIM}",
                               "CANARY_SHIM=/var/lib/canaryd/shim", *lines["ENTRYPOINT"]]
        (self.folder / "root").mkdir()
        self.group = Group(on_dead)
        self.container = Container(self.folder / "root", over, self.folder, lines,
                                   last=WITHOUT_IPV6 + self.group.enter())
        self.health = lines["HEALTHCHECK"]

    def get(self, path):
        done = self.container.run("curl", "-s", "-m", "20", "-w", "\n%{http_code}",
                                  f"http://127.0.0.1:9732{path}")
        body, _, status = done.stdout.rpartition("\n")
        return int(status or 0), body

    def series(self, name, page=None):
        page = page if page is not None else self.get("/metrics")[1]
        return sum(float(line.rsplit(" ", 1)[1]) for line in page.splitlines()
                   if line.startswith((name + "{", name + " ")))

    def fail(self, what):
        raise Failed(what)

    def is_healthy(self):
        return self.get("/-/healthy")[0] == 200

    def runs(self, wanted):
        eventually("it is healthy", self.is_healthy, 120)
        began, looks = time.monotonic(), 0
        while True:
            status, body = self.get("/-/healthy")
            if status != 200:
                self.fail(f"/-/healthy: {status} {body}")
            if looks % 10 == 0 and self.container.run(*self.health).returncode != 0:
                self.fail("the health check fails")
            page = self.get("/metrics")[1]
            done = self.series("canaryd_probe_runs_total", page)
            accused = [line for line in page.splitlines() if not line.endswith(" 0")
                       and line.startswith("canaryd_stalls_total") and "suspect" not in line]
            if self.series("canaryd_probe_failures_total", page) or accused:
                self.fail(f"failed or accused: {accused}")
            if done >= wanted:
                break
            if time.monotonic() - began > 60 + 10 * wanted:
                self.fail(f"only {done:.0f} runs")
            looks += 1
            time.sleep(1)
        if "RUNTIME_DIRECTORY" in self.environment() or self.get_pid_in_it() != "1":
            self.fail("it is not what is to be tried")
        say(f"{done:.0f} runs in {time.monotonic() - began:.0f} s, all well, healthy at each of "
            f"{looks + 1} looks; {self.group.most_memory():.0f} MiB at most")

    def environment(self):
        return pathlib.Path(f"/proc/{self.container.pid}/environ").read_text()

    def get_pid_in_it(self):
        status = pathlib.Path(f"/proc/{self.container.pid}/status").read_text()
        return re.search(r"^NSpid:.*\t(\d+)$", status, re.M)[1]

    def hangs_and_begins_anew(self):
        began = time.monotonic()
        self.hands.hang_the_loop()
        eventually("it is not alive", lambda: self.get("/-/live")[0] in (503, 0), 300)
        told = time.monotonic() - began
        eventually("it begins anew", lambda: self.container.text().count("msg=starting ") == 2, 300)
        ended = time.monotonic() - began
        eventually("it is healthy again", self.is_healthy, 120)
        if self.series("canaryd_last_exit_unclean") != 1:
            self.fail("it does not tell of its end")
        if self.get_pid_in_it() != "1" or self.container.shell.poll() is not None:
            self.fail("it is another process")
        say(f"hung: not alive after {told:.0f} s, exec after {ended:.0f} s, healthy after "
            f"{time.monotonic() - began:.0f} s, the same PID 1")

    def hangs_and_ends(self):
        began = time.monotonic()
        self.hands.hang_the_loop()
        code = self.container.shell.wait(timeout=300)
        if code != 128 + 6:
            self.fail(f"the container ends with {code}")
        if not list((self.folder / "volume/dumps").glob("*.raw")) and not list(
                (self.folder / "volume").rglob("stall-*-loop*")):
            self.fail("it left no dump")
        say(f"hung: the container ended with {code} after {time.monotonic() - began:.0f} s, "
            "with a dump")

    def end(self):
        self.container.end()
        self.group.remove()


def main():
    short = "--short" in sys.argv
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    wanted = 24 if short else (numbers or [1440])[0]
    if os.getuid() != 0:
        skip("needs root, to make namespaces and control groups")
    for tool in ("unshare", "nsenter", "setpriv", "systemd-sysusers", "ip", "curl"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if os.system("unshare --mount --net --pid --fork true") != 0:
        skip("namespaces are not permitted here")
    with tempfile.TemporaryDirectory(prefix="canary-container-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        over = install(str(BUILD), folder)
        shutil.copy(next(BUILD.rglob("libfault_shim.so")), over / SHIM[1:])
        os.system(f"{BUILD}/bench_repository {folder}/repositories small:{PROBES}")
        for path in (folder / "repositories").rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        for on_dead in ("abort",) if short else ("exec", "abort"):
            trial = Trial(folder, over, on_dead, short)
            try:
                trial.runs(wanted if on_dead == "exec" or short else 50)
                if on_dead == "exec":
                    trial.hangs_and_begins_anew()
                else:
                    trial.hangs_and_ends()
            except Failed as failed:
                say(f"FAILED: {failed}\n{trial.container.text()[-6000:]}")
                return 1
            finally:
                trial.end()
    say("all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
