// SPDX-License-Identifier: Apache-2.0
// One line of the log: packed into a fixed space by whoever logs, and turned into text by the
// writer.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "daemon/log/log.h"

namespace canary::daemon {

// Packs message and fields into `space` without allocating; gives the bytes used. What does not
// fit is cut, and the line says so. REQUIRES: space for at least 64 bytes.
std::size_t pack_line(std::span<char> space, std::string_view message, LogFields fields);

// Appends the packed line without its time: `level=info msg="..." key=value`, or the members of a
// JSON object (no braces) in the same order.
void append_line(std::string& out, config::LogFormat format, config::LogLevel level,
                 std::span<char const> packed);

std::string_view to_text(config::LogLevel level);  // "debug" "info" "warn" "error"

}  // namespace canary::daemon
