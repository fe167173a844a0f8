#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The container of systemd/container/Dockerfile, without an engine: what its lines say is done by
namespaces. canaryd is PID 1 and nobody's root, the root file system is read-only, only the volume
can be written; the health check is run as an engine runs it, then the stop signal. Then what
docs/howto.md has typed, each `docker` of it by the same means (engine.py).

The root is this machine's with the installed files over it, or, with --root, a folder that has the
package installed. Needs root and namespaces; exits 77 with the reason where they are missing.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from engine import Engine, PROJECT, commands, instructions
from system_test import Failed, eventually, say, skip
from walkthrough import first_line_missing, steps

# What an engine does between a container's file system and its first process.
ENTER = """
set -eu
mount --make-rprivate /
if [ -n "$OVER" ]; then
  mount -t tmpfs tmpfs "$ROOT"
  cp -a "$OVER" "$ROOT/over"
  mkdir "$ROOT/root"
  mount -t overlay overlay -o "ro,lowerdir=$ROOT/over:/" "$ROOT/root"
  ROOT=$ROOT/root
else
  mount --bind "$ROOT" "$ROOT"
  mount -o remount,bind,ro "$ROOT"
fi
mount -t proc proc "$ROOT/proc"
mount -t tmpfs -o size=64k,mode=755 tmpfs "$ROOT/dev"
for device in null zero full random urandom; do
  touch "$ROOT/dev/$device"; mount --bind "/dev/$device" "$ROOT/dev/$device"
done
mount -o remount,ro "$ROOT/dev"
mount --bind "$VOLUME" "$ROOT$MOUNTED"
ip link set lo up
eval "$LAST"
exec chroot "$ROOT" /usr/bin/setpriv --reuid "$USER" --regid "$USER" --clear-groups \\
  --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
"""


def install(build, folder):
    """The package's files and user, as they lie over this machine's root."""
    over = folder / "over"
    done = subprocess.run(["cmake", "--install", build, "--component", "canaryd", "--prefix",
                           "/usr"], env={**os.environ, "DESTDIR": str(over)},
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"cmake --install: {done.stderr}")
    for name in ("passwd", "group", "shadow", "gshadow"):
        shutil.copy(f"/etc/{name}", over / "etc")
    subprocess.run(["systemd-sysusers", f"--root={over}", "canaryd.conf"], check=True,
                   capture_output=True)
    (over / "var/lib/canaryd").mkdir(parents=True)
    for path in [over, *over.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    return over


class Container:
    def __init__(self, root, over, folder, lines, last=""):
        """`last` is what the shell within does before it becomes canaryd."""
        volume = folder / "volume"
        volume.mkdir(exist_ok=True)
        user = next(line.split(":") for line in ((over or root) / "etc/passwd").read_text().splitlines()
                    if line.startswith(lines["USER"] + ":"))
        os.chown(volume, int(user[2]), int(user[3]))
        self.log = open(folder / "log", "w+")
        self.shell = subprocess.Popen(
            ["unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child",
             "sh", "-c", ENTER, "sh", *lines["ENTRYPOINT"], *lines["CMD"]],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": str(root), "USER": user[2],
                 "OVER": str(over or ""), "LAST": last,
                 "VOLUME": str(volume), "MOUNTED": lines["VOLUME"]},
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.user = user[2]
        self.pid = self.shell.pid
        self.pid = eventually("canaryd is the first process", self.first_process)

    def first_process(self):
        if self.shell.poll() is not None:
            raise Failed(f"it ended with {self.shell.returncode}: {self.text()}")
        children = pathlib.Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children").read_text()
        return next((int(pid) for pid in children.split()
                     if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "canaryd"), None)

    def text(self):
        return pathlib.Path(self.log.name).read_text()

    def run(self, *command):
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-n", "-p", "-r", "-S",
                               self.user, "-G", self.user, *command], capture_output=True,
                              text=True, timeout=30)

    def end(self):
        if self.shell.poll() is None:
            os.kill(self.pid, signal.SIGKILL)  # its user changed: it outlives who waits for it
            self.shell.wait()


def lives_and_stops(container, lines):
    health = lambda: container.run(*lines["HEALTHCHECK"])
    eventually("the health check is content", lambda: health().returncode == 0)
    status = pathlib.Path(f"/proc/{container.pid}/status").read_text()
    if re.search(r"^NSpid:.*\t(\d+)$", status, re.M)[1] != "1":
        raise Failed("it is not PID 1")
    if re.search(r"^Uid:\t(\d+)", status, re.M)[1] == "0" or "CapEff:\t0000000000000000" not in status:
        raise Failed(f"it has too many rights: {status}")
    if container.run("touch", "/etc/canaryd/x").returncode == 0:
        raise Failed("its root can be written")
    if "cannot write" in container.text():
        raise Failed(f"something cannot be written: {container.text()}")
    say("PID 1, nobody's root, a read-only root: the health check is content")

    dump = container.run("canaryd", "dump")
    if dump.returncode != 0 or "THREADS" not in dump.stdout:
        raise Failed(f"canaryd dump: {dump.stdout[:500]}{dump.stderr}")
    os.kill(container.pid, getattr(signal, lines["STOPSIGNAL"]))
    if container.shell.wait(timeout=30) != 0 or "msg=stopped clean=true" not in container.text():
        raise Failed(f"the stop signal: {container.shell.returncode}, {container.text()}")
    say("a dump from within, and a clean end at the stop signal")


def does_what_the_manual_says(page, heading, start, folder):
    """The section's blocks, of which each is of an engine's commands or of others."""
    engine = Engine(folder, start)
    todo = [step for step in steps(page) if step.heading == heading]
    if not any(commands(step.typed) for step in todo):
        raise Failed(f"{page.name} runs nothing under '{heading}'")
    for step in todo:
        if commands(step.typed):
            shown = "".join(engine.do(words) for words in commands(step.typed))
        else:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", step.typed], cwd=folder,
                                  capture_output=True, text=True)
            shown = done.stdout + done.stderr
            if done.returncode != 0:
                raise Failed(f"this fails:\n{step.typed}It said: {shown}")
        missing = first_line_missing(step.shown, shown)
        if missing is not None:
            raise Failed(f"{page.name}:\n{step.typed}is said to show\n{missing}\nand shows\n{shown}")
        say(f"{step.typed.splitlines()[0][:70]}{' (shows what it says)' if step.shown else ''}")
    # Where else the image is built and run, it is so.
    for other in (PROJECT / "docs/install.md", PROJECT / "systemd/container/Dockerfile"):
        build, run = commands(other.read_text())
        engine.build(build[1:])
        engine.asked(run[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build")
    parser.add_argument("--root")
    options = parser.parse_args()
    if os.getuid() != 0:
        skip("needs root, to make namespaces")
    for tool in ("unshare", "nsenter", "setpriv", "systemd-sysusers", "ip"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "true"]).returncode != 0:
        skip("namespaces are not permitted here")
    lines = instructions()
    with tempfile.TemporaryDirectory(prefix="canary-container-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        container = None
        try:
            over = None if options.root else install(options.build, folder)
            root = pathlib.Path(options.root or folder / "root")
            root.mkdir(exist_ok=True)
            container = Container(root, over, folder, lines)
            lives_and_stops(container, lines)

            def start(lines, mounts):
                nonlocal container
                last = "".join(f'mount --bind "{source}" "$ROOT{to}"; mount -o remount,bind,ro "$ROOT{to}";'
                               for to, source in mounts.items())
                container = Container(root, over, folder, lines, last)
                return container
            does_what_the_manual_says(PROJECT / "docs/howto.md", "In a container", start, folder)
        except Failed as failed:
            say(f"FAILED: {failed}")
            return 1
        finally:
            if container:
                container.end()
    say("all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
