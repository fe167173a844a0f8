#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One incident, one notification: real canaryds, a real Prometheus and a real Alertmanager with the
shipped rules and routes, every span of time in both divided by one factor. Each incident has a
canaryd of its own. Who must be told what stands in the table of docs/alerting.md, which this test
reads: an incident that is told otherwise, twice, or not at all fails it, and so does one that is
not over when it is mended.

Exits 77 where a program is missing. The dead name server needs root, and is left out without.
"""
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from machines import Canaryd, Files, Repositories, same_history, start_server
from prometheus import FACTOR, Prometheus
from scaled import milliseconds
from harness import eventually, Failed, listening_port, run_test, say

PATIENCE = 150  # seconds: the longest takes 80 on a machine that has time
# What a busy machine says of itself; it is no incident here.
OF_THE_MACHINE = re.compile("Canaryd(LoopLag|ScheduleLag|WatchdogLate|ScrapesLost|RunsSkipped)|"
                            "Watchdog|CanarydHeartbeat")
PAGES = "https://monitor.example/"


def table(project):
    """The rows of docs/alerting.md: {incident: {(receiver, alert)}}."""
    text = (project / "docs/alerting.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| (`[^|]+`|nobody) \| ([^|]+) \|", text, re.M)
    wanted = {}
    for incident, alerts, told in rows:
        names, receivers = re.findall(r"`(\w+)`", alerts), re.findall(r"pager|tickets", told)
        if len(names) != len(receivers):
            raise Failed(f"docs/alerting.md: {incident}: {alerts} and {told} do not fit")
        wanted[incident] = set(zip(receivers, names))
    return wanted


class Receiver:
    """Takes what Alertmanager sends: every notification, with when it came."""

    def __init__(self):
        self.received = []
        told = self.received

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.append((time.monotonic(), self.path[1:], message))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        self.port = start_server(Handler).server_address[1]

    def of(self, who, status="firing"):
        """Each notification about these canaryds and probes: when, to whom, and which alerts. One
        that tells the end of some is no new one of the others."""
        found = []
        for when, receiver, message in list(self.received):
            if status == "firing" and any(each["status"] != status for each in message["alerts"]):
                continue
            alerts = [each for each in message["alerts"]
                      if who & {each["labels"].get("instance"), each["labels"].get("probe")}
                      and each["status"] == status
                      and not OF_THE_MACHINE.fullmatch(each["labels"]["alertname"])]
            if alerts:
                found.append((when, receiver, alerts))
        return found


def start_alertmanager(project, folder, receiver, cleanup):
    def shorter(match):
        return f"{match[1]}{max(1, milliseconds(match[2]) // FACTOR)}ms"
    text = (project / "config/prometheus/alertmanager.yml").read_text()
    text = re.sub(r"(group_wait: |group_interval: |repeat_interval: )([1-9]\w*)", shorter, text)
    text = re.sub(r"- name: (\S+)(\n\s+webhook_configs:\n\s+- url: )\"[^\"]+\"",
                  rf'- name: \1\2"http://127.0.0.1:{receiver.port}/\1"', text)
    (folder / "alertmanager.yml").write_text(text)
    log = open(folder / "alertmanager.log", "w")
    process = subprocess.Popen(
        ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
         f"--storage.path={folder}/alerts", "--web.listen-address=127.0.0.1:0",
         "--cluster.listen-address="], stdout=log, stderr=log)
    cleanup.callback(process.wait)
    cleanup.callback(process.kill)
    return f"127.0.0.1:{listening_port(process, 'prometheus-alertmanager')}"


class NameServer:
    """Says of every name that it is at one address; may fall silent."""

    def __init__(self, address, answer):
        self.answer, self.works = socket.inet_aton(answer), True
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            if not self.works:
                continue
            end = query.index(b"\0", 12) + 5
            is_a = query[end - 4:end - 2] == b"\0\1"
            head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_a else b"\0\0") + b"\0\0\0\0"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + self.answer if is_a else b""
            self.socket.sendto(head + query[12:end] + record, client)


class Incidents:
    """Each method makes a canaryd that is well, and gives back how its incident begins and is
    mended. Their names are those of the table."""

    def __init__(self, options, folder, cleanup):
        self.options, self.folder, self.cleanup = options, folder, cleanup
        self.repositories = Repositories(options.repository, folder / "repositories", cleanup)
        self.machines = {}
        self.senders = []  # that nobody scrapes
        for name in ("expiring", "corrupted", "rolled", "s1", "s2", "s3", "m-new", "touched"):
            self.repositories.sign(name)
        shutil.copytree(self.files("m-new"), self.files("m-old"))
        for attempt in range(20):
            self.split = [f"split-{attempt}-{place}" for place in ("fra", "sin")]
            for name in self.split:
                self.repositories.sign(name)
            if same_history([self.files(name) for name in self.split]):
                break
        else:
            raise Failed("two repositories were never signed in the same second")
        self.servers = {}
        self.two_places()

    def files(self, repository):
        return self.repositories.folder / repository

    def canaryd(self, name, probes, fault="", top=""):
        machine = Canaryd(self.options.canaryd, self.folder, name, self.cleanup)
        machine.flags = ["--web.external-url", PAGES]
        if fault:
            machine.fault(fault, ms=6_000)
        machine.configure(probes, top=top)
        machine.probes = len(probes)
        self.machines[name] = machine
        return machine

    def scraped(self):
        return {name: machine.port for name, machine in self.machines.items()
                if name not in self.senders}

    def restore(self, repository):
        """As it was, by a whole copy."""
        shutil.copytree(self.folder / f"{repository}-kept", self.files(repository),
                        dirs_exist_ok=True)

    def keep(self, repository):
        shutil.copytree(self.files(repository), self.folder / f"{repository}-kept")

    def metadata_expires(self):
        self.canaryd("expiry", [self.repositories.probe("expiring", "expiring")])
        order = self.repositories.order
        return (lambda: order("expiring", "expire 2"), lambda: order("expiring", "expire 864000"))

    def corrupt(self, repository):
        for file in (self.files(repository) / "targets").rglob("*"):
            if file.is_file():
                content = bytearray(file.read_bytes())
                content[0] ^= 1
                file.write_bytes(content)

    def a_target_is_corrupted(self):
        probe = self.repositories.probe
        tuf = "      targets_url: $BASE/targets\n      targets: all\n"
        self.canaryd("target", [probe("corrupted", "corrupted", tuf=tuf)])
        self.keep("corrupted")
        return lambda: self.corrupt("corrupted"), lambda: self.restore("corrupted")

    def a_repository_is_rolled_back(self):
        self.keep("rolled")
        order, probe = self.repositories.order, self.repositories.probe
        order("rolled", "expire 864000")
        self.canaryd("rollback", [probe("rolled", "rolled")])
        return lambda: self.restore("rolled"), lambda: order("rolled", "expire 864000")

    def a_mirror_lags(self):
        probe, more = self.repositories.probe, "    repository: mirrored\n"
        self.canaryd("mirror", [probe("new", "m-new", more=more),
                                probe("old", "m-old", more=more)])

        def follow():
            shutil.copytree(self.files("m-new"), self.files("m-old"), dirs_exist_ok=True)
        return lambda: self.repositories.order("m-new", "expire 864000"), follow

    def a_server_is_dead(self):
        handler = functools.partial(Files, directory=str(self.repositories.folder))
        server = start_server(handler, address=("127.0.0.4", 0))
        port = server.server_address[1]
        probe = self.repositories.probe
        self.canaryd("server", [probe("good")] + [
            probe(name, name, host="127.0.0.4", port=port) for name in ("s1", "s2", "s3")])

        def die():
            server.shutdown()
            server.server_close()
        return die, lambda: start_server(handler, address=("127.0.0.4", port))

    def a_name_server_is_dead(self):
        names = NameServer("127.0.53.7", "127.0.0.1")
        conf = self.folder / "resolv.conf"
        conf.write_text("nameserver 127.0.53.7\noptions timeout:1 attempts:1\n")
        probe, quick = self.repositories.probe, "resolve_timeout: 2s"
        machine = self.canaryd("names", [
            probe("good"), probe("a", host="a.canary.test", http=quick),
            probe("b", host="b.canary.test", http=quick)])
        machine.within = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                          f"mount --bind {conf} /etc/resolv.conf && exec \"$@\"", "sh"]

        def set_to(works):
            names.works = works
        return lambda: set_to(False), lambda: set_to(True)

    def canaryd_hangs(self):
        machine = self.canaryd("hangs", [self.repositories.probe("victim")], fault="sleep")
        return machine.trigger, lambda: None

    def canaryd_is_killed(self):
        machine = self.canaryd("killed", [self.repositories.probe("p")])
        return machine.kill, machine.start

    def its_own_clock_is_off(self):
        machine = self.canaryd("clock", [self.repositories.probe("victim")], fault="clock-forward")

        def set_right():
            machine.signal(signal.SIGTERM)
            machine.process.wait()
            machine.environment = {}
            machine.start()
        return machine.trigger, set_right

    def serve_at(self, name, host):
        """Repositories at a host of their own, which may die; its port."""
        handler = functools.partial(Files, directory=str(self.repositories.folder))
        server = start_server(handler, address=(host, 0))
        port = server.server_address[1]

        def die():
            server.shutdown()
            server.server_close()
        self.servers[name] = (die, lambda: start_server(handler, address=(host, port)))
        return port

    def two_places(self):
        """That look at the same: one repository that is everywhere the same, one whose edge is
        each place's own, one that will be two, and one that stays well."""
        probe = self.repositories.probe
        everywhere = self.serve_at("everywhere", "127.0.0.6")
        for place, split in zip(("fra", "sin"), self.split):
            edge = self.serve_at(f"edge-{place}", "127.0.0.7")
            self.canaryd(place, [
                probe("calm"), probe("everywhere", host="127.0.0.6", port=everywhere),
                probe("edge", host="127.0.0.7", port=edge), probe("split", split)],
                top=f"vantage: {place}\n")

    def a_repository_is_dead_from_everywhere(self):
        return self.servers["everywhere"]

    def one_places_edge_is_dead(self):
        return self.servers["edge-sin"]

    def places_are_shown_two_histories(self):
        order = self.repositories.order

        def fork():
            order(self.split[0], "expire 864000")
            order(self.split[1], "expire 777000")

        def join():
            order(self.split[0], "expire 864000")
            shutil.copytree(self.files(self.split[0]), self.files(self.split[1]),
                            dirs_exist_ok=True)
        return fork, join

    def a_canaryd_that_sends_is_stopped(self):
        machine = self.canaryd("sender", [self.repositories.probe("sent")], top=(
            "remote_write: {instance: sender, interval: 1s, url: "
            f"'http://127.0.0.1:{self.options.prometheus}/api/v1/write'}}\n"))
        self.senders.append("sender")

        def stop():
            machine.signal(signal.SIGTERM)
            machine.process.wait()
        return stop, machine.start

    def answering(self, answers):
        """A server that answers what answers() says, to everything: its port."""
        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                status, body = answers()
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_GET = do_POST = answer

            def log_message(self, *_):
                pass
        return start_server(Handler).server_address[1]

    def the_receiver_refuses_metrics(self):
        status = [200]
        port = self.answering(lambda: (status[0], b""))
        self.canaryd("unsent", [self.repositories.probe("unsent-p")], top=(
            f"remote_write: {{interval: 1s, url: 'http://127.0.0.1:{port}/'}}\n"))
        return lambda: status.__setitem__(0, 400), lambda: status.__setitem__(0, 200)

    def a_list_of_probes_is_gone(self):
        answer = [(200, b"probes: []")]
        port = self.answering(lambda: answer[0])
        self.canaryd("unlisted", [self.repositories.probe("own")], top=(
            "discovery: [{name: fleet, refresh: 1s, http: {max_attempts: 1}, "
            f"url: 'http://127.0.0.1:{port}/'}}]\n"))
        return (lambda: answer.__setitem__(0, (500, b"")),
                lambda: answer.__setitem__(0, (200, b"probes: []")))

    def work_is_announced(self):
        """Seen from two places, too."""
        tuf = "      targets_url: $BASE/targets\n      targets: all\n"
        for name in ("announced", "announced-2"):
            self.canaryd(
                name, [self.repositories.probe("touched", "touched", tuf=tuf),
                       self.repositories.probe("untouched")],
                top=f"vantage: {name}\n"
                "maintenance: [{weekly: \"daily 00:00-23:59\", reason: storage moves}]\n")
        self.keep("touched")
        return lambda: self.corrupt("touched"), lambda: self.restore("touched")

    def all(self):
        found = {"metadata expires": ({"expiry"}, self.metadata_expires),
                 "a target is corrupted": ({"target"}, self.a_target_is_corrupted),
                 "a repository is rolled back": ({"rollback"}, self.a_repository_is_rolled_back),
                 "a mirror lags": ({"mirror"}, self.a_mirror_lags),
                 "a server is dead": ({"server"}, self.a_server_is_dead),
                 "a name server is dead": ({"names"}, self.a_name_server_is_dead),
                 "a repository is dead from everywhere": (
                     {"everywhere"}, self.a_repository_is_dead_from_everywhere),
                 "one place's edge is dead": ({"edge"}, self.one_places_edge_is_dead),
                 "places are shown two histories": (
                     {"split"}, self.places_are_shown_two_histories),
                 "a canaryd that sends is stopped": (
                     {"sender"}, self.a_canaryd_that_sends_is_stopped),
                 "the receiver refuses metrics": ({"unsent"}, self.the_receiver_refuses_metrics),
                 "a list of probes is gone": ({"unlisted"}, self.a_list_of_probes_is_gone),
                 "canaryd hangs": ({"hangs"}, self.canaryd_hangs),
                 "canaryd is killed": ({"killed"}, self.canaryd_is_killed),
                 "canaryd's own clock is off": ({"clock"}, self.its_own_clock_is_off),
                 "work is announced": ({"announced", "announced-2", "touched"}, self.work_is_announced)}
        if os.geteuid() != 0:
            say("left out, for it needs root: a name server is dead")
            del found["a name server is dead"]
        return found


def told_of(receiver, who, status="firing"):
    return {(whom, alert["labels"]["alertname"])
            for _, whom, alerts in receiver.of(who, status) for alert in alerts}


def check_text(incident, alerts):
    """Each text says where, and where there is more."""
    for alert in alerts:
        labels, texts = alert["labels"], alert["annotations"]
        name = labels["alertname"]
        if not texts["runbook_url"].startswith(PAGES + "runbook#"):
            if name not in ("CanarydDown",):
                raise Failed(f"{incident}: {name} links to {texts['runbook_url']}")
        if "repo" not in labels:
            continue
        for what in (labels["repo"], labels["metadata_url"]):
            if what not in texts["description"]:
                raise Failed(f"{incident}: {name} does not say {what}: {texts}")
        if texts["page"] != f"{PAGES}probe/{labels['probe']}" or not texts["since"]:
            raise Failed(f"{incident}: {name} does not say since when, or where there is more")


def check_count(incident, notifications, wanted):
    """One notification for each alert that is wanted, and none beside it."""
    if len(notifications) != len(wanted):
        said = [(whom, sorted({each["labels"]["alertname"] for each in alerts}))
                for _, whom, alerts in notifications]
        raise Failed(f"{incident}: {len(notifications)} notifications, expected {len(wanted)}: "
                     f"{said}")


def check_dashboard(project, prometheus):
    """Every panel has something to show."""
    everything = {"$job": ".*", "$instance": ".*", "$repo": ".*", "$probe": ".*",
                  "$__rate_interval": "1m"}
    for panel in json.loads((project / "config/grafana/canaryd.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            query = target["expr"]
            for name, value in everything.items():
                query = query.replace(name, value)
            eventually(f"the panel {panel['title']} has data: {query}",
                       lambda query=query: prometheus.query(query))


def tell(options, folder, cleanup):
    project = pathlib.Path(options.project)
    receiver = Receiver()
    prometheus = Prometheus(project, folder, cleanup,
                            start_alertmanager(project, folder, receiver, cleanup))
    options.prometheus = prometheus.port
    incidents = Incidents(options, folder, cleanup)
    wanted = table(project)
    known = incidents.all()
    missing = (set(known) ^ set(wanted)) - {"a name server is dead"}
    if missing:
        raise Failed(f"in docs/alerting.md or in this test alone: {sorted(missing)}")
    acts = {incident: prepare() for incident, (_, prepare) in known.items()}
    for machine in incidents.machines.values():
        machine.start()
    prometheus.know(**incidents.scraped())
    eventually("every canaryd was scraped", prometheus.scrapes_all)
    eventually("every probe is well", lambda: not prometheus.query("canaryd_probe_success == 0")
               and len(prometheus.query("canaryd_probe_success == 1") or [])
               == sum(machine.probes for machine in incidents.machines.values()))
    say(f"{len(known)} canaryds are well")
    began = time.monotonic()
    for begin, _ in acts.values():
        begin()

    def all_told():
        return all(wanted[incident] <= told_of(receiver, who)
                   for incident, (who, _) in known.items())
    try:
        eventually("all are told", all_told, PATIENCE)
    except Failed as failed:
        state = {incident: (sorted(wanted[incident]), sorted(told_of(receiver, who)))
                 for incident, (who, _) in known.items()
                 if not wanted[incident] <= told_of(receiver, who)}
        raise Failed(f"{failed}; wanted and told: {state}") from None
    time.sleep(milliseconds("10m") / FACTOR / 1000)  # two intervals of groups: what else comes?
    for incident, (who, _) in known.items():
        notifications = receiver.of(who)
        for when, whom, alerts in notifications:
            say(f"{incident}: {whom} after {(when - began) * FACTOR / 60:.0f} min: "
                + alerts[0]["annotations"]["summary"])
            check_text(incident, alerts)
        check_count(incident, notifications, wanted[incident])
    check_dashboard(project, prometheus)
    for _, mend in acts.values():
        mend()
    prometheus.know(**incidents.scraped())

    def all_resolved():
        return all(wanted[incident] <= told_of(receiver, who, "resolved")
                   | ({("tickets", "RepoUnreachable")} if incident == "a server is dead" else set())
                   for incident, (who, _) in known.items())
    try:
        eventually("all are over", all_resolved, PATIENCE)
    except Failed as failed:
        state = {incident: sorted(wanted[incident] - told_of(receiver, who, "resolved"))
                 for incident, (who, _) in known.items()}
        raise Failed(f"{failed}: {state}") from None
    for incident, (who, _) in known.items():
        # In the time of the rules so much has passed that a new start of canaryd is told anew.
        if incident != "canaryd is killed":
            check_count(incident, receiver.of(who), wanted[incident])
    say("each was told once, and is over")


def main():
    return run_test(__doc__, ("project", "canaryd", "repository"),
                    ("prometheus", "prometheus-alertmanager", "openssl", "gpg"), tell)


if __name__ == "__main__":
    sys.exit(main())
