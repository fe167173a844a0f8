#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A manual page from a page of docs/, by lowdown.

usage: man.py NAME SECTION DESCRIPTION FILE.md VERSION DATE > PAGE

What Markdown and manual pages do differently is put right first: a page has a NAME and a SYNOPSIS,
links become words, and a table becomes a list of terms, which a terminal of any width can show.
"""
import re
import subprocess
import sys

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def cells(row):
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def term(row, titles):
    """`field` | `5m` | what it means: the field with its value, then what it means."""
    first, *middle, last = (cell.replace("\\|", "|") for cell in row)
    beside = "; ".join(f"{title} {cell}" for title, cell in zip(titles[1:-1], middle) if cell)
    name = f"{first} ({beside})" if beside else first
    return f"{name}\n\n: {last or 'see above'}\n"


def lists(lines):
    """Tables as lists of terms."""
    out, at = [], 0
    while at < len(lines):
        table = []
        while at < len(lines) and lines[at].startswith("|"):
            table.append(cells(lines[at]))
            at += 1
        if len(table) > 2:
            out += ["", *("\n".join(term(row, table[0]) for row in table[2:]).splitlines()), ""]
        elif table:
            sys.exit(f"a table of {len(table)} lines")
        else:
            out.append(lines[at])
            at += 1
    return out


def links(text, seen):
    def words(found):
        page = found[2].partition("#")[0]
        if page.endswith(".md"):
            seen.setdefault(page.rsplit("/", 1)[-1], None)
            return found[1]
        return found[1] if page in ("", found[1]) else f"{found[1]} <{found[2]}>"
    return LINK.sub(words, text)


def page(name, section, description, markdown):
    title, _, body = markdown.partition("\n")
    if not title.startswith("# "):
        sys.exit(f"expected a title, got {title!r}")
    seen = {}
    lines, code = [], False
    for line in links(body, seen).splitlines():
        code ^= line.startswith("```")
        heading = re.fullmatch(r"##(#*) (.*)", line)
        if heading and not code:
            line = f"##{heading[1][1:]} {heading[2]}" if heading[1] else f"# {heading[2].upper()}"
        lines.append(line)
    start = next((i for i, line in enumerate(lines) if line.startswith("# ")), len(lines))
    introduction, rest = lines[:start], lines[start:]
    # The first indented block of the introduction is the synopsis.
    synopsis = [i for i, line in enumerate(introduction) if line.startswith("    ")]
    end = next((i for i in range(synopsis[0], len(introduction)) if not introduction[i]),
               len(introduction)) if synopsis else 0
    text = ["# NAME", "", f"{name} - {description}", ""]
    if synopsis:
        text += ["# SYNOPSIS", "", *introduction[synopsis[0]:end], ""]
        del introduction[synopsis[0]:end]
    text += ["# DESCRIPTION", "", *lists(introduction), "", *lists(rest)]
    if seen:
        text += ["", "# SEE ALSO", "", "In /usr/share/doc/canaryd: " + ", ".join(seen) + "."]
    return "\n".join(text) + "\n"


def main(name, section, description, file, version, date):
    with open(file, encoding="utf-8") as source:
        markdown = page(name, section, description, source.read())
    done = subprocess.run(
        ["lowdown", "-s", "-Tman",
         "-M", f"title={name.upper()}", "-M", f"section={section}", "-M", f"date={date}",
         "-M", f"source=canaryd {version}", "-M", "volume=canaryd"],
        input=markdown, capture_output=True, encoding="utf-8", check=True)
    sys.stdout.write(done.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
