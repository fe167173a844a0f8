# SPDX-License-Identifier: Apache-2.0
"""A Prometheus with a copy of the shipped rules in which every span of time is divided by one
factor, told of canaryds by name."""
import json
import re
import subprocess
import urllib.parse

from scaled import scaled
from harness import get, listening_port

FACTOR = 60     # an hour is a minute
SCRAPE = "1s"    # a minute: the longest that the rules promise to hold at


class Prometheus:
    def __init__(self, project, folder, cleanup, alertmanager=None):
        self.targets = folder / "targets.json"
        self.known = {}
        rules = (project / "config/prometheus/canaryd.rules.yml").read_text()
        self.alerts = re.findall(r"alert: (\S+)", rules)
        (folder / "canaryd.rules.yml").write_text(scaled(rules, FACTOR))
        config = (project / "config/prometheus/prometheus.yml").read_text()
        config = re.sub(r"(scrape_interval|scrape_timeout|evaluation_interval): \w+",
                        rf"\1: {SCRAPE}", config)
        if alertmanager:
            config = config.replace("127.0.0.1:9093", alertmanager)
        else:
            config = re.sub(r"\nalerting:\n(?:  .*\n)+", "\n", config)
        config = re.sub(r'static_configs:\n\s+- targets: \["127.0.0.1:9732"\]',
                        f"file_sd_configs: [{{files: [{self.targets}], refresh_interval: 1s}}]",
                        config)
        (folder / "prometheus.yml").write_text(config)
        self.write()
        log = open(folder / "prometheus.log", "w")
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/tsdb", "--web.listen-address=127.0.0.1:0",
             "--web.enable-remote-write-receiver",
             # What nobody makes any more is gone soon. Five seconds would be in proportion, and
             # more than a busy machine keeps.
             "--query.lookback-delta=15s", "--rules.alert.resend-delay=1s"],
            stdout=log, stderr=log)
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        self.port = listening_port(process, "prometheus")

    def write(self):
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}"],
                                      "labels": {"instance": name}}
                                     for name, port in self.known.items()]))
        fresh.rename(self.targets)

    def know(self, **ports):
        self.known.update(ports)
        self.write()

    def forget_all(self):
        self.known = {}
        self.write()

    def query(self, expression):
        """The series that it has now; None where Prometheus does not answer."""
        answer = get(f"http://127.0.0.1:{self.port}/api/v1/query?query="
                     + urllib.parse.quote(expression))
        if not answer or answer[0] != 200:
            return None
        return json.loads(answer[1])["data"]["result"]

    def scrapes_all(self):
        found = self.query('count(max_over_time(up{instance!="sender"}[1m]) == 1)')
        return bool(found) and int(found[0]["value"][1]) == len(self.known)
