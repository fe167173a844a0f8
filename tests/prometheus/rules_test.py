#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alert rules, by Prometheus' and Alertmanager's own tools and against the rest of the project.

usage: rules_test.py TEST PROJECT_FOLDER [FILE], where TEST is one of the functions named at the end
Exits 77 where a tool is missing.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import rule_cases

# canaryd's own page where it says where that is, else the installed file.
RUNBOOK = ('{{ with query \\"canaryd_web_info\\" }}{{ . | first | label \\"url\\" }}runbook{{ else }}'
           'file:///usr/share/doc/canaryd/runbook.md{{ end }}#')
# Metrics that Prometheus makes by itself.
OWN = {"up", "ALERTS"}


class Project:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.prometheus = self.root / "config/prometheus"
        self.rules = self.prometheus / "canaryd.rules.yml"
        # Each rule: its lines from `- alert:` or `- record:` to the next.
        self.blocks = re.split(r"\n      - (?=alert:|record:)", self.rules.read_text())[1:]
        self.alerts = {re.match(r"alert: (\S+)", block)[1]: block
                       for block in self.blocks if block.startswith("alert:")}
        self.records = [re.match(r"record: (\S+)", block)[1]
                        for block in self.blocks if block.startswith("record:")]


def fail(lines):
    print(*lines, sep="\n")
    sys.exit(1)


def tool(*command):
    """Runs it; skips the test where it is not installed."""
    if not shutil.which(command[0]):
        print(f"skipped: {command[0]} is not installed")
        sys.exit(77)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=270)
    print(done.stdout, done.stderr)
    return done.returncode


def check_rules(project):
    if tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", project.rules) != 0:
        fail(["promtool check rules: see above"])


def check_config(project):
    if tool("promtool", "check", "config", project.prometheus / "prometheus.yml") != 0:
        fail(["promtool check config: see above"])


def check_alertmanager(project):
    if tool("amtool", "check-config", project.prometheus / "alertmanager.yml") != 0:
        fail(["amtool check-config: see above"])


def unit_tests(project, file):
    rule_cases.require_tools()
    rules = rule_cases.Rules(rule_cases.read(project.rules))
    cases = rule_cases.read(project.prometheus / "tests" / file)
    sys.exit(rule_cases.run(rules, {pathlib.Path(file).stem: cases}))


def anchors(markdown):
    """As renderers make them from headings: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def documented(project):
    wrong = []
    runbook = (project.root / "docs/runbook.md").read_text()
    known = anchors(runbook)
    for name, block in project.alerts.items():
        for field in ("summary", "description", "runbook_url"):
            if not re.search(rf"^          {field}: \".+\"$", block, re.M):
                wrong.append(f"{name} has no {field}")
        url = re.search(r'runbook_url: "(.+)"', block)
        if url and url[1] != RUNBOOK + name.lower():
            wrong.append(f"{name}'s runbook_url is {url[1]}")
        if name.startswith(("Tuf", "Openpgp", "Repo")) and name != "RepoNamesUnresolved":
            for needed in ("$labels.repo ", "$labels.metadata_url ", "          since: ",
                           "          page: ", "group_left (repo, host, metadata_url)"):
                if needed not in block:
                    wrong.append(f"{name} does not tell {needed.strip()}")
        if name.lower() not in known:
            wrong.append(f"docs/runbook.md has no section {name}")
        if not re.search(r"severity: (critical|warning|none)\n", block + "\n"):
            wrong.append(f"{name}'s severity is none of critical, warning, none")
    for section in re.split(r"^## ", runbook, flags=re.M)[1:]:
        name = section.split("\n", 1)[0]
        if " " in name:
            continue
        if name not in project.alerts:
            wrong.append(f"docs/runbook.md describes {name}, which is no alert")
        commands = re.search(r"```sh\n(.*?)\n```", section, re.S)
        if not commands or len(commands[1].splitlines()) != 3:
            wrong.append(f"docs/runbook.md: {name} has not three commands")
        if "**Meaning.**" not in section or "**Do.**" not in section:
            wrong.append(f"docs/runbook.md: {name} lacks what it means or what to do")
    if wrong:
        fail(wrong)


def every_rule_is_tested(project):
    names = "\n".join(match for path in (project.prometheus / "tests").glob("*.yml")
                      for match in re.findall(r"^  - name: (.+)$", path.read_text(), re.M))
    wrong = [f"{rule} has no test that {word}" for rule in [*project.alerts, *project.records]
             for word in ("fires", "nearly") if f"{rule} {word}" not in names]
    if wrong:
        fail(wrong)


def inhibition(project):
    """Names in Alertmanager's matchers are those of alerts, and each pattern matches some."""
    text = (project.prometheus / "alertmanager.yml").read_text()
    wrong = []
    patterns = re.findall(r"alertname(=~|!~|=|!=)\"([^\"]+)\"", text)
    if len(patterns) < 20:
        wrong.append("alertmanager.yml: the matchers could not be read")
    for operator, pattern in patterns:
        for alternative in split_alternatives(pattern):
            if not any(re.fullmatch(alternative, name) for name in project.alerts):
                wrong.append(f"alertmanager.yml: no alert is called {alternative}, as in "
                             f"alertname{operator}{pattern}")
    if wrong:
        fail(wrong)


def split_alternatives(pattern):
    """'A(B|C)|D' becomes AB, AC, D."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(pattern):
        depth += (letter == "(") - (letter == ")")
        if letter == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
    parts.append(pattern[start:])
    result = []
    for part in parts:
        group = re.search(r"\(([^()]*)\)", part)
        if group:
            result += [part[:group.start()] + word + part[group.end():]
                       for word in group[1].split("|")]
        else:
            result.append(part)
    return result


def used_metrics(project):
    """Metric names in the rules' expressions: words that look like ours, histograms by family."""
    text = "\n".join(re.sub(r"^        annotations:.*", "", block, flags=re.M | re.S)
                     for block in project.blocks)
    text = re.sub(r"^(alert|record): .*$", "", text, flags=re.M)
    text = re.sub(r'"[^"]*"', '""', text)
    names = set(re.findall(r"(?<![\w:])(?:canaryd|process)_[a-z_]+(?![\w:])", text))
    return {re.sub(r"_bucket$", "", name) for name in names}


def dashboard_queries(project):
    """(panel, query) of the Grafana dashboard."""
    file = project.root / "config/grafana/canaryd.json"
    panels = json.loads(file.read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels
            for target in panel.get("targets", [])]


def dashboard(project):
    """Its queries are PromQL, and read what canaryd exports or the rules record."""
    queries = dashboard_queries(project)
    rules = {"groups": [{"name": "dashboard", "rules": [
        {"record": f"panel:canaryd:{number}",
         "expr": query.replace("$__rate_interval", "1m").replace("$", "")}
        for number, (_, query) in enumerate(queries)]}]}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "dashboard.yml"
        file.write_text(json.dumps(rules))
        if tool("promtool", "check", "rules", "--lint=none", file) != 0:
            fail(["promtool check rules: see above"])
    known = exported(project)
    wrong = []
    for panel, query in queries:
        text = re.sub(r'"[^"]*"', '""', query)
        for name in re.findall(r"(?<![\w:])(?:canaryd|process)_[a-z_]+(?![\w:])", text):
            if re.sub("_bucket$", "", name) not in known:
                wrong.append(f"the panel {panel} reads {name}, which canaryd does not export")
        for name in re.findall(r"[a-z]+:[\w:]+", text):
            if name not in project.records:
                wrong.append(f"the panel {panel} reads {name}, which no rule records")
    if wrong:
        fail(wrong)


def exported(project):
    emitted = set()
    for path in (project.root / "probes").glob("*/declaration.h"):
        emitted |= set(re.findall(r'"(canaryd_[a-z_]+)"', path.read_text()))
    for path in (project.root / "daemon/metrics").glob("*.h"):
        emitted |= set(re.findall(r'\{"((?:canaryd|process)_[a-z_]+)",', path.read_text()))
    return emitted


def known_metrics(project):
    """Every metric that a rule reads is one of the table's, or one that a kind of probe declares."""
    emitted = exported(project)
    used = used_metrics(project)
    if len(used) < 30:
        fail([f"only {len(used)} metrics were found in the rules: this test reads them badly"])
    wrong = [f"the rules read {name}, which canaryd does not export" for name in sorted(used - emitted)]
    if wrong:
        fail(wrong)


if __name__ == "__main__":
    tests = {test.__name__: test for test in
             (check_rules, check_config, check_alertmanager, unit_tests, documented,
              every_rule_is_tested, inhibition, known_metrics, dashboard)}
    tests[sys.argv[1]](Project(sys.argv[2]), *sys.argv[3:])
