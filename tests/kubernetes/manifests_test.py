#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The manifests of config/kubernetes, strictly decoded by Kubernetes' own types (main.go).

usage: manifests_test.py PROJECT_FOLDER
Exits 77 where Go is missing, or its modules are not here and cannot be had.
"""
import pathlib
import shutil
import subprocess
import sys


def go(*arguments):
    return subprocess.run(["go", *arguments], cwd=pathlib.Path(__file__).parent,
                          capture_output=True, text=True)


def main():
    if not shutil.which("go"):
        print("skipped: go is not installed")
        return 77
    modules = go("mod", "download")
    if modules.returncode != 0:
        print(f"skipped: no modules: {modules.stderr.strip()[-300:]}")
        return 77
    done = go("run", ".", str(pathlib.Path(sys.argv[1]).resolve() / "config/kubernetes"))
    print(done.stdout, done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
