#!/usr/bin/env python3
# clang-tidy over files that are compiled, two at once on two cores. A file that was clean is not
# looked at again until it, something it includes, its compile command or .clang-tidy changes.
#   tests/tidy.py BUILD FILE...     exit status 0: no finding; 1: findings, printed
# What is known to be clean is kept in BUILD/tidy, a file for each. What a file includes is known
# from its last compilation (ninja); one that was not compiled is looked at each time.
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

TIDY = "clang-tidy-19"


def dependencies(build):
    """Object -> the files it was made from, those of this project alone.
    Not of an object that is stale or gone: what is known of it is of an earlier compilation."""
    known, made_from = {}, []
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True).stdout
    for line in text.splitlines():
        if not line.startswith("    "):
            made_from = []
            if "(VALID)" in line:
                known[line.split(":", 1)[0]] = made_from
        else:
            path = os.path.realpath(os.path.join(build, line.strip()))
            if path.startswith(os.getcwd() + os.sep):
                made_from.append(path)
    return known


class Key:
    """What a clean result depends on, as a digest."""

    def __init__(self):
        self.version = subprocess.run([TIDY, "--version"], capture_output=True).stdout
        self.digests = {}

    def digest(self, path):
        if path not in self.digests:
            file = pathlib.Path(path)  # may be gone since the last compilation
            content = file.read_bytes() if file.exists() else b""
            self.digests[path] = hashlib.sha256(content).digest()
        return self.digests[path]

    def settings(self, file):
        folders = list(pathlib.Path(os.path.relpath(file)).parents)
        return b"".join((folder / ".clang-tidy").read_bytes()
                        for folder in reversed(folders) if (folder / ".clang-tidy").exists())

    def of(self, file, command, made_from):
        key = hashlib.sha256(self.version + self.settings(file) + command.encode())
        for path in sorted(set(made_from)):
            key.update(path.encode() + self.digest(path))
        return key.hexdigest()


def tidy(build, file):
    ran = subprocess.run([TIDY, "-p", build, "--quiet", file], capture_output=True, text=True)
    return ran.returncode, ran.stdout


def main():
    build, wanted = sys.argv[1], {os.path.realpath(f) for f in sys.argv[2:]}
    made_from, key = dependencies(build), Key()
    kept = pathlib.Path(build, "tidy")
    kept.mkdir(exist_ok=True)
    work, commands = {}, {}  # commands: of a file that several targets compile, the first
    for entry in json.load(open(os.path.join(build, "compile_commands.json"))):
        file = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        if file not in wanted or file in commands:
            continue
        commands[file] = entry
        made = shlex.split(entry["command"])
        sources = made_from.get(made[made.index("-o") + 1])
        name = os.path.relpath(file).replace(os.sep, "+")
        digest = key.of(file, entry["command"], sources) if sources else ""
        clean = kept / name
        if digest and clean.exists() and clean.read_text() == digest:
            continue
        work[file] = (clean, digest)
    (kept / "compile_commands.json").write_text(json.dumps(list(commands.values())))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(tidy, str(kept), file): file for file in work}
        for done, run in enumerate(concurrent.futures.as_completed(runs), 1):
            clean, digest = work[runs[run]]
            code, text = run.result()
            print(f"[{done}/{len(work)}] {os.path.relpath(runs[run])}", file=sys.stderr)
            if code != 0:
                failed += 1
                print(text, flush=True)
            elif digest:
                clean.write_text(digest)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
