#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Objects that run while the allocator or a lock may be held must not call either.

usage: allowed_symbols_test.py LIBRARY.a ALLOWED.txt
Every undefined symbol of LIBRARY's objects must be in ALLOWED (a symbol a line, '#' for comments,
'file.cc.o: symbol' for one object alone, '*' there for all) or defined by another object of the library.
"""
import re
import subprocess
import sys

SANITIZER = re.compile(r"__(asan|tsan|ubsan|sanitizer|llvm)_")


def main(allowed_path, *libraries):
    general, special = set(), {}
    for line in open(allowed_path, encoding="utf-8"):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if ": " in line:
            file, symbol = line.split(": ")
            special.setdefault(file, set()).add(symbol)
        else:
            general.add(line)
    output = subprocess.run(["nm", "-C", *libraries], check=True, capture_output=True, text=True)
    undefined, defined, file = {}, set(), ""
    for line in output.stdout.splitlines():
        if line.endswith(".o:"):
            file = line[:-1]
        elif match := re.match(r"^[0-9a-f ]*\s([A-Za-z]) (.+)$", line):
            if match[1] == "U":
                undefined.setdefault(file, set()).add(match[2])
            else:
                defined.add(match[2])
    wrong = [
        (file, symbol)
        for file, symbols in undefined.items()
        if "*" not in special.get(file, set())
        for symbol in sorted(symbols - defined - general - special.get(file, set()))
        if not SANITIZER.match(symbol)
    ]
    for file, symbol in wrong:
        print(f"{file} calls {symbol}, which is not allowed where nothing may lock or allocate")
    if not undefined:
        print(f"{libraries} have no objects")
    return 1 if wrong or not undefined else 0


sys.exit(main(*sys.argv[1:]))
