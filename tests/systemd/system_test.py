#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The installed canaryd under a real systemd, which is PID 1 of its own namespaces.

Started, ready, a status worth reading, reloaded; then a handler hangs: a dump on disk that names
function and line, an abort by the watchdog's signal, a restart, and metrics that tell of the stall
and of how long canaryd was blind. Then the hung thread takes no signals, so that the dump helper has
to get at its registers from outside, under the unit's filters. Then SIGKILL in the midst of a
handler: log, metrics and a post-mortem tell what it was at. Then a configuration that is refused is not started again and again, and what dies at once is
tried again later.

Needs root and namespaces; exits 77 with the reason where they are missing. What is started ends with
the namespace's first process, which is ended by its process id.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60
UNIFIED = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")

CONFIG = """
state_directory: /var/lib/canaryd
web:
  listen_addresses: ["127.0.0.1:9732"]
watchdog:
  loop_stall: 1s
  loop_hung: 2s
  # Later than systemd's watchdog below: it is to be systemd's signal that ends the hang.
  loop_dead: 50s
scheduler:
  start_spread: 1s
defaults:
  interval: 1s
  timeout: 5s
probes:
  - name: releases
    tuf:
      metadata_url: http://127.0.0.1:8000/metadata
      targets_url: http://127.0.0.1:8000/targets
      root: /srv/repository/root.json
"""
# Only what a test needs: less waiting, and the way to hang. The rest is the unit as it is shipped.
DROP_IN = """
[Service]
WatchdogSec=6
Environment=LD_PRELOAD=/usr/lib/canaryd-test/hang.so CANARY_TEST_HANG_FILE=/run/canaryd/hang
"""
REPOSITORY = """
[Service]
ExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory /srv/repository 8000
"""


class Failed(Exception):
    pass


def say(text):
    print(f"{time.monotonic() - say.start:6.1f} s  {text}", flush=True)


say.start = time.monotonic()


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def eventually(what, condition, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Failed(f"not within {patience} s: {what}")
        time.sleep(0.1)


def requirements():
    if os.getuid() != 0:
        skip("needs root, to make namespaces and mount an overlay")
    for tool in ("unshare", "nsenter", "ip", "pivot_root", "curl", "cmake"):
        if not shutil.which(tool):
            skip(f"{tool} is not installed")
    if not pathlib.Path("/lib/systemd/systemd").exists():
        skip("systemd is not installed")
    probe = subprocess.run(["unshare", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid",
                            "--fork", "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        skip(f"namespaces are not permitted here: {probe.stderr.strip()}")
    for tree in UNIFIED:
        if pathlib.Path(tree, "cgroup.procs").exists() and os.access(tree, os.W_OK):
            return pathlib.Path(tree)
    skip("there is no cgroup2 tree that may be written")


def install(options, folder):
    """What a package would hold, and the test's own files, as they lie over the root."""
    root = folder / "install"
    done = subprocess.run(["cmake", "--install", options.build, "--component", "canaryd",
                           "--prefix", "/usr"], env={**os.environ, "DESTDIR": str(root)},
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"cmake --install: {done.stderr}")
    files = {"etc/canaryd/canaryd.yml": CONFIG,
             "etc/systemd/system/canaryd.service.d/test.conf": DROP_IN,
             "etc/systemd/system/repository.service": REPOSITORY}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "usr/lib/canaryd-test").mkdir(parents=True)
    shutil.copy(options.hang, root / "usr/lib/canaryd-test/hang.so")
    (root / "srv/repository").mkdir(parents=True)
    done = subprocess.run([options.repository, str(root / "srv/repository")], input="", text=True,
                          capture_output=True)
    if done.returncode != 0:
        raise Failed(f"story_repository: {done.stderr}")
    (root / "etc/canaryd/credentials").mkdir()
    (root / "etc/canaryd/credentials/authorization").write_text("Bearer of the test\n")
    # Folders of the root keep its modes, whatever the umask here.
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    (root / "etc/canaryd/credentials").chmod(0o700)


class Machine:
    def __init__(self, folder, cgroups, root="/"):
        self.cgroup = cgroups / f"canary-test-{os.getpid()}"
        self.cgroup.mkdir()
        self.log = open(folder / "boot.log", "w+")
        self.shell = subprocess.Popen(
            ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.cgroup),
             "unshare", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--pid", "--fork",
             "--kill-child", str(HERE / "boot.sh"), str(folder), str(root)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = eventually("systemd is PID 1 of its namespaces", self.first_process)

    def first_process(self):
        if self.shell.poll() is not None:
            self.log.seek(0)
            raise Failed(f"the namespaces could not be set up: {self.log.read()}")
        children = pathlib.Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children").read_text()
        for pid in children.split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return int(pid)
        return None

    def run(self, *command):
        return subprocess.run(["nsenter", "-t", str(self.pid), "-a", *command],
                              capture_output=True, text=True, timeout=PATIENCE)

    def show(self, name, unit="canaryd"):
        return self.run("systemctl", "show", "-p", name, "--value", unit).stdout.strip()

    def metrics(self):
        return self.run("curl", "-s", "--max-time", "2", "http://127.0.0.1:9732/metrics").stdout

    def metric(self, pattern):
        found = re.search(rf"^{pattern} (\S+)$", self.metrics(), re.M)
        return float(found[1]) if found else None

    def journal(self):
        return self.run("journalctl", "-o", "short-monotonic", "--no-pager", "-u", "canaryd",
                        "-u", "canaryd-backoff").stdout

    def stop(self):
        self.run("systemctl", "exit")
        try:
            self.shell.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.shell.kill()  # and with it, by --kill-child, the first process of the namespace
            self.shell.wait()
        for group in sorted(self.cgroup.rglob("*"), reverse=True):
            if group.is_dir():
                group.rmdir()
        self.cgroup.rmdir()


def starts_and_reloads(machine):
    eventually("canaryd is active", lambda: machine.show("ActiveState") == "active")
    say("active: READY=1 came")
    status = eventually("a status that tells of the probes",
                        lambda: re.search(r"1 of 1 probes", machine.show("StatusText")) and
                        machine.show("StatusText"))
    say(f"status: {status}")
    if machine.show("User") != "canaryd":
        raise Failed("canaryd does not run as its own user")
    eventually("the probe succeeds",
               lambda: machine.metric(r'canaryd_probe_success\{probe="releases"\}') == 1)
    pid = machine.show("MainPID")
    secret = machine.run(
        "cat", f"/proc/{pid}/root/run/credentials/canaryd.service/authorization").stdout
    if secret != "Bearer of the test\n":
        raise Failed(f"the credential was not loaded: {secret!r}")
    if machine.metric("canaryd_last_exit_unclean") != 0:
        raise Failed("the first start says that one before it did not end cleanly")

    loaded = machine.metric("canaryd_config_last_reload_success_timestamp_seconds")
    done = machine.run("systemctl", "reload", "canaryd")
    if done.returncode != 0:
        raise Failed(f"systemctl reload: {done.stderr}")
    eventually("the configuration was loaded again", lambda: machine.metric(
        "canaryd_config_last_reload_success_timestamp_seconds") > loaded)
    if machine.show("MainPID") != pid or machine.show("ActiveState") != "active":
        raise Failed("a reload restarted canaryd")
    say("reloaded, same process")


def hang(machine, how=""):
    machine.run("sh", "-c", f"printf '{how}' > /run/canaryd/bait; chown canaryd: /run/canaryd/bait; "
                            "mv /run/canaryd/bait /run/canaryd/hang")
    eventually("the loop took the bait",
               lambda: machine.run("test", "-e", "/run/canaryd/hang").returncode == 1)
    say(f"a handler hangs{', and takes no signals' if how else ''}")


def dumps(machine, name):
    return machine.run("sh", "-c", f"cat /var/lib/canaryd/dumps/{name} 2>/dev/null").stdout


def names_function_and_line(dump):
    """The culprit's native frame, and the innermost of canaryd's own."""
    return (re.search(r"hang_for_ever\(?\)?  +tests/story/hang_on_connect\.cc:\d+", dump) and
            re.search(r"^  at +[a-z_/]+\.(cc|h):\d+  +\w+", dump, re.M))


def hangs_and_comes_back(machine):
    pid = machine.show("MainPID")
    if machine.show("NFileDescriptorStore") != "1":
        raise Failed(f"{machine.show('NFileDescriptorStore')} descriptors in the store, expected 1")
    hang(machine)
    eventually("/metrics says so", lambda: machine.metric("canaryd_executor_stalled") == 1)
    say("/metrics answers and says so")
    dump = eventually("a dump on disk", lambda: machine.run(
        "sh", "-c", "ls /var/lib/canaryd/dumps/*.txt 2>/dev/null").stdout.split())
    say(f"on disk: {dump[0]}")
    eventually("the dump names the culprit's function and line",
               lambda: names_function_and_line(dumps(machine, "*-loop.txt")))
    if machine.show("MainPID") != pid:
        raise Failed("the process ended before its dump was on disk")

    eventually("systemd restarted canaryd", lambda: machine.show("NRestarts") == "1")
    eventually("it is active again", lambda: machine.show("ActiveState") == "active")
    journal = machine.journal()
    for line in (r"Watchdog timeout \(limit 6s\)!", r"Main process exited, .*status=6/ABRT"):
        if not re.search(line, journal):
            raise Failed(f"the journal has no line {line}:\n{journal[-3000:]}")
    grave = machine.run("journalctl", "-o", "cat", "--no-pager", "-u", "canaryd", "-p",
                        "warning").stdout
    if "level=error" not in grave or "level=info" in grave or "<3>" in grave:
        raise Failed(f"journalctl -p warning does not show what went wrong, and that alone:\n"
                     f"{grave[-3000:]}")
    say("aborted by the watchdog's signal, restarted")

    eventually("/metrics tells that the last one did not end cleanly",
               lambda: machine.metric("canaryd_last_exit_unclean") == 1)
    blind = machine.metric("canaryd_last_blind_seconds")
    # From when the loop stopped turning, which was at least WatchdogSec before the end.
    if not blind or not 5 < blind < PATIENCE:
        raise Failed(f"canaryd_last_blind_seconds is {blind}")
    stall = machine.metric(r'canaryd_last_stall_timestamp_seconds\{subject="loop",[^}]*\}')
    if not stall or not 0 < time.time() - stall < PATIENCE:
        raise Failed(f"the last stall's time is {stall}, and it is {time.time()}")
    say(f"the new one tells of the stall, and of {blind:.1f} s without watching")
    eventually("/metrics tells that it was aborted, in whose handler", lambda: machine.metric(
        r'canaryd_previous_run_info\{end="aborted",probe="releases",site="[^"]+\.(?:cc|h):\d+"\}'))
    eventually("the probe succeeds again",
               lambda: machine.metric(r'canaryd_probe_success\{probe="releases"\}') == 1)


def helper_reaches_a_deaf_thread(machine):
    """No handler of a signal runs on it: the helper needs ptrace and the thread's memory."""
    machine.run("sh", "-c", "rm -f /var/lib/canaryd/dumps/* /run/canaryd/dumps/stall*")
    restarts = int(machine.show("NRestarts"))
    hang(machine, "deaf")
    dump = eventually("a dump with the deaf thread's registers",
                      lambda: "registers taken from outside" in dumps(machine, "*-loop.txt") and
                      dumps(machine, "*-loop.txt"))
    if not names_function_and_line(dump):
        raise Failed(f"the dump does not name the culprit's function and line:\n{dump[:4000]}")
    found = re.search(r"^  at .*", dump, re.M)[0].split()
    say(f"the helper got at it from outside: {' '.join(found)}")
    machine.run("kill", "-KILL", machine.show("MainPID"))
    eventually("systemd restarted canaryd",
               lambda: int(machine.show("NRestarts")) == restarts + 1)
    eventually("the probe succeeds again",
               lambda: machine.metric(r'canaryd_probe_success\{probe="releases"\}') == 1)


def is_killed_and_tells(machine):
    restarts = int(machine.show("NRestarts"))
    pid = machine.show("MainPID")
    hang(machine)
    machine.run("kill", "-KILL", pid)
    eventually("systemd restarted canaryd",
               lambda: int(machine.show("NRestarts")) == restarts + 1)
    say("killed in the midst of a handler, restarted")
    eventually("/metrics tells that it was killed, in whose handler", lambda: machine.metric(
        r'canaryd_previous_run_info\{end="killed",probe="releases",site="[^"]+\.(?:cc|h):\d+"\}'))
    ended = machine.metric("canaryd_previous_run_end_timestamp_seconds")
    if not ended or not 0 < time.time() - ended < PATIENCE:
        raise Failed(f"the end's time is {ended}, and it is {time.time()}")
    line = eventually("the log tells what it was at", lambda: re.search(
        rf"the process before did not end in order.* process={pid} .*", machine.journal()))[0]
    for part in (r"loop=\"ran .+ for .+, of releases", r"runs=1", r"going_on=releases",
                 rf"post_mortem=/var/lib/canaryd/dumps/post-mortem-{pid}.txt"):
        if not re.search(part, line):
            raise Failed(f"no {part} in the log's line: {line}")
    text = eventually("the post-mortem", lambda: dumps(machine, f"post-mortem-{pid}.txt"))
    for part in (f"process {pid} had ended; a handler had run for", "releases > ",
                 "ITS HANDLER RUNS NOW"):
        if part not in text:
            raise Failed(f"no {part!r} in the post-mortem:\n{text}")
    status = machine.run("canaryd", "status").stdout
    if f"post-mortem-{pid}.txt" not in status:
        raise Failed(f"canaryd status does not tell: {status}")
    say("log, metrics, status and a post-mortem tell what it was at: " +
        re.search(r'loop="[^"]*"', line)[0])
    if machine.show("NFileDescriptorStore") != "1":
        raise Failed(f"the store has grown to {machine.show('NFileDescriptorStore')}")
    eventually("the probe succeeds again",
               lambda: machine.metric(r'canaryd_probe_success\{probe="releases"\}') == 1)


def stops(machine):
    machine.run("rm", "/etc/canaryd/credentials/authorization")
    machine.run("systemctl", "stop", "canaryd")
    if (machine.show("Result"), machine.show("ExecMainStatus")) != ("success", "0"):
        raise Failed(f"a stop ended with {machine.show('Result')}\n{machine.journal()[-2000:]}")
    machine.run("systemctl", "start", "canaryd")
    eventually("/metrics tells of a clean end",
               lambda: machine.metric("canaryd_last_exit_unclean") == 0)
    if "canaryd_previous_run_info" in machine.metrics():
        raise Failed("something was kept over a stop")
    say("stopped, and started without the secret: clean")
    machine.run("systemctl", "restart", "canaryd")
    eventually("a restart is an end in order", lambda: machine.metric(
        r'canaryd_previous_run_info\{end="orderly",probe="",site=""\}'))
    say("restarted by hand: an end in order")


def answers_whoever_waits_on_its_socket(machine):
    def scrape():
        return machine.run("curl", "-s", "--max-time", "30", "-o", "/dev/null", "-w", "%{http_code}",
                           "http://127.0.0.1:9732/metrics").stdout

    machine.run("systemctl", "stop", "canaryd")
    machine.run("sh", "-c", """echo 'ARGS="--web.systemd-socket"' > /etc/default/canaryd""")
    done = machine.run("systemctl", "enable", "canaryd.socket")
    if done.returncode != 0:
        raise Failed(f"systemctl enable canaryd.socket: {done.stderr}")
    machine.run("systemctl", "start", "canaryd")  # which brings the socket with it
    if machine.show("ActiveState", "canaryd.socket") != "active" or scrape() != "200":
        raise Failed(f"no answer on the socket: {machine.journal()[-3000:]}")
    pid = machine.show("MainPID")
    machine.run("kill", "-KILL", pid)
    eventually("it is gone", lambda: machine.run("test", "-e", f"/proc/{pid}").returncode == 1)
    if scrape() != "200":
        raise Failed(f"a scrape was lost over a kill: {machine.journal()[-3000:]}")
    machine.run("systemctl", "stop", "canaryd")
    if scrape() != "200" or machine.show("ActiveState") != "active":
        raise Failed("who connects starts no canaryd")
    machine.run("systemctl", "disable", "canaryd.socket")
    machine.run("systemctl", "stop", "canaryd.socket", "canaryd")
    machine.run("sh", "-c", "echo 'ARGS=' > /etc/default/canaryd")
    machine.run("systemctl", "start", "canaryd")
    eventually("it listens by itself again", lambda: scrape() == "200")
    say("canaryd.socket: killed or stopped, whoever connects meanwhile is answered")


def gives_up_only_where_it_must(machine):
    machine.run("systemctl", "stop", "canaryd")
    machine.run("sh", "-c", "echo 'nonsense: yes' >> /etc/canaryd/canaryd.yml")
    machine.run("systemctl", "start", "canaryd")
    eventually("a refused configuration fails", lambda: machine.show("ActiveState") == "failed")
    if machine.show("ExecMainStatus") != "78":
        raise Failed(f"status {machine.show('ExecMainStatus')}, expected 78")
    eventually("the backoff was skipped", lambda: machine.show(
        "ConditionResult", "canaryd-backoff") and machine.show(
            "ActiveState", "canaryd-backoff") == "inactive")
    say("a refused configuration is left alone")

    # A program that dies at once: eight starts, then a pause, not silence.
    machine.run("sh", "-c", "mkdir -p /run/systemd/system/canaryd.service.d; printf "
                "'[Service]\\nExecStart=\\nExecStart=/bin/false\\n' "
                "> /run/systemd/system/canaryd.service.d/zz.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "reset-failed", "canaryd")
    machine.run("systemctl", "start", "--no-block", "canaryd")
    eventually("what fails at once is tried again later", lambda: machine.show(
        "ActiveState", "canaryd-backoff") == "activating")
    restarts = int(machine.show("NRestarts"))
    if not 5 <= restarts <= 8:
        raise Failed(f"{restarts} restarts before the pause")
    say(f"after {restarts} restarts there is a pause, not silence")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("build", "repository", "hang"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    cgroups = requirements()
    with tempfile.TemporaryDirectory(prefix="canary-systemd-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        machine = None
        try:
            install(options, folder)
            machine = Machine(folder, cgroups)
            for part in (starts_and_reloads, hangs_and_comes_back, helper_reaches_a_deaf_thread,
                         is_killed_and_tells, stops, answers_whoever_waits_on_its_socket,
                         gives_up_only_where_it_must):
                part(machine)
        except Failed as failed:
            say(f"FAILED: {failed}")
            if machine:
                print(machine.run("systemctl", "status", "--no-pager", "canaryd").stdout,
                      machine.journal()[-6000:])
            return 1
        finally:
            if machine:
                machine.stop()
    say("all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
