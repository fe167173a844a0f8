// SPDX-License-Identifier: Apache-2.0
// Small words that the text and the JSON of a dump share.
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/dump/read/document.h"

namespace canary::dump {

std::string span_text(std::int64_t nanoseconds);  // "41.2 s"; as FixedText::span
std::string place_text(Place const& place);       // "probes/fetch/client.cc:88"; "" for none
std::string size_text(std::uint64_t bytes);       // "12.3 MiB"
std::string utc_text(std::int64_t wall_ns);       // "2026-03-04T05:06:07.089Z"
std::string hex_text(std::uint64_t value);        // "0x1f"

// "std::thread::_Invoker::operator()" out of five lines of templates: without their arguments and
// those of the call.
std::string short_function(std::string_view function);

// Did the next process write it, of one that had ended?
bool is_post_mortem(DumpDocument const& document);
// "stall-000012-loop" and the like are file names; this is what the dump is about in one line.
std::string headline(DumpDocument const& document);

// The place in the source that is most likely the cause: the first frame of the culprit's stack
// that is the program's own; nullptr where the stack has none.
NativeFrame const* culprit_frame(DumpDocument const& document);

// "sigstore > tuf.timestamp > http.read" for the row `at` of the run.
std::string chain_text(RunState const& run, std::size_t at);

}  // namespace canary::dump
