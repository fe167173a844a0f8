// SPDX-License-Identifier: Apache-2.0
// A dump for people, rendered from the live tables into preallocated memory: what is stuck and for
// how long, every run's logical stack, what is pending. Without functions of the native stack,
// which only the dump helper can name.
// Thread: any, one at a time per buffer; async-signal-safe, no floating point.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/watchdog/judge/verdict.h"
#include "runtime/tables.h"

namespace canary::dump {

struct EmergencyText {
  std::span<watchdog::Incident const> incidents;
  std::string_view reason;
  std::string_view versions;  // only its first line is shown
  std::string_view raw_name;  // where the rest is
  std::int64_t now_ns = 0;    // monotonic
  std::int64_t wall_ns = 0;
};

// Returns how many characters of `into` were written; what does not fit is cut.
std::size_t render_emergency_text(runtime::Tables& tables, EmergencyText const& about,
                                  std::span<char> into);

}  // namespace canary::dump
