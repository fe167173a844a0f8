#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which plausible mistakes in the alert rules would the cases of promtool's let pass?

Makes one mistake after the other in each rule, and runs the cases that name the rule, then every
other one in which it can speak, until one fails. Prints the survivors.

usage: mutate_rules.py PROJECT_FOLDER [RULE...]
"""
import copy
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import pace_test
import rule_cases

SWAPS = ((" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "),
         (" == bool ", " != bool "), (" >= bool ", " > bool "), (" > bool ", " >= bool "),
         ("and ", "or "), ("or ", "and "), ("unless ", "and "), ("max ", "min "), ("min ", "max "))


def code(expression):
    """With strings and comments blanked, at the same length."""
    return re.sub(r'"[^"]*"|#.*', lambda found: " " * len(found[0]), expression)


def wrong_expressions(expression):
    """(what, expression) for each place that may be mistaken."""
    blank = code(expression).replace("\n", " ")
    for right, wrong in SWAPS:
        for found in re.finditer(re.escape(right), blank):
            if right[0].isalpha() and (found.start() and re.match(r"[\w:]", blank[found.start() - 1])):
                continue
            yield (f"{right.strip()} becomes {wrong.strip()} at {found.start()}",
                   expression[:found.start()] + wrong + expression[found.end():])
    for found in re.finditer(r"\[(\d+)([mhd])\]", blank):
        for times, word in ((2, "twice as long"), (0.5, "half as long")):
            seconds = int(int(found[1]) * {"m": 60, "h": 3600, "d": 86400}[found[2]] * times)
            yield (f"{found[0]} {word}",
                   f"{expression[:found.start()]}[{seconds}s]{expression[found.end():]}")


def mistakes(rule):
    """(what, the rule as a document) for each."""
    yield "gone", None
    for what, expression in wrong_expressions(rule.document["expr"]):
        yield what, {**rule.document, "expr": expression}
    for field in ("for", "keep_firing_for"):
        if field in rule.document:
            yield f"no {field}", {key: value for key, value in rule.document.items() if key != field}
            number, unit = re.fullmatch(r"(\d+)(\w)", rule.document[field]).groups()
            yield f"{field} twice as long", {**rule.document, field: f"{2 * int(number)}{unit}"}
    if rule.alert:
        other = {"critical": "warning", "warning": "critical", "none": "warning"}
        labels = {"severity": other[rule.document["labels"]["severity"]]}
        yield "another severity", {**rule.document, "labels": labels}


def all_cases(project):
    documents = [rule_cases.read(file) for file in sorted((project / "config/prometheus/tests").glob("*.yml"))]
    documents += pace_test.documents().values()
    return [{**document, "tests": [case]} for document in documents for case in document["tests"]]


def fails(rules, cases):
    """Does one of the cases, each a document, fail on these rules?"""
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for number, case in enumerate(cases):
            folder = pathlib.Path(scratch) / str(number)
            folder.mkdir()
            files += rule_cases.write_cases(rules, case, folder)
        return subprocess.run(["promtool", "test", "rules", *files], capture_output=True,
                              env={**os.environ, "GOGC": "400"}).returncode != 0


def with_mistake(document, rule, wrong):
    """The rules with one of them replaced; None where Prometheus would not load them."""
    changed = copy.deepcopy(document)
    place = changed["groups"][rule.group]["rules"]
    place[rule.number:rule.number + 1] = [wrong] if wrong else []
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        json.dump({"groups": [{"name": "one", "rules": [wrong] if wrong else []}]}, file)
        file.flush()
        checked = subprocess.run(["promtool", "check", "rules", "--lint=none", file.name],
                                 capture_output=True)
    return rule_cases.Rules(changed) if checked.returncode == 0 else None


def is_noticed(rules, rule, cases):
    name = rule.alert or rule.record
    named = [case for case in cases if name in case["tests"][0]["name"]]
    others = [case for case in cases if case not in named]
    parts = [named, *(others[at:at + 8] for at in range(0, len(others), 8))]
    return any(fails(rules, part) for part in parts if part)


def main(project, wanted):
    rule_cases.require_tools()
    document = rule_cases.read(project / "config/prometheus/canaryd.rules.yml")
    rules = rule_cases.Rules(document)
    cases = all_cases(project)
    if fails(rules, cases):
        sys.exit("the cases fail without any mistake")
    speaking = [(case, rules.speaking(case["tests"][0])) for case in cases]
    made, survived = 0, []
    for rule in rules.rules:
        name = rule.alert or rule.record
        if wanted and name not in wanted:
            continue
        where = [case for case, speakers in speaking if rule in speakers]
        outcome = {what: is_noticed(mistaken, rule, where) for what, wrong in mistakes(rule)
                   if (mistaken := with_mistake(document, rule, wrong))}
        made += len(outcome)
        left = [what for what, noticed in outcome.items() if not noticed]
        survived += [f"{name}: {what}" for what in left]
        print(f"{name}: {len(outcome) - len(left)} of {len(outcome)} noticed"
              + "".join(f"; not: {what}" for what in left), flush=True)
    print(f"{made - len(survived)} of {made} mistakes are noticed")
    sys.exit(any(mistake.endswith(": gone") for mistake in survived))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:])
