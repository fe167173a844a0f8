#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a shell offers after part of a command line, with the completion that canaryd writes.

usage: completion_test.py bash|zsh|fish CANARYD
Exits 77 where the shell is not installed.
"""
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time

# Words so far, the last one begun: what must be offered, and what must not.
CASES = [
    (["ru"], {"run"}, {"check"}),
    (["con"], {"config"}, {"run"}),
    (["config", ""], {"check", "show", "diff"}, {"run"}),
    (["run", "--log.l"], {"--log.level"}, {"--root"}),
    (["run", "--log.level", ""], {"debug", "info", "warn", "error"}, {"json"}),
    (["check", "--ro"], {"--root"}, {"--log.level"}),
    (["status", "--output", "j"], {"json"}, {"text"}),
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
    """zsh completes only at a terminal: Tab and Ctrl-D's list, as they are drawn."""
    folder = pathlib.Path(script).parent
    (folder / "_canaryd").write_text(pathlib.Path(script).read_text())
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({"TERM": "dumb", "PS1": "", "ZDOTDIR": str(folder), "COLUMNS": "200"})
        os.execvp("zsh", ["zsh", "-f", "-i"])
    drawn = b""

    def until(mark, limit=20):
        nonlocal drawn
        deadline = time.monotonic() + limit
        while mark not in drawn and time.monotonic() < deadline:
            drawn += os.read(terminal, 65536)

    line = " ".join(["canaryd", *words])
    try:
        os.write(terminal, b"stty -echo; PROMPT=; setopt nobeep; unsetopt zle_bracketed_paste\n")
        os.write(terminal, f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; "
                           "zstyle ':completion:*' list-prompt ''; LISTMAX=1000; "
                           "echo rea''dy\n".encode())
        until(b"ready")
        drawn = b""
        # The unique word is filled in and echoed; of several the list is drawn.
        os.write(terminal, f"{line}\t\x04".encode())
        os.write(terminal, b"\x15echo do''ne\n")
        until(b"done")
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return re.sub(rb"[^\x20-\x7e]+", b" ", drawn).decode().split()


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
