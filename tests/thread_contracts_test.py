#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A header that says "Thread: loop" says it in code, too: what it declares calls
require_loop_thread(), which ends the process in debug and sanitizer builds. Exits 1 with a line for
each header that only says so.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAYS = re.compile(r"^// (?:.*\W)?Thread: loop\b", re.M)

# What is not called across threads by itself, and why.
WITHOUT = {
    "probes/probe.h": "declares values and run_probe(), which every kind checks",
    "probes/fetch/pool.h": "a member of the client, which checks",
    "probes/fetch/services.h": "plain members; each checks for itself",
    "probes/fetch/transfer.h": "a value of the client, which checks",
    "probes/tuf/bounded_work.h": "made and used by Refresh, which checks",
    "runtime/file_threads.h": "waits by events, which check",
    "runtime/job.h": "waits by events, which check",
    "runtime/known_file.h": "waits by jobs",
    "runtime/leaf.h": "the hook's; each thread has its own",
    "runtime/task.h": "names a type",
    "runtime/trace.h": "written at every wait: the wait checks",
}


def main() -> int:
    wrong = []
    seen = set()
    for folder in ("config", "probes", "runtime", "daemon"):
        for header in sorted((ROOT / folder).rglob("*.h")):
            name = header.relative_to(ROOT).as_posix()
            text = header.read_text()
            if not SAYS.search(text.split("#pragma once")[0]):
                continue
            source = header.with_suffix(".cc")
            whole = text + (source.read_text() if source.exists() else "")
            seen.add(name)
            checks = "require_loop_thread(" in whole
            if not checks and name not in WITHOUT:
                wrong.append(f'{name}: says "Thread: loop" and does not check it')
            if checks and name in WITHOUT:
                wrong.append(f"{name}: checks, and is listed as without a check all the same")
    wrong += [f"{name}: is listed as without a check and says nothing of a thread" for name in WITHOUT
              if name not in seen]
    print("\n".join(wrong))
    return 1 if wrong or len(seen) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
