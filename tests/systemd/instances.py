# SPDX-License-Identifier: Apache-2.0
"""Two instances, canaryd@north and canaryd@south, beside the canaryd of a machine that has the
package: a part of package_test.py, and what an upgrade and a purge do with them."""
import subprocess
import time

from system_test import Failed, eventually, say

PORTS = {"north": 9733, "south": 9734}
UNITS = {name: f"canaryd@{name}" for name in PORTS}
CONFIG = """
state_directory: /var/lib/canaryd/instances/{name}
web: {{listen_addresses: ["127.0.0.1:{port}"]}}
"""
SOCKET = "[Socket]\nListenStream=127.0.0.1:9733\n"


def write(machine, name, probes):
    machine.write(f"/etc/canaryd/{name}.yml",
                  CONFIG.format(name=name, port=PORTS[name]) + probes)


def value(machine, name, metric):
    text = machine.run("curl", "-s", "--max-time", "30",
                       f"http://127.0.0.1:{PORTS[name]}/metrics").stdout
    return next((float(line.split()[-1]) for line in text.splitlines() if line.startswith(metric)),
                None)


def runs(machine, name):
    return value(machine, name, "canaryd_probe_runs_total")


def log(machine, name):
    return machine.run("journalctl", "-o", "cat", "--no-pager", "-u", UNITS[name]).stdout


class Unnoticed:
    """While something is done to others, the instance stays the process that it is, its probe goes
    on, and its log has nothing to say."""

    def __init__(self, machine, name, what):
        self.machine, self.name, self.what = machine, name, what

    def look(self):
        return self.machine.show("MainPID", UNITS[self.name]), log(self.machine, self.name)

    def __enter__(self):
        self.before, self.runs = self.look(), runs(self.machine, self.name)

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        if self.look() != self.before:
            raise Failed(f"canaryd@{self.name} noticed {self.what}: {self.before} {self.look()}")
        eventually(f"the probe of canaryd@{self.name} goes on",
                   lambda: (runs(self.machine, self.name) or 0) > self.runs)


def restarted(machine, name, before):
    eventually(f"canaryd@{name} is another process", lambda: machine.show(
        "MainPID", UNITS[name]) not in ("0", before))
    eventually(f"the probe of canaryd@{name} runs", lambda: runs(machine, name))


def run_side_by_side(machine, probes):
    for name, unit in UNITS.items():
        write(machine, name, probes)
        done = machine.run("systemctl", "enable", "--now", unit)
        if done.returncode != 0:
            raise Failed(f"{unit}: {done.stderr}{log(machine, name)[-2000:]}")
    for name in PORTS:
        eventually(f"the probe of canaryd@{name} runs", lambda name=name: runs(machine, name))
        done = machine.run("canaryd", "status", "--config", f"/etc/canaryd/{name}.yml")
        if done.returncode != 0 or "releases" not in done.stdout:
            raise Failed(f"status of {name}: {done.stdout}{done.stderr}")
        for folder in (f"/var/lib/canaryd/instances/{name}/probes/releases", f"/run/canaryd-{name}"):
            if not machine.exists(folder):
                raise Failed(f"canaryd@{name} has no {folder}")
    if machine.run("canaryd", "status").returncode != 0:
        raise Failed("canaryd.service is not what it was")
    say("two instances beside canaryd.service, each with its state, its runtime folder, its port")

    pid = machine.show("MainPID", UNITS["north"])
    with Unnoticed(machine, "south", "a restart of the other"):
        machine.run("systemctl", "restart", UNITS["north"])
        restarted(machine, "north", pid)
    pid = machine.show("MainPID", UNITS["north"])
    with Unnoticed(machine, "south", "the other's death"):
        machine.run("kill", "-KILL", pid)
        restarted(machine, "north", pid)
    if machine.run("systemctl", "reload", UNITS["north"]).returncode != 0:
        raise Failed(f"canaryd@north does not reload: {log(machine, 'north')[-2000:]}")
    say("one restarted, killed, reloaded: the other did not notice")


def wait_on_a_socket(machine):
    machine.run("systemctl", "stop", UNITS["north"])
    machine.write("/etc/default/canaryd-north", 'ARGS="--web.systemd-socket"\n')
    refused = machine.run("systemctl", "start", "canaryd@north.socket")
    if refused.returncode == 0:
        raise Failed("a socket without an address starts")
    machine.run("mkdir", "-p", "/etc/systemd/system/canaryd@north.socket.d")
    machine.write("/etc/systemd/system/canaryd@north.socket.d/address.conf", SOCKET)
    machine.run("systemctl", "daemon-reload")
    done = machine.run("systemctl", "enable", "canaryd@north.socket")
    if done.returncode != 0:
        raise Failed(f"canaryd@north.socket: {done.stderr}")
    machine.run("systemctl", "start", UNITS["north"])
    if machine.show("ActiveState", "canaryd@north.socket") != "active":
        raise Failed("the instance does not bring its socket")
    pid = machine.show("MainPID", UNITS["north"])
    with Unnoticed(machine, "south", "that the other waits on a socket"):
        machine.run("kill", "-STOP", pid)
        scrape = subprocess.Popen(
            ["nsenter", "-t", str(machine.pid), "-a", "curl", "-s", "--max-time", "40",
             f"http://127.0.0.1:{PORTS['north']}/metrics"], stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        machine.run("kill", "-KILL", pid)
        restarted(machine, "north", pid)
        page = scrape.communicate(timeout=60)[0]
        if "\ncanaryd_probe_runs_total" not in page:
            raise Failed(f"a scrape of canaryd@north was lost over a kill: {page[:300]!r}")
    say("canaryd@north.socket: refused without an address of its own, then answers over a kill")


def are_upgraded(machine, deb, probes):
    """One by one: what the new program refuses runs on."""
    write(machine, "south", probes + "    intervall: 5s\n")
    before = {name: machine.show("MainPID", unit) for name, unit in UNITS.items()}
    said = machine.dpkg("--force-downgrade", "--force-confold", "-i", deb)
    restarted(machine, "north", before["north"])
    if machine.show("MainPID", UNITS["south"]) != before["south"]:
        raise Failed(f"an instance whose configuration is refused was restarted: {said}")
    if "refuses /etc/canaryd/south.yml" not in said or "did you mean interval?" not in said:
        raise Failed(f"the upgrade does not say why canaryd@south runs on: {said}")
    write(machine, "south", probes)
    say("upgraded: canaryd@north restarted; canaryd@south, whose configuration is refused, runs on")
