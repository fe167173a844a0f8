// SPDX-License-Identifier: Apache-2.0
// Text from a stranger (a server, a file) made safe for where it is shown.
// Thread: none (pure).
#pragma once

#include <string>
#include <string_view>

namespace canary::daemon {

// `text` with each byte that is not valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

// For HTML content and quoted attributes: & < > " ' as entities; control characters, among them
// those that reverse the direction of text, as U+FFFD.
std::string html(std::string_view text);

// Appends a JSON string with its quotes; invalid UTF-8 becomes U+FFFD; control characters, line
// separators and direction marks are escaped, so that a terminal is safe too.
void append_json(std::string& out, std::string_view text);

// Appends a logfmt value: bare where it is plain, else quoted with the escapes of append_json
// (\xNN for bytes that are not UTF-8), always on one line.
void append_logfmt(std::string& out, std::string_view text);

}  // namespace canary::daemon
