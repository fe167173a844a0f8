// SPDX-License-Identifier: Apache-2.0
// Text written by the rules of a format. Text from outside is harmless by then (config/harmless.h).
// Thread: none (pure).
#pragma once

#include <string>
#include <string_view>

namespace canary::daemon {

// For HTML content and quoted attributes: & < > " ' as entities.
std::string html(std::string_view text);

// Appends a JSON string with its quotes. REQUIRES: valid UTF-8.
void append_json(std::string& out, std::string_view text);

// Appends a logfmt value: bare where it is plain, else quoted with the escapes of JSON, always on
// one line.
void append_logfmt(std::string& out, std::string_view text);

}  // namespace canary::daemon
