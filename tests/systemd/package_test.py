#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian package from its build to its purge, under a real systemd.

Two builds give the same bytes, and lintian has nothing to say. Installed over what 0.1's
`cmake --install` left, and purged: nothing is lost or left. Installed anew it starts without a probe
and says what to do. Then as an operator does it: a probe, a reload that is good and one that
is refused, an edited configuration over an upgrade, an upgrade whose program would refuse it, a
downgrade, two instances, a hang, a restart, removal, purge. tutorial_test.py begins on a bare system.

Needs root and namespaces; exits 77 with the reason where they are missing.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import instances
import system_test
from system_test import Failed, Machine, eventually, say

HERE = pathlib.Path(__file__).resolve().parent
LEFT_BY_0_1 = (HERE / "left_by_0.1.txt").read_text().split()
MAIN = "/etc/canaryd/canaryd.yml"
EDITED = "# Edited by its administrator.\n"
PROBE = """
probes:
  - name: releases
    interval: 1s
    timeout: 5s
    tuf:
      metadata_url: http://127.0.0.1:8000/metadata
      targets_url: http://127.0.0.1:8000/targets
      root: /etc/canaryd/roots/releases.root.json
"""
BEFORE = f"""
state_directory: /var/lib/canaryd
web: {{listen_addresses: ["127.0.0.1:9732"]}}
{PROBE}"""
DROP_IN = system_test.DROP_IN


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def pack(build, folder, umask=0o022):
    run("cpack", "-G", "DEB", "-B", str(folder), "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip",
        cwd=build, env={**os.environ, "SOURCE_DATE_EPOCH": "1795000000"}, umask=umask)
    return next(folder.glob("*.deb"))


def tar_of(deb, part):
    return subprocess.run(["dpkg-deb", part, str(deb)], check=True, stdout=subprocess.PIPE).stdout


def next_version(deb, folder):
    """The same program as a later revision, with another default configuration."""
    root = folder / "next"
    run("dpkg-deb", "-R", str(deb), str(root))
    for name, old, new in (("DEBIAN/control", r"(?m)^(Version: .*)-1$", r"\1-2"),
                           ("etc/canaryd/canaryd.yml", "(?m)^include:", "# Of the next.\ninclude:")):
        text, found = re.subn(old, new, (root / name).read_text())
        if found != 1:
            raise Failed(f"{found} times {old!r} in {name}")
        (root / name).write_text(text)
    out = folder / "next.deb"
    run("dpkg-deb", "-Znone", "--root-owner-group", "-b", str(root), str(out))
    return out


def is_reproducible_and_clean(build, folder):
    deb = pack(build, folder / "one")
    if deb.read_bytes() != pack(build, folder / "two").read_bytes():
        raise Failed("two builds of the package are not the same")
    other = pack(build, folder / "other", umask=0o077)
    for part in ("--fsys-tarfile", "--ctrl-tarfile"):
        if tar_of(deb, part) != tar_of(other, part):
            raise Failed(f"the package depends on the umask: dpkg-deb {part}")
    say(f"{deb.name}: the same bytes twice")
    listed = {line.split()[-1].lstrip(".") for line in run("dpkg-deb", "-c", str(deb)).splitlines()}
    for each in ("/usr/share/man/man8/canaryd.8.gz", "/usr/share/man/man5/canaryd.yml.5.gz",
                 "/usr/share/man/man1/tuf-client.1.gz",
                 "/usr/share/man/man8/canaryd-dump-helper.8.gz",
                 "/usr/share/bash-completion/completions/canaryd",
                 "/usr/share/zsh/vendor-completions/_canaryd",
                 "/usr/share/fish/vendor_completions.d/canaryd.fish",
                 "/usr/share/canaryd/canaryd.sample.yml", "/usr/share/canaryd/check.schema.json",
                 "/usr/share/canaryd/prometheus/canaryd.rules.yml",
                 "/usr/lib/systemd/system/canaryd@.service",
                 "/usr/lib/systemd/system/canaryd@.socket"):
        if each not in listed:
            raise Failed(f"the package has no {each}")
    return deb


def look_for_lint(deb):
    if not shutil.which("lintian"):
        say("lintian is not installed: not asked")
        return None
    return subprocess.Popen(["lintian", "--allow-root", "--fail-on", "error,warning", str(deb)],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Host(Machine):
    """The machine of the namespaces, with dpkg."""

    def dpkg(self, *arguments):
        done = self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", *arguments)
        if done.returncode != 0:
            raise Failed(f"dpkg {arguments}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def read(self, path):
        return self.run("cat", path).stdout

    def write(self, path, text):
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-a", "tee", path], input=text,
                              stdout=subprocess.DEVNULL, text=True)
        if done.returncode != 0:
            raise Failed(f"cannot write {path}")

    def exists(self, path):
        return self.run("test", "-e", path).returncode == 0

    def edit(self, path, text):
        self.write(path, self.read(path) + text)

    def succeeds(self):
        eventually("the probe succeeds",
                   lambda: self.metric(r'canaryd_probe_success\{probe="releases"\}') == 1)

    def is_active(self, unit="canaryd"):
        eventually(f"{unit} is active", lambda: self.show("ActiveState", unit) == "active")


def prepare(options, folder, debs):
    root = folder / "install"
    for name in ("srv/repository", "usr/lib/canaryd-test", "etc/systemd/system", "root/debs"):
        (root / name).mkdir(parents=True)
    run(options.repository, str(root / "srv/repository"), input="")
    shutil.copy(options.hang, root / "usr/lib/canaryd-test/hang.so")
    (root / "etc/systemd/system/repository.service").write_text(system_test.REPOSITORY)
    for name, deb in debs.items():
        shutil.copy(deb, root / f"root/debs/{name}.deb")
    for each in LEFT_BY_0_1:  # what counts is that they are there
        path = root / each.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("left by 0.1\n")
    (root / "usr/bin/canaryd").chmod(0o755)
    (root / MAIN.lstrip("/")).write_text(BEFORE)
    (root / "etc/canaryd/roots").mkdir()
    shutil.copy(root / "srv/repository/root.json", root / "etc/canaryd/roots/releases.root.json")
    for path in [root, *root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def replaces_what_cmake_left(machine):
    machine.run("rm", "-f", "/usr/sbin/policy-rc.d")
    before = machine.read(MAIN)
    machine.dpkg("-i", "/root/debs/one.deb")
    if machine.read(MAIN) != before or "include:" not in machine.read(MAIN + ".dpkg-dist"):
        raise Failed("the configuration that was there is not kept")
    machine.is_active()
    machine.succeeds()
    for each in LEFT_BY_0_1:
        owned = machine.run("dpkg-query", "-S", each).returncode == 0
        if not owned and machine.exists(each):
            raise Failed(f"{each} of 0.1 is left")
    if machine.run("canaryd", "--version").returncode != 0:
        raise Failed("the program of 0.1 is still there")
    say("installed over what cmake --install left: its configuration is in force, the rest replaced")
    machine.dpkg("--purge", "canaryd")
    machine.run("rm", "-r", "/etc/canaryd/roots")
    machine.run("rmdir", "/etc/canaryd")
    nothing_is_left(machine)
    say("purged, nothing left")


def nothing_is_left(machine, but=()):
    # The user stays: what it owned elsewhere must not become somebody else's.
    found = machine.run("find", "/", "-xdev", "(", "-path", "/root", "-o", "-path", "/proc", "-o",
                        "-path", "/usr/lib/canaryd-test", "-o", "-path", "/var/lib/dpkg", "-o",
                        "-path", "/var/log", "-o", "-path", "/work", "-o", "-path", "/tmp", "-o",
                        "-path", "/home", ")", "-prune", "-o", "-name", "*canaryd*",
                        "-print").stdout.split()
    ours = [path for path in found if path not in but and not pathlib.Path(path).exists()]
    if ours:
        raise Failed(f"left after the purge: {ours}")


def starts_without_a_probe(machine):
    machine.dpkg("-i", "/root/debs/one.deb")
    machine.is_active()
    if machine.show("UnitFileState") != "enabled":
        raise Failed("it would not start with the machine")
    page = eventually("the page", lambda: machine.run(
        "curl", "-s", "--max-time", "2", "http://127.0.0.1:9732/").stdout)
    for what, text in (("the page", page), ("the log", machine.journal())):
        if "othing is watched yet" not in text or "canaryd.yml" not in text:
            raise Failed(f"{what} does not say what to do next: {text}")
    modes = machine.run("stat", "-c", "%a %U:%G", "/etc/canaryd/credentials",
                        "/etc/canaryd/conf.d", MAIN).stdout.split("\n")
    if modes[:3] != ["700 root:root", "750 root:canaryd", "644 root:root"]:
        raise Failed(f"modes: {modes}")
    say("installed: active, enabled, no probe, and page and log say what to do")


def reloads(machine):
    machine.run("sh", "-c", "cp /srv/repository/root.json /etc/canaryd/roots/releases.root.json")
    machine.write("/etc/canaryd/conf.d/releases.yml", PROBE)
    machine.edit(MAIN, EDITED)
    pid = machine.show("MainPID")
    done = machine.run("systemctl", "reload", "canaryd")
    if done.returncode != 0:
        raise Failed(f"systemctl reload: {done.stderr}{machine.journal()[-2000:]}")
    if "probe releases: added" not in machine.journal():
        raise Failed(f"the journal does not tell what changed: {machine.journal()[-2000:]}")
    machine.succeeds()
    say("reloaded: the journal tells what changed")

    machine.write("/etc/canaryd/conf.d/releases.yml", PROBE + "    intervall: 5s\n  - name: a b\n")
    done = machine.run("systemctl", "reload", "canaryd")
    if done.returncode == 0:
        raise Failed("a reload that was refused looks like success")
    by_hand = machine.run("canaryd", "reload")
    for text in (machine.journal(), by_hand.stderr):
        for part in ("did you mean interval?", "probes[1]", "refused"):
            if part not in text:
                raise Failed(f"no {part!r} in what a refused reload says: {text[-2000:]}")
    if by_hand.returncode != 78:
        raise Failed(f"canaryd reload ended with {by_hand.returncode}")
    if (machine.show("MainPID"), machine.show("ActiveState")) != (pid, "active"):
        raise Failed("a refused reload changed the service")
    say("a refused reload fails, with every problem")


def upgrades_and_downgrades(machine):
    # What runs is not given up for a program that would refuse the configuration.
    pid = machine.show("MainPID")
    said = machine.dpkg("--force-confold", "-i", "/root/debs/two.deb")
    if machine.show("MainPID") != pid or "did you mean interval?" not in said:
        raise Failed(f"an upgrade with a configuration that is refused: {said}")
    machine.write("/etc/canaryd/conf.d/releases.yml", PROBE)
    say("upgraded over a bad configuration: what ran runs on, and dpkg says why")
    machine.dpkg("--force-downgrade", "--force-confold", "-i", "/root/debs/one.deb")
    eventually("the downgrade restarted it", lambda: machine.show("MainPID") not in ("0", pid))
    machine.succeeds()
    since = machine.metric(r'canaryd_probe_last_success_timestamp_seconds\{probe="releases"\}')
    pid = machine.show("MainPID")
    machine.dpkg("--force-confold", "-i", "/root/debs/two.deb")
    eventually("the upgrade restarted it", lambda: machine.show("MainPID") not in ("0", pid))
    machine.succeeds()
    if not machine.read(MAIN).endswith(EDITED):
        raise Failed("the upgrade took the edited configuration away")
    if "Of the next." not in machine.read(MAIN + ".dpkg-dist"):
        raise Failed("the new version's configuration is not beside the edited one")
    runs = machine.metric(r'canaryd_probe_last_success_timestamp_seconds\{probe="releases"\}')
    if not since or not runs or runs < since:
        raise Failed(f"what was known was lost: {since}, {runs}")
    say("downgraded and upgraded: edited configuration kept, the new one beside it")


def runs_instances(machine):
    instances.run_side_by_side(machine, PROBE)
    instances.wait_on_a_socket(machine)
    instances.are_upgraded(machine, "/root/debs/two.deb", PROBE)


def hangs_and_restarts(machine):
    machine.run("mkdir", "-p", "/etc/systemd/system/canaryd.service.d")
    machine.write("/etc/systemd/system/canaryd.service.d/test.conf", DROP_IN)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "canaryd")
    machine.succeeds()
    system_test.hang(machine)
    eventually("systemd restarted it", lambda: machine.show("NRestarts") == "1")
    machine.succeeds()
    last = machine.run("canaryd", "dump", "--last").stdout
    if not re.match(r"canaryd: loop releases (stalled|hung)", last):
        raise Failed(f"the last dump is {last[:300]}")
    say("hung, dumped, aborted, restarted; dump --last has the verdict")
    machine.run("rm", "-r", "/etc/systemd/system/canaryd.service.d")


def is_removed_and_purged(machine):
    machine.dpkg("--remove", "canaryd")
    for unit in ("canaryd", *instances.UNITS.values(), "canaryd@north.socket"):
        if machine.show("ActiveState", unit) == "active":
            raise Failed(f"{unit} runs although it is removed")
    for each in (MAIN, "/var/lib/canaryd/probes/releases", "/etc/canaryd/conf.d/releases.yml"):
        if not machine.exists(each):
            raise Failed(f"{each} is lost by a removal")
    if machine.exists("/usr/bin/canaryd"):
        raise Failed("the program is still there")
    say("removed: configuration and state stay")
    machine.dpkg("--force-confold", "-i", "/root/debs/one.deb")
    machine.is_active()
    machine.succeeds()
    machine.dpkg("--purge", "canaryd")
    own = ("/etc/canaryd/conf.d/releases.yml", "/etc/canaryd/roots/releases.root.json",
           "/etc/canaryd/north.yml", "/etc/canaryd/south.yml")
    for each in own:
        if not machine.exists(each):
            raise Failed(f"{each}, somebody's own, is lost by the purge")
    nothing_is_left(machine, ("/etc/canaryd", "/etc/default/canaryd-north",
                              "/etc/systemd/system/canaryd@north.socket.d"))
    say("purged: state and defaults gone, somebody's own probes and roots stay")


def keeps_an_edited_configuration(build, folder):
    """`cmake --install` over an edited configuration."""
    target = {**os.environ, "DESTDIR": str(folder / "by-hand")}
    command = ("cmake", "--install", build, "--component", "canaryd", "--prefix", "/usr")
    run(*command, env=target)
    main = folder / "by-hand/etc/canaryd/canaryd.yml"
    main.write_text(main.read_text() + EDITED)
    said = run(*command, env=target)
    if not main.read_text().endswith(EDITED) or "Kept as it is" not in said:
        raise Failed("cmake --install overwrote an edited configuration")
    if not main.with_name("canaryd.yml.dist").exists():
        raise Failed("the new configuration is not beside it")
    shutil.rmtree(folder / "by-hand")
    say("cmake --install keeps an edited configuration")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    for name in ("build", "repository", "hang"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps"):
        if not shutil.which(tool):
            system_test.skip(f"{tool} is not installed")
    cgroups = system_test.requirements()
    with tempfile.TemporaryDirectory(prefix="canary-package-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        machine = lint = None
        try:
            deb = is_reproducible_and_clean(options.build, folder)
            lint = look_for_lint(deb)
            keeps_an_edited_configuration(options.build, folder)
            prepare(options, folder, {"one": deb, "two": next_version(deb, folder)})
            machine = Host(folder, cgroups)
            for part in (replaces_what_cmake_left, starts_without_a_probe, reloads,
                         upgrades_and_downgrades, runs_instances, hangs_and_restarts,
                         is_removed_and_purged):
                part(machine)
            if lint and lint.wait(timeout=300) != 0:
                raise Failed(f"lintian: {lint.stdout.read()}")
            say("lintian has nothing to say" if lint else "lintian was not asked")
        except Failed as failed:
            say(f"FAILED: {failed}")
            if machine:
                print(machine.run("systemctl", "status", "--no-pager", "canaryd").stdout,
                      machine.journal()[-6000:])
            return 1
        finally:
            if machine:
                machine.stop()
            if lint and lint.poll() is None:
                lint.kill()
                lint.wait()
    say("all well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
