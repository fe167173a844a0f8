#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/runbook.md as a page: HTML by lowdown, in a source file that the program carries.

usage: runbook.py RUNBOOK.md > runbook_text.cc

Each section can be linked to as it is written (#CanarydDown) and in lower case, as other viewers of
Markdown have it; an index comes first. No brace is left: the page is a template.
"""
import re
import subprocess
import sys

HEADING = re.compile(r'<h([1-6]) id="([^"]*)">(.*?)</h\1>')
PIECE = 12_000  # compilers have a longest literal
BEGIN = """// SPDX-License-Identifier: Apache-2.0
// Written by daemon/publish/page/runbook.py.
#include <array>

#include "daemon/publish/page/runbook.h"

namespace canary::daemon::page {
namespace {

constexpr std::array<std::string_view, %d> kPieces{
"""
END = """};

}  // namespace

std::span<std::string_view const> runbook_pieces() { return kPieces; }

}  // namespace canary::daemon::page
"""


def rendered(file):
    done = subprocess.run(["lowdown", "-Thtml", file], capture_output=True, encoding="utf-8",
                          check=True)
    return done.stdout


def page(text):
    index, sections = [], []

    def heading(found):
        level, slug, title = int(found[1]), found[2], found[3]
        if level == 1 and not index:
            index.append("")  # the page's own
            return f"<h1>{title}</h1>"
        sections.extend([title] if level == 1 else [])
        level = level if sections else 1  # before the first section there is none to be in
        own = title if re.fullmatch(r"[A-Za-z]+", title) else slug
        other = f' id="{slug}"' if slug != own else ""
        index.append(f'<a href="#{own}">{title}</a>' if found[1] != "1" else f"<br><b>{title}</b>")
        return f'<h{level + 1} id="{own}"><a{other} href="#{own}">{title}</a></h{level + 1}>'

    text = HEADING.sub(heading, text)
    text = re.sub(r' style="[^"]*"', "", text)  # the policy forbids it
    text = re.sub(r'<a href="[^"#:]+\.md[^"]*">(.*?)</a>', r"\1", text)  # other files of docs/
    text = text.replace("<table>", '<div class="wrap" tabindex="0" role="region" '
                        'aria-label="What to do by finding"><table>')
    text = text.replace("</table>", "</table></div>")
    text = text.replace("<pre>", '<pre tabindex="0">')
    top, bottom = text.split("</h1>", 1)
    links = "\n".join(each for each in index if each)
    contents = f'<details class="index"><summary>All sections</summary><p>{links}</p></details>'
    text = f'<div class="text">{top}</h1>\n{contents}{bottom}</div>\n'
    return text.replace("{", "&#123;").replace("}", "&#125;")


def main(file):
    text = page(rendered(file))
    if ')page"' in text:
        sys.exit("the runbook would end its own literal")
    pieces = [text[at:at + PIECE] for at in range(0, len(text), PIECE)]
    sys.stdout.write(BEGIN % len(pieces))
    sys.stdout.write("".join(f'R"page({each})page",\n' for each in pieces))
    sys.stdout.write(END)


if __name__ == "__main__":
    main(*sys.argv[1:])
