#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads every #include and holds it against the one picture of who may know whom:

    config, runtime  <-  probes  <-  daemon

Third-party headers that are heavy or dangerous have one home each. Exits 1 with a line for each
include that points the wrong way.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)

# Folder of the file -> folders of ours it may include. The longest prefix wins.
ALLOWED = {
    "config": ["config"],
    "runtime": ["config/harmless.h", "config/result.h", "runtime"],
    "probes": ["config", "runtime", "probes"],
    "probes/fetch": ["config", "runtime", "probes/fetch", "probes/openssl_memory.h", "probes/phase_times.h"],
    "probes/tuf": ["config", "runtime", "probes"],
    "daemon": ["config", "runtime", "probes", "daemon"],
    "daemon/text": ["config/harmless.h", "daemon/text"],
    "daemon/metrics": ["probes/shown.h", "daemon/metrics"],
    "daemon/results": ["config", "probes/report.h", "probes/reason.h", "probes/declaration.h", "daemon/results", "daemon/text",
                       "runtime/contract.h"],
    "daemon/history": ["config", "probes/report.h", "runtime", "daemon/history", "daemon/log"],
    "daemon/push": ["config", "runtime", "probes/fetch", "daemon/log", "daemon/push"],
    "daemon/discovery": ["config", "runtime", "probes/fetch", "probes/kind.h", "probes/tuf/digest.h", "probes/tuf/store_folder.h",
                         "daemon/log", "daemon/results", "daemon/discovery"],
    "daemon/publish": ["config", "daemon/push/counts.h", "probes/report.h", "probes/declaration.h", "probes/explanation.h", "probes/steps.h", "daemon/results", "daemon/publish",
                       "daemon/metrics", "daemon/text", "daemon/history",
                       "daemon/watchdog/tell/status.h", "daemon/watchdog/tell/current.h",
                       "daemon/watchdog/sample/answering.h", "daemon/watchdog/tell/health.h",
                       "daemon/watchdog/sample/self_channels.h", "daemon/watchdog/sample/tables_view.h",
                       "runtime/aside.h", "runtime/deadline.h", "runtime/file_identity.h", "runtime/crash.h",
                       "runtime/limits.h", "runtime/tables.h", "runtime/thread_row.h"],
    # The watchdog: judge <- sample <- tell <- act <- its face.
    "daemon/watchdog": ["config", "runtime/crash.h", "runtime/published.h", "runtime/tables.h",
                        "daemon/text/fixed_text.h", "daemon/watchdog"],
    "daemon/watchdog/judge": ["runtime/published.h", "runtime/tables.h",
                              "daemon/text/fixed_text.h", "daemon/watchdog/judge"],
    "daemon/watchdog/sample": ["runtime/tables.h", "daemon/text/fixed_text.h",
                               "daemon/watchdog/judge", "daemon/watchdog/sample"],
    "daemon/watchdog/tell": ["runtime/published.h", "runtime/tables.h", "daemon/metrics",
                             "daemon/log",  # whose ring takes no lock
                             "daemon/text/fixed_text.h", "daemon/text/system_calls.h",
                             "daemon/watchdog/judge", "daemon/watchdog/sample",
                             "daemon/watchdog/tell"],
    "daemon/watchdog/act": ["config/fnv.h", "runtime/published.h", "runtime/tables.h", "runtime/thread_row.h",
                            "daemon/text/fixed_text.h", "daemon/watchdog/judge",
                            "daemon/watchdog/sample", "daemon/watchdog/tell",
                            "daemon/watchdog/act"],
    # Dumps: write <- capture <- read <- render <- helper, and what is above them all.
    "daemon/dump": ["runtime", "daemon/watchdog", "daemon/dump", "daemon/text"],
    "daemon/dump/write": ["runtime/tables.h", "daemon/watchdog/judge", "daemon/text",
                          "daemon/dump/write"],
    "daemon/dump/capture": ["runtime", "daemon/watchdog/judge", "daemon/text",
                            "daemon/dump/write", "daemon/dump/capture"],
    "daemon/dump/read": ["runtime", "daemon/watchdog/judge", "daemon/text", "daemon/dump/write",
                         "daemon/dump/capture", "daemon/dump/read"],
    "daemon/dump/render": ["config/harmless.h", "runtime", "daemon/watchdog/judge", "daemon/text",
                           "daemon/dump/write", "daemon/dump/capture", "daemon/dump/read",
                           "daemon/dump/render"],
    "daemon/dump/helper": ["runtime", "daemon/watchdog/judge", "daemon/text", "daemon/dump/write",
                           "daemon/dump/capture", "daemon/dump/read", "daemon/dump/render",
                           "daemon/dump/helper"],
    "tests": ["config", "runtime", "probes", "daemon", "tests"],
}
# The engine: bytes in, verdict out. Neither Asio nor a clock nor a file.
PURE = {"authoring", "canonical_json", "delegation", "digest", "expires", "fields", "json", "keys",
        "metadata", "notice", "parse", "rejection", "role_name", "signing_key", "target_file",
        "threshold", "trusted_metadata"}
# Header prefix -> files (or folders) outside tests/ that may include it.
ONE_HOME = {
    "prometheus/": ["daemon/publish/exposition.cc"],
    "spdlog/": ["daemon/log/", "daemon/versions/"],
    "yaml-cpp/": ["config/yaml.cc", "config/show.cc"],
    "microhttpd.h": ["daemon/publish/", "daemon/demo/file_server.cc", "daemon/versions/"],
    "gnutls/": ["daemon/publish/"],
    "protozero/": ["daemon/push/write_request.cc", "daemon/versions/"],
    "snappy": ["daemon/push/write_request.cc", "daemon/versions/"],
    "crypt.h": ["daemon/publish/passwords.cc"],
    "ares.h": ["runtime/", "daemon/versions/"],
    "CLI/": ["daemon/main.cc", "daemon/cli/", "probes/tuf/"],
    "boost/asio/io_context.hpp": ["runtime/loop.cc"],
    "boost/asio/co_spawn.hpp": ["runtime/spawn.cc"],
    "boost/asio/detached.hpp": [],
    "boost/asio/thread_pool.hpp": [],
    "boost/asio/ip/tcp.hpp": ["probes/fetch/", "runtime/"],
    "boost/url/": ["config/url.cc"],
    "boost/beast": ["probes/fetch/", "runtime/asio.cc"],
    "nlohmann/": [],
    "re2/": ["probes/pattern.cc"],
    "rnp/": ["probes/openpgp/rnp"],
    "sqlite3.h": ["daemon/history/database.cc", "daemon/versions/"],
    "ncurses.h": ["daemon/cli/terminal.cc"],
    "kainjow/": ["daemon/publish/page/render.cc"],
}


def rule_for(path):
    best = max((p for p in ALLOWED if path.startswith(p + "/")), key=len, default=None)
    return ALLOWED[best] if best else None


def problems(path, text):
    ours = ("config/", "runtime/", "probes/", "daemon/", "tests/")
    allowed = rule_for(path)
    pure = path.startswith("probes/tuf/") and pathlib.PurePath(path).stem in PURE
    for header in INCLUDE.findall(text):
        if header.startswith(ours) and allowed is not None:
            if not any(header == a or header.startswith(a + "/") for a in allowed):
                yield f"{path} includes {header}; it may include {', '.join(allowed)}"
        if pure and (header.startswith(("boost/asio", "runtime/", "filesystem", "fstream"))):
            yield f"{path} includes {header}: the TUF engine does no I/O"
        if path.startswith("tests/"):
            continue
        for prefix, homes in ONE_HOME.items():
            if header.startswith(prefix) and not any(path.startswith(h) for h in homes):
                yield f"{path} includes {header}; its home is {', '.join(homes) or 'nowhere'}"


def main():
    found = []
    for folder in ("config", "runtime", "probes", "daemon", "tests"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".h", ".cc"):
                path = file.relative_to(ROOT).as_posix()
                found += problems(path, file.read_text())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    # A rule that cannot fail is no rule: each kind is seen to fire first.
    assert list(problems("config/x.cc", '#include "daemon/app/app.h"\n'))
    assert list(problems("probes/tuf/parse.cc", "#include <boost/asio/post.hpp>\n"))
    assert list(problems("daemon/app/app.cc", "#include <boost/asio/io_context.hpp>\n"))
    assert list(problems("daemon/watchdog/judge/judgement.h",
                         '#include "daemon/watchdog/tell/status.h"\n'))
    assert list(problems("daemon/dump/write/section_writer.h",
                         '#include "daemon/dump/capture/raw_dump.h"\n'))
    sys.exit(main())
