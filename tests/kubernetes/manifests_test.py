#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifests of config/kubernetes, strictly decoded by the types of Kubernetes (main.go) and of
prometheus-operator (operator.go). The operator's rules are those of config/prometheus, which
CANARY_WRITE_DOCS=1 writes there.

usage: manifests_test.py PROJECT_FOLDER
Exits 77 where Go is missing, or its modules are not here and cannot be had.
"""
import os
import pathlib
import shutil
import subprocess
import sys


def go(*arguments):
    return subprocess.run(["go", *arguments], cwd=pathlib.Path(__file__).parent,
                          capture_output=True, text=True)


def write_rules(rules):
    """The same rules, as the operator wants them."""
    body = rules[rules.index("groups:\n"):]
    indented = "".join(f"  {line}" if line.strip() else line for line in body.splitlines(True))
    return ("# SPDX-License-Identifier: Apache-2.0\n"
            "# Written by a test from config/prometheus/canaryd.rules.yml; change that one.\n"
            "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n"
            f"metadata:\n  name: canaryd\nspec:\n{indented}")


def main():
    project = pathlib.Path(sys.argv[1]).resolve()
    rules = project / "config/prometheus/canaryd.rules.yml"
    made = project / "config/kubernetes/operator/prometheusrule.yaml"
    wanted = write_rules(rules.read_text())
    if os.environ.get("CANARY_WRITE_DOCS"):
        made.write_text(wanted)
    if not made.exists() or made.read_text() != wanted:
        print(f"{made} is not made of {rules}; CANARY_WRITE_DOCS=1 {sys.argv[0]} writes it")
        return 1
    if not shutil.which("go"):
        print("skipped: go is not installed")
        return 77
    modules = go("mod", "download")
    if modules.returncode != 0:
        print(f"skipped: no modules: {modules.stderr.strip()[-300:]}")
        return 77
    done = go("run", ".", str(project / "config/kubernetes"), str(rules))
    print(done.stdout, done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
