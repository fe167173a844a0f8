// SPDX-License-Identifier: Apache-2.0
// A dump as text for people and as JSON for programs.
// Thread: none (pure).
#pragma once

#include <string>

#include "daemon/dump/read/document.h"

namespace canary::dump {

// What is stuck, where and since when in the first ten lines; the rest after it, most telling
// first. Ends with a newline. docs/hangs.md explains it.
std::string render_text(DumpDocument const& document);

// One object; every time is in seconds, `null` where there is none.
std::string render_json(DumpDocument const& document);

}  // namespace canary::dump
