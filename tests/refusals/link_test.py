#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A translation unit without the tracking hook, or with another Asio, must not be linked with ours.

    link_test.py COMPILER SOURCE_DIR LIBRARY...

Compiles and links the same two files three times: as canaryd is compiled (must link), with one of
them without the hook, and with one of them against another version of Asio (must not link, and the
linker's error must name that file and what it asked for).
"""
import os
import subprocess
import sys
import tempfile

COMPILER, SOURCE, *LIBRARIES = sys.argv[1:]
FOLDER = os.path.join(SOURCE, "tests/refusals")
SEPARATE = ["-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_ASIO_NO_DEPRECATED"]
HOOK = ['-DBOOST_ASIO_CUSTOM_HANDLER_TRACKING="runtime/tracking_hook.h"']


def compile_file(into, name, flags):
    output = os.path.join(into, name + ".o")
    subprocess.run([COMPILER, "-std=c++20", "-O0", "-I", SOURCE, *flags, *SEPARATE, "-c",
                    os.path.join(FOLDER, name), "-o", output], check=True)
    return output


def link(into, objects):
    return subprocess.run([COMPILER, "-o", os.path.join(into, "program"), *objects, *LIBRARIES],
                          capture_output=True, text=True)


def main():
    failures = []
    with tempfile.TemporaryDirectory() as into:
        ours = compile_file(into, "loads_fine.cc", HOOK)
        good = link(into, [ours, compile_file(into, "without_hook.cc", HOOK)])
        if good.returncode != 0:
            failures.append("the files as canaryd compiles them do not link:\n" + good.stderr)

        bare = link(into, [ours, compile_file(into, "without_hook.cc", [])])
        print("without the hook:\n" + bare.stderr)
        if bare.returncode == 0:
            failures.append("a file without the hook was linked")
        elif "without_hook.cc.o" not in bare.stderr or "post_immediate_completion" not in bare.stderr:
            failures.append("the error does not name the file and what it asks for")

        other = link(into, [ours, compile_file(into, "without_hook.cc", [
            "-I", os.path.join(FOLDER, "other_version"), *HOOK])])
        print("with another version of Asio:\n" + other.stderr)
        if other.returncode == 0:
            failures.append("a file with another Asio was linked")
        elif "without_hook.cc.o" not in other.stderr or "of_asio_102700" not in other.stderr:
            failures.append("the error does not name the file and its Asio")
    for failure in failures:
        print("FAILED: " + failure)
    sys.exit(1 if failures else 0)


main()
