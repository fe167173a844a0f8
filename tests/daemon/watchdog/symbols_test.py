# SPDX-License-Identifier: Apache-2.0
"""What the watchdog's thread, and the one that answers for the HTTP server, ask of others must
neither lock nor allocate: every symbol that their objects leave undefined is looked up in a list of
what is allowed."""

import re
import subprocess
import sys

ALLOWED = {
    # memory
    "memcpy", "memset", "memmove", "memcmp", "bcmp", "strlen", "strncmp",
    # system calls, thinly wrapped; none of them waits longer than told
    "open", "close", "read", "write", "pread", "pwrite", "pread64", "pwrite64", "open64",
    "ppoll", "socket", "connect", "send", "sendmsg", "recv",
    "clock_gettime", "gettid", "syscall", "pthread_sigmask", "execve", "_exit",
    "__errno_location",
    # of a listening socket that does not block, and of a connection
    "accept4", "shutdown",
    # ours, looked through: an atomic load, an addition, a clock
    "canary::runtime::tables()", "canary::runtime::text_at(unsigned int)",
    "canary::runtime::now_ns()",
    "canary::runtime::operation_of_handler(canary::runtime::Tables&)",
}
# A position-independent object names its table of offsets.
ALLOWED.add("_GLOBAL_OFFSET_TABLE_")


def symbols(archive):
    """(defined, undefined) of all objects of the archive, demangled, with the object's name."""
    text = subprocess.run(["nm", "-C", "-A", archive], check=True, capture_output=True,
                          text=True).stdout
    defined, undefined = set(), {}
    for line in text.splitlines():
        found = re.match(r".*?:([^:]+):([0-9a-f]*) *([A-Za-z]) (.*)$", line)
        if not found:
            continue
        where, _, kind, name = found.groups()
        if kind in "Uwv":
            undefined.setdefault(name, where)
        else:
            defined.add(name)
    return defined, undefined


def main(archives):
    defined, undefined = set(), {}
    for archive in archives:
        more_defined, more_undefined = symbols(archive)
        defined |= more_defined
        undefined.update(more_undefined)
    if len(defined) < 20:
        sys.exit(f"only {len(defined)} symbols in {archives}: is this the watchdog?")
    wrong = {name: where for name, where in undefined.items()
             if name not in defined and name not in ALLOWED}
    for name, where in sorted(wrong.items()):
        print(f"{where}: calls {name}, which is not known to neither lock nor allocate")
    if wrong:
        sys.exit(1)
    outside = sorted(name for name in undefined if name not in defined)
    print(f"{len(defined)} symbols defined; from outside: {', '.join(outside)}")


if __name__ == "__main__":
    main(sys.argv[1:])
