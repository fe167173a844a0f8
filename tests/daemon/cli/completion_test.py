#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a shell offers after part of a command line, with the completion that canaryd writes.

usage: completion_test.py bash|zsh|fish CANARYD
Exits 77 where the shell is not installed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Words so far, the last one begun: what must be offered, and what must not.
CASES = [
    (["ru"], {"run"}, {"check"}),
    (["con"], {"config"}, {"run"}),
    (["config", ""], {"check", "show", "diff"}, {"run"}),
    (["run", "--log.l"], {"--log.level"}, {"--root"}),
    (["run", "--log.level", ""], {"debug", "info", "warn", "error"}, {"json"}),
    (["check", "--ro"], {"--root"}, {"--log.level"}),
    (["status", "--output", "j"], {"json"}, {"text"}),
    (["check", "--output", ""], {"text", "json", "junit", "nagios"}, {"csv"}),
    (["check", "tls", "--ex"], {"--explain", "--expiry.warning", "--expiring-within"}, {"--root"}),
    (["check", "tls", "--"], {"--address", "--output"}, {"--root", "--targets"}),
    (["check", "tls", "--output", "n"], {"nagios"}, {"text"}),
    (["check", "--root", "pin"], {"pinned.json"}, {"--root"}),
]


def offered_by_bash(script, words):
    program = (f'source "{script}"; COMP_WORDS=(canaryd "$@"); COMP_CWORD=$#; _canaryd; '
               '[ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "${!#}")); '
               'printf "%s\\n" "${COMPREPLY[@]}"')
    return subprocess.run(["bash", "-euc", program, "bash", *words], capture_output=True, text=True,
                          check=True).stdout.split()


def offered_by_fish(script, words):
    line = " ".join(["canaryd", *words])
    done = subprocess.run(["fish", "--no-config", "-c",
                           f'source "{script}"; complete -C "{line}"'],
                          capture_output=True, text=True, check=True)
    return [each.split("\t")[0] for each in done.stdout.splitlines()]


def offered_by_zsh(script, words):
    """zsh completes only at a terminal: what its own functions would be told is looked at."""
    program = (f'words=(canaryd "$@"); CURRENT=$#words; PREFIX=$words[-1]; '
               '_describe() { print -rl -- ${(P)2}; }; _arguments() { print -rl -- "$@"; }; '
               f'source "{script}"')
    specs = subprocess.run(["zsh", "-fuc", program, "zsh", *words], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    before, begun = words[-2] if len(words) > 1 else "", words[-1]
    for spec in specs:
        values = re.fullmatch(r"(-[^\[]*)\[.*\]:value:(.*)", spec)
        if values and values[1] == before:  # its value comes next
            return ([each for each in values[2].strip("()").split() if each.startswith(begun)]
                    if values[2].startswith("(") else list(map(str, pathlib.Path().iterdir())))
    return [name for spec in specs if (name := re.split(r"[\[:]", spec)[0]).startswith(begun)]


def main(shell, canaryd):
    if not shutil.which(shell):
        print(f"skipped: {shell} is not installed")
        return 77
    script = subprocess.run([canaryd, "completion", shell], capture_output=True, text=True,
                            check=True).stdout
    offered = {"bash": offered_by_bash, "fish": offered_by_fish, "zsh": offered_by_zsh}[shell]
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        path = pathlib.Path(folder) / "completion"
        path.write_text(script)
        pathlib.Path("pinned.json").touch()
        for words, wanted, unwanted in CASES:
            got = set(offered(path, words))
            if not wanted <= got or unwanted & got:
                wrong.append(f"canaryd {' '.join(words)}<Tab>: {sorted(got)}")
    print("\n".join(wrong) or f"{len(CASES)} cases")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
