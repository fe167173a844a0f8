# SPDX-License-Identifier: Apache-2.0
"""Runs cases of promtool's on the rules that can say something in them.

promtool evaluates every rule at each step of each case, and a case has series for a few of them. A
rule of which no series is there says nothing: it is left out, and the result is the same, for every
rule that could speak is there, whether the case asks for it or not. A case without any series keeps
them all: it proves that the rest says nothing by itself.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import promql

try:
    import yaml
except ImportError:
    yaml = None


def require_tools():
    for tool, there in (("promtool", shutil.which("promtool")), ("python3-yaml", yaml)):
        if not there:
            print(f"skipped: {tool} is not installed")
            sys.exit(77)


def read(path):
    return yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class Rule:
    def __init__(self, group, number, document):
        self.group, self.number, self.document = group, number, document
        self.alert, self.record = document.get("alert"), document.get("record")
        self.can_speak = promql.parsed(document["expr"])


class Rules:
    def __init__(self, document):
        self.groups = document["groups"]
        self.rules = [Rule(group, number, rule) for group, each in enumerate(self.groups)
                      for number, rule in enumerate(each["rules"])]

    def speaking(self, case):
        """Those that can say something in a case, by its own series or by those of other rules."""
        metrics = {re.match(r"[A-Za-z_:][\w:]*", series["series"])[0]
                   for series in case["input_series"]}
        if not metrics:
            return self.rules
        alerts, found = set(), []

        def exists(name, matchers):
            if name not in ("ALERTS", "ALERTS_FOR_STATE"):
                return name in metrics
            named = re.search(r'alertname=~?"([^"]*)"', matchers)
            return any(re.fullmatch(named[1], alert) for alert in alerts) if named else True
        while True:
            now = [rule for rule in self.rules if rule.can_speak(exists)]
            if len(now) == len(found):
                return now
            found = now
            metrics |= {rule.record for rule in found if rule.record}
            alerts |= {rule.alert for rule in found if rule.alert}

    def document(self, chosen):
        groups = [{**group, "rules": [rule.document for rule in chosen if rule.group == number]}
                  for number, group in enumerate(self.groups)]
        return {"groups": [group for group in groups if group["rules"]]}


def write_cases(rules, document, folder):
    """A document of cases as a file for each, called as the case is, so that promtool names it.
    Groups are evaluated in the order of the rules' file: else promtool takes any, anew each time."""
    files = []
    for number, case in enumerate(document["tests"]):
        name = re.sub(r"\W+", "-", f"{number + 1} {case['name']}")[:120]
        kept, file = folder / f"{name}.rules.yml", folder / f"{name}.yml"
        chosen = rules.document(rules.speaking(case))
        kept.write_text(json.dumps(chosen))  # JSON is YAML
        file.write_text(json.dumps({
            **document, "rule_files": [kept.name], "tests": [case],
            "group_eval_order": [group["name"] for group in chosen["groups"]]}))
        files.append(file)
    return files


def run(rules, documents):
    """Runs documents of cases, by name, on the rules that they need; promtool's exit status."""
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for name, document in documents.items():
            folder = pathlib.Path(scratch) / name
            folder.mkdir()
            files += write_cases(rules, document, folder)
        # What promtool keeps is little, what it throws away is much: collected less often.
        return subprocess.run(["promtool", "test", "rules", *files], timeout=270,
                              env={**os.environ, "GOGC": "400"}).returncode
