#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The story, end to end, with real Prometheus and Alertmanager.

canaryd monitors a good repository and all is quiet. A handler hangs: the alert reaches a webhook
while /metrics still answers and names the probe; canaryd aborts itself, is started again, and the
alert resolves. Then the repository's timestamp expires: one page, the right one. Then canaryd is
killed for good: CanarydDown. Then its target is gone: CanarydAbsent.

The configuration of Prometheus and Alertmanager is the shipped one; only addresses are replaced and
times shortened. Everything is on loopback, on ports that the system chose, and is ended by its
process id. Exits 77 where a program is missing. Python's standard library only.
"""
import functools
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

from harness import eventually, Failed, get, listening_port, PATIENCE, run_test, say

QUIET = 4  # seconds in which nothing more may page


class Webhook:
    """Receives what Alertmanager sends: every notification of every receiver, in order."""

    def __init__(self):
        self.received = []
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in message["alerts"]:
                    webhook.received.append((self.path, alert["status"], alert["labels"],
                                             alert["annotations"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def alerts(self, path, status="firing", since=0):
        return [labels for where, state, labels, _ in self.received[since:]
                if where == path and state == status]

    def names(self, path, status="firing", since=0):
        return [labels["alertname"] for labels in self.alerts(path, status, since)]


def serve_files(folder):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                             functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


class Supervisor:
    """Does for canaryd what systemd does: starts it again a second after it ended."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.starts, self.statuses, self.port = 0, [], 0
        self.for_good = False
        self.process = None
        self.hang_file = folder / "hang"
        self.start()
        self.port = listening_port(self.process, "canaryd")
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def start(self):
        environment = {**os.environ, "RUNTIME_DIRECTORY": str(self.folder / "run"),
                       "LD_PRELOAD": self.options.hang,
                       "CANARY_TEST_HANG_FILE": str(self.hang_file),
                       "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.starts += 1
        with open(self.folder / f"canaryd.{self.starts}.log", "w") as log:
            self.process = subprocess.Popen(
                [self.options.canaryd, "run", "--config", str(self.folder / "canaryd.yml"),
                 "--web.listen-address", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log, env=environment)

    def watch(self):
        while True:
            self.statuses.append(self.process.wait())
            if self.for_good:
                return
            time.sleep(1)
            self.start()

    def hang(self):
        self.hang_file.touch()

    def kill_for_good(self):
        self.for_good = True
        self.process.kill()
        self.thread.join()

    def metrics(self):
        answer = get(f"http://127.0.0.1:{self.port}/metrics", patience=2)
        return answer[1] if answer and answer[0] == 200 else ""


def shortened_rules(project):
    """The shipped rules; only times differ."""
    text = (project / "config/prometheus/canaryd.rules.yml").read_text()
    text = re.sub(r"^(\s+for:) .*$", r"\1 1s", text, flags=re.M)
    # Prometheus takes five seconds to find its first target.
    for alert, pause in (("CanarydDown", "5s"), ("CanarydAbsent", "9s")):
        text, changed = re.subn(rf"(alert: {alert}\n(?:.*\n)*?\s+for:) 1s", rf"\1 {pause}", text, 1)
        if not changed:
            raise Failed(f"the rules have no {alert} with a `for:`")
    text, changed = re.subn(r"(canaryd_executor_stalled|instance:canaryd_executor_beat_age:seconds)"
                            r"\[2m\]", r"\1[5s]", text)
    if changed != 2:
        raise Failed("the rules do not look at the loop over two minutes any more")
    return text


def prometheus_config(project, folder, alertmanager_port):
    text = (project / "config/prometheus/prometheus.yml").read_text()
    text = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): \w+", r"\1: 1s", text)
    text = text.replace("127.0.0.1:9093", f"127.0.0.1:{alertmanager_port}")
    return re.sub(r'static_configs:\n\s+- targets: \["127.0.0.1:9732"\]',
                  f"file_sd_configs: [{{files: [{folder}/targets.json], refresh_interval: 1s}}]",
                  text)


def alertmanager_config(project, webhook_port):
    text = (project / "config/prometheus/alertmanager.yml").read_text()
    text = re.sub(r"group_wait: [1-9]\w+", "group_wait: 1s", text)
    text = re.sub(r"group_interval: \w+", "group_interval: 1s", text)
    # Each receiver gets a path of the webhook with its own name.
    return re.sub(r"- name: (\S+)(\n\s+webhook_configs:\n\s+- url: )\"[^\"]+\"",
                  rf'- name: \1\2"http://127.0.0.1:{webhook_port}/\1"', text)


def canaryd_config(folder, files_port):
    # Nothing is expired or expiring until it is told to be; stalls are judged in seconds.
    return f"""
state_directory: {folder}/state
web:
  listen_addresses: ["127.0.0.1:0"]
scheduler:
  start_spread: 1s
watchdog:
  loop_stall: 1s
  loop_hung: 3s
  loop_dead: 10s
defaults:
  interval: 1s
  timeout: 5s
  tuf:
    expiry:
      root: {{warning: 0s, critical: 0s}}
      timestamp: {{warning: 0s, critical: 0s}}
      snapshot: {{warning: 0s, critical: 0s}}
      targets: {{warning: 0s, critical: 0s}}
probes:
  - name: releases
    tuf:
      metadata_url: http://127.0.0.1:{files_port}/metadata
      targets_url: http://127.0.0.1:{files_port}/targets
      root: {folder}/repository/root.json
"""


class Story:
    def __init__(self, options, folder, cleanup):
        self.folder, self.project = folder, pathlib.Path(options.project)
        for name in ("state", "run", "repository", "tsdb", "alerts"):
            (folder / name).mkdir()
        self.webhook = Webhook()
        self.owner = self.spawn(cleanup, [options.repository, str(folder / "repository")],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.owner.stdout.readline()
        (folder / "canaryd.yml").write_text(
            canaryd_config(folder, serve_files(str(folder / "repository"))))
        self.canaryd = Supervisor(options, folder)
        cleanup.callback(self.canaryd.kill_for_good)

        (folder / "alertmanager.yml").write_text(
            alertmanager_config(self.project, self.webhook.port))
        alertmanager = self.spawn(cleanup, [
            "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alerts", "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address="], **self.log("alertmanager"))
        alertmanager_port = listening_port(alertmanager, "prometheus-alertmanager")
        (folder / "canaryd.rules.yml").write_text(shortened_rules(self.project))
        self.target(f"127.0.0.1:{self.canaryd.port}")
        (folder / "prometheus.yml").write_text(
            prometheus_config(self.project, folder, alertmanager_port))
        prometheus = self.spawn(cleanup, [
            "prometheus", f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:0",
            # What fires before Alertmanager is discovered is told again soon, not in a minute.
            "--rules.alert.resend-delay=1s"],
            **self.log("prometheus"))
        listening_port(prometheus, "prometheus")

    def log(self, name):
        stream = open(self.folder / f"{name}.log", "w")
        return {"stdout": stream, "stderr": stream}

    @staticmethod
    def spawn(cleanup, command, **how):
        process = subprocess.Popen(command, **how)
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        return process

    def target(self, *addresses):
        """What Prometheus knows of: replaced at once, as file_sd wants it."""
        fresh = self.folder / "targets.json.new"
        fresh.write_text(json.dumps([{"targets": list(addresses)}] if addresses else []))
        fresh.rename(self.folder / "targets.json")

    def page(self, alert, since):
        eventually(f"a page {alert}; came: {self.webhook.names('/pager', since=since)}",
                   lambda: alert in self.webhook.names("/pager", since=since))
        say(f"page: {alert}")

    def only_page(self, alert, since):
        """That page came, and for a while no other one does."""
        self.page(alert, since)
        time.sleep(QUIET)
        pages = self.webhook.names("/pager", since=since)
        if pages != [alert]:
            raise Failed(f"pages since then: {pages}; expected {alert}, once")

    def quiet(self):
        eventually("the dead-man's receivers hear both heartbeats", lambda: (
            "Watchdog" in self.webhook.names("/deadman-pipeline")
            and "CanarydHeartbeat" in self.webhook.names("/deadman-canaryd")))
        time.sleep(QUIET)
        if self.webhook.names("/pager"):
            raise Failed(f"pages although all is well: {self.webhook.alerts('/pager')}")
        say("quiet, both heartbeats arrive")

    def hang(self):
        since = len(self.webhook.received)
        self.canaryd.hang()
        eventually("the loop took the bait", lambda: not self.canaryd.hang_file.exists())
        say("a handler hangs")
        eventually("/metrics says that the loop is stalled",
                   lambda: "\ncanaryd_executor_stalled 1" in self.canaryd.metrics())
        page = self.canaryd.metrics()
        if 'canaryd_probe_in_flight_start_timestamp_seconds{probe="releases"} ' not in page:
            raise Failed("/metrics does not name the probe whose run hangs")
        say("/metrics answers, and names the probe")
        self.page("CanarydExecutorStalled", since)
        if self.canaryd.starts != 1 or "\ncanaryd_executor_stalled 1" not in self.canaryd.metrics():
            raise Failed("the page came only after the hang")
        eventually("canaryd ended itself and was started again", lambda: self.canaryd.starts == 2)
        if self.canaryd.statuses != [-signal.SIGABRT]:
            raise Failed(f"canaryd ended with {self.canaryd.statuses}, expected SIGABRT")
        eventually("the alert resolves", lambda: "CanarydExecutorStalled" in
                   self.webhook.names("/pager", "resolved", since))
        say("restarted, resolved")
        pages = self.webhook.names("/pager", since=since)
        if pages != ["CanarydExecutorStalled"]:
            raise Failed(f"pages for one hang: {pages}")
        page = self.canaryd.metrics()
        blind = re.search(r"^canaryd_last_blind_seconds (\S+)", page, re.M)
        # The hang itself counts: 10 s by `loop_dead` above, give or take what the beat is late.
        if not blind or not 8 < float(blind[1]) < PATIENCE:
            raise Failed("/metrics does not tell how long canaryd was blind: "
                         f"{blind[0] if blind else 'no canaryd_last_blind_seconds'}")
        if not re.search(r'^canaryd_last_stall_timestamp_seconds\{.*subject="loop"', page, re.M):
            raise Failed("/metrics does not tell of the stall before the restart")
        say(f"the new canaryd tells of the stall and of {float(blind[1]):.1f} s without watching")
        dumps = [path.name for path in self.folder.rglob("dumps/*")]
        if not dumps:
            raise Failed("no dump was left behind")

    def expire(self):
        since = len(self.webhook.received)
        self.owner.stdin.write("expire 3\n")
        self.owner.stdin.flush()
        self.owner.stdout.readline()
        self.only_page("TufMetadataExpired", since)
        labels = self.webhook.alerts("/pager", since=since)[0]
        if (labels["probe"], labels["role"]) != ("releases", "timestamp"):
            raise Failed(f"the page is about {labels}")

    def die(self):
        since = len(self.webhook.received)
        self.canaryd.kill_for_good()
        say("canaryd is killed for good")
        self.only_page("CanarydDown", since)

    def vanish(self):
        since = len(self.webhook.received)
        self.target()
        say("its target is gone")
        self.only_page("CanarydAbsent", since)


def tell(options, folder, cleanup):
    story = Story(options, folder, cleanup)
    try:
        for chapter in (story.quiet, story.hang, story.expire, story.die, story.vanish):
            chapter()
    except Failed:
        for where, state, labels, _ in story.webhook.received:
            print(f"  {where} {state} {labels['alertname']} {labels}")
        raise
    say("the end")


def main():
    return run_test(__doc__, ("project", "canaryd", "repository", "hang"),
                    ("prometheus", "prometheus-alertmanager"), tell)


if __name__ == "__main__":
    sys.exit(main())
