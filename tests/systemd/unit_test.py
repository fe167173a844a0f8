#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The units, by systemd's own tools: nothing to complain of, and as closed as promised.

usage: unit_test.py verify|security|sysusers|tmpfiles|settings UNITS_FOLDER
Exits 77 where a tool is missing.
"""
import configparser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXPOSURE = 1.5  # at most, of 10
# What the daemon's own design rests on; a unit without one of these would still start.
REQUIRED = {
    "Type": "notify", "NotifyAccess": "main", "WatchdogSec": "45", "WatchdogSignal": "SIGABRT",
    "Restart": "always", "RestartSec": "1", "RestartPreventExitStatus": "78",
    "ExecStart": "/usr/bin/canaryd run --config /etc/canaryd/canaryd.yml $ARGS",
    "StateDirectory": "canaryd", "RuntimeDirectory": "canaryd",
    "RuntimeDirectoryPreserve": "restart", "LimitCORE": "infinity",
    "FileDescriptorStoreMax": "2",
}
# The dump helper needs these; a tighter unit would silently lose stacks.
FORBIDDEN = {"ProcSubset": "pid", "LimitMEMLOCK": "0"}


def need(tool):
    if not shutil.which(tool):
        print(f"skipped: {tool} is not installed")
        sys.exit(77)


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def fail(*lines):
    print(*lines, sep="\n")
    sys.exit(1)


def verify(units):
    """`verify` returns 0 on an unknown key: it is silent only when all is well."""
    need("systemd-analyze")
    with tempfile.TemporaryDirectory() as folder:
        for unit in [*units.glob("*.service"), *units.glob("*.socket")]:
            # Need not be installed here, but must be a program.
            text = unit.read_text().replace("/usr/bin/canaryd ", "/bin/true ")
            if unit.name == "canaryd@.socket":  # as its comment says
                text = text.replace("\n[Socket]\n", "\n[Socket]\nListenStream=127.0.0.1:9733\n")
            (pathlib.Path(folder) / unit.name).write_text(text)
        names = sorted(str(path) for path in pathlib.Path(folder).iterdir())
        done = run("systemd-analyze", "verify", "--man=no", *names)
        if done.returncode != 0 or done.stderr or done.stdout:
            fail(f"systemd-analyze verify: status {done.returncode}", done.stdout, done.stderr)
        # This test can fail: a key that nobody knows is complained of.
        bad = pathlib.Path(names[0])
        bad.write_text(bad.read_text().replace("[Service]", "[Service]\nNoSuchKey=yes"))
        if "NoSuchKey" not in run("systemd-analyze", "verify", "--man=no", str(bad)).stderr:
            fail("systemd-analyze verify did not notice an unknown key")


def security(units):
    need("systemd-analyze")
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short",
               str(units / "canaryd.service"))
    if done.returncode != 0:
        fail(f"systemd-analyze security: status {done.returncode}", done.stderr)
    open_doors = [row for row in json.loads(done.stdout) if not row["set"]]
    text = run("systemd-analyze", "security", "--offline=true", "--no-pager",
               str(units / "canaryd.service")).stdout
    line = next(line for line in text.splitlines() if "Overall exposure level" in line)
    level = float(line.split(":")[1].split()[0])
    print(line.strip())
    if level > EXPOSURE:
        fail(f"exposure {level} is over {EXPOSURE}",
             *(f"  {row['name']}: {row['description']}" for row in open_doors))


def sysusers(units):
    need("systemd-sysusers")
    with tempfile.TemporaryDirectory() as root:
        (pathlib.Path(root) / "etc").mkdir()
        done = run("systemd-sysusers", f"--root={root}", str(units / "canaryd.sysusers"))
        if done.returncode != 0:
            fail("systemd-sysusers:", done.stderr)
        entry = next((line.split(":") for line in
                      (pathlib.Path(root) / "etc/passwd").read_text().splitlines()
                      if line.startswith("canaryd:")), None)
        if entry is None:
            fail("no user canaryd was made")
        if entry[5] != "/var/lib/canaryd" or not entry[6].endswith("nologin"):
            fail(f"canaryd's home or shell is wrong: {entry}")


def tmpfiles(units):
    need("systemd-tmpfiles")
    if os.getuid() != 0:
        print("skipped: making folders of another user needs root")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as root:
        (pathlib.Path(root) / "etc").mkdir()
        run("systemd-sysusers", f"--root={root}", str(units / "canaryd.sysusers"))
        done = run("systemd-tmpfiles", f"--root={root}", "--create", str(units / "canaryd.tmpfiles"))
        if done.returncode != 0 or done.stderr:
            fail("systemd-tmpfiles:", done.stderr)
        mode = (pathlib.Path(root) / "etc/canaryd/conf.d").stat().st_mode & 0o777
        if mode != 0o750:
            fail(f"conf.d has mode {mode:o}, not 750")


def settings(units):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(units / "canaryd.service")
    found = {key: value for section in parser.sections() for key, value in parser[section].items()}
    wrong = [f"{key} is {found.get(key)!r}, not {value!r}"
             for key, value in REQUIRED.items() if found.get(key) != value]
    wrong += [f"{key}={value} takes away what the watchdog needs"
              for key, value in FORBIDDEN.items() if found.get(key) == value]
    if "SendSIGKILL" in found:
        wrong.append("SendSIGKILL: a hung canaryd would never end")
    if wrong:
        fail(*wrong)


if __name__ == "__main__":
    tests = {test.__name__: test for test in (verify, security, sysusers, tmpfiles, settings)}
    tests[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve())
