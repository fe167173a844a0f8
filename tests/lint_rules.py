#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules that no compiler knows, read from the sources.

    lint_rules.py [FILE...]      all files of the project where none is given

Banned words have a reason and, where they have one, a home. Beside them: what GCC 12 turns into a
double free, a capturing lambda or an aggregate temporary inside the full expression of a co_await.
Exits 1 with `file:line: what` for each.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("config", "runtime", "probes", "daemon", "tests")

# What, where it is allowed all the same (files or folders), and why not.
BANNED = [
    (r"\basio::use_awaitable\b(?!_t)", [], "loses the call site: use runtime's token"),
    (r"\basio::detached\b", [], "nothing runs detached: use a TaskGroup"),
    (r"\basio::deferred\b", [], "loses the call site: use runtime's token"),
    (r"\bco_spawn\b", ["runtime/spawn.cc"], "its one home is runtime/spawn.cc"),
    (r"\bio_context\s+\w+\s*[;({]", ["runtime/loop.cc"], "Loop owns the only io_context"),
    (r"\bio_context>?\s*\(\s*\)|make_(unique|shared)<[^>]*io_context>", ["runtime/loop.cc"],
     "Loop owns the only io_context"),
    (r"\bthread_pool\b", [], "a second scheduler: use runtime::Workers"),
    (r"\bstd::async\b", [], "use runtime::Workers"),
    (r"\bgetaddrinfo\s*\(", ["daemon/publish/listen_socket.cc"],  # numeric addresses only
     "blocks on name servers: use runtime::Resolver"),
    (r"\bgethostbyname", [], "blocks on name servers: use runtime::Resolver"),
    # Threads that are no loop: the log's writer, the watchdog, the helper that reads dumps, main
    # before there is one.
    (r"\bthis_thread::sleep_", ["daemon/log/log.cc", "daemon/app/dumps.cc",
                                "daemon/app/anew.cc", "daemon/app/state_lock.cc",
                                "daemon/cli/running_daemon.cc", "daemon/dump/",
                                "daemon/watchdog/"],
     "a thread that sleeps answers nobody"),
    (r"\b(usleep|nanosleep)\s*\(", ["daemon/dump/", "daemon/watchdog/",
                                      "runtime/crash.cc",  # the process ends meanwhile
                                      "runtime/thread_pool.cc"],  # at its end, for its threads
     "a thread that sleeps answers nobody"),
    (r"\.detach\s*\(\s*\)", ["daemon/log/log.cc", "daemon/watchdog/", "daemon/dump/",
                            "runtime/aside.cc"],  # calls that may never return
     "threads are joined"),
]
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                   r"(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
LAMBDA = re.compile(r"(?<![\w\])])\[(?!\s*\]|\[)[^\]\[]*\]\s*(?:\(|\{|mutable\b)")
# Type{something} as an argument or operand. A named call of a constructor, Type(…), is safe.
RANGE = re.compile(r"\bfor\s*\([^;{}]*[^:]:[^:;{}]*\bco_await\b")
# A result of a call that is taken out where it stands.
TAKEN_OUT = re.compile(r"\bfor\s*\([^;{}]*[^:]:[^:;{}]*\)\s*\.\s*value\(\)")
# Durations have constructors.
AGGREGATE = re.compile(r"(?:(?<=[(,=])\s*|\bco_await\s+)(?!std::chrono::)(?:[A-Za-z_][\w:]*(?:<[^;{}]*>)?)?\s*\{(?!\s*\})")


def blanked(text):
    """The text with comments and literals as blanks, lines kept."""
    return TOKEN.sub(lambda found: re.sub(r"[^\n]", " ", found.group(0)), text)


def full_expression(text, start):
    """From a co_await to the end of its statement or of the bracket that it stands in."""
    depth = 0
    for at in range(start, len(text)):
        char = text[at]
        depth += char in "([{"
        depth -= char in ")]}"
        if depth < 0 or (char == ";" and depth == 0):
            return text[start:at]
    return text[start:]


def problems(path, text):
    code = blanked(text)
    line = lambda at: code.count("\n", 0, at) + 1
    if not path.startswith("tests/"):
        for pattern, homes, why in BANNED:
            if any(path.startswith(home) for home in homes):
                continue
            for found in re.finditer(pattern, code):
                yield f"{path}:{line(found.start())}: {found.group(0).strip()}: {why}"
    for found in RANGE.finditer(code):
        yield (f"{path}:{line(found.start())}: a co_await in the range of a for: "
               "what it returns is gone before the loop; name it first")
    for found in TAKEN_OUT.finditer(code):
        yield (f"{path}:{line(found.start())}: value() of a call in the range of a for: "
               "what it was taken out of is gone before the loop; name it first")
    for found in re.finditer(r"\bco_await\b", code):
        expression = full_expression(code, found.start())
        for pattern, what in ((LAMBDA, "a capturing lambda"), (AGGREGATE, "an aggregate")):
            if pattern.search(expression):
                yield (f"{path}:{line(found.start())}: {what} inside a co_await: "
                       "GCC 12 destroys it twice; name it first")


def lost_mutations():
    """Each known mistake of `./canary mutate` needs its line, once: a run of it takes long."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(ROOT / "tests/mutate"))
    from known import KNOWN
    for name, path, right, wrong in KNOWN:
        times = (ROOT / path).read_text().count(right)
        if times != 1 or right == wrong:
            yield f"tests/mutate/known.py: {name}: its line is in {path} {times} times, not once"


def main(arguments):
    files = [pathlib.Path(each).resolve() for each in arguments]
    if not files:
        files = [f for folder in FOLDERS for f in sorted((ROOT / folder).rglob("*"))]
    found = [] if arguments else list(lost_mutations())
    for file in files:
        if file.suffix in (".h", ".cc") and ROOT in file.parents:
            found += problems(file.relative_to(ROOT).as_posix(), file.read_text())
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


# A rule that cannot fail is no rule: each is seen to fire first, and to leave its neighbour alone.
BAD = ["asio::use_awaitable)", "asio::detached", "co_spawn(", "boost::asio::io_context other;",
       "std::async(", "::getaddrinfo(a", "asio::thread_pool pool;",
       "co_await run([&] { return 1; });", "co_await run(trace, Request{.url = url});",
       "co_await run({.url = url});", "x = co_await Limits{1};",
       "for (auto& x : (co_await all()).value()) {", "for (auto& x : all(of).value().entries) {"]
GOOD = ["asio::use_awaitable_t<>", "// std::async(", '"asio::detached"', "co_await run(list[0]);",
        "co_await run({}, now);", "auto f = [&] { return 1; }; co_await run(f);",
        "if (co_await ok()) { x = {1}; }", "co_await run([] { return 1; });",
        "co_await at(std::chrono::hours{1});", "for (auto& x : loaded.value().probes) {"]

if __name__ == "__main__":
    for each in BAD:
        assert list(problems("daemon/app/x.cc", each)), each
    for each in GOOD:
        assert not list(problems("daemon/app/x.cc", each)), each
    sys.exit(main(sys.argv[1:]))
