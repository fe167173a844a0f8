# SPDX-License-Identifier: Apache-2.0
"""What the watchdog's thread, and the one that answers for the HTTP server, ask of others must
neither lock nor allocate: every symbol that their objects leave undefined is looked up in a list of
what is allowed."""

import pathlib
import re
import subprocess
import sys

ALLOWED = {
    # memory
    "memcpy", "memset", "memmove", "memcmp", "bcmp", "strlen", "strncmp",
    # system calls, thinly wrapped; none of them waits longer than told
    # (pread alone of files, which are those of FILES: nothing is written to a disk)
    "open", "close", "read", "write", "pread", "pread64", "open64",
    "ppoll", "socket", "connect", "send", "sendmsg", "recv",
    "clock_gettime", "gettid", "syscall", "pthread_sigmask", "execve", "_exit",
    "__errno_location",
    # of a listening socket that does not block, and of a connection
    "accept4", "shutdown",
    # of descriptors that are kept in reserve
    "fcntl", "fcntl64",
    # ours, looked through: an atomic load, an addition, a clock
    "canary::runtime::tables()", "canary::runtime::text_at(unsigned int)",
    "canary::runtime::now_ns()",
    "canary::runtime::operation_of_handler(canary::runtime::Tables&)",
}
# What debug information names.
SOURCES = str(pathlib.Path(__file__).parents[3])

# Where what is opened begins: file systems that are in memory. A disk that does not answer would
# hold the one who is to tell of it.
FILES = ("/proc/", "/sys/fs/cgroup")
# What else begins with a slash: paths of HTTP, and those that are put behind one of the above.
NO_FILES = ("/metrics", "/-/", "/cpu.stat", "/dev/null")

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


def texts(archive):
    """Literals of all objects that begin with a slash; two bytes may be anything else."""
    found = set()
    objects = subprocess.run(["ar", "t", archive], check=True, capture_output=True,
                             text=True).stdout.split()
    for each in objects:
        content = subprocess.run(["ar", "p", archive, each], check=True,
                                 capture_output=True).stdout
        for text in re.findall(rb"(?<=\x00)/[a-z-][\x20-\x7e]+(?=\x00)", content):
            found.add((each, text.decode()))
    return found


def strange_files(archives):
    return sorted((each, text) for archive in archives for each, text in texts(archive)
                  if not text.startswith(FILES + NO_FILES) and " " not in text
                  and not re.search(r"\.(cc|h|hpp)$|/include(/|$)", text)
                  and not text.startswith(SOURCES))


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
    strange = strange_files(archives)
    for where, text in strange:
        print(f"{where}: names {text}, which is neither in {FILES} nor known to be no file")
    if wrong or strange:
        sys.exit(1)
    outside = sorted(name for name in undefined if name not in defined)
    print(f"{len(defined)} symbols defined; from outside: {', '.join(outside)}")


if __name__ == "__main__":
    main(sys.argv[1:])
