// SPDX-License-Identifier: Apache-2.0
// What is odd about an answer whose bytes are taken all the same, because most clients take them.
// Thread: none (pure). Source: tried on curl 7.88.1, Go 1.26.8 (net/http) and Python 3.11
// (urllib3 2.8.0): tests/fetch/oddity_test.cc has what each of them does.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace canary::fetch {

enum class Oddity : std::uint8_t {
  version,            // neither HTTP/1.0 nor HTTP/1.1, but as they are
  reason_nul,         // a NUL in the status line
  folded_length,      // a Content-Length on a line of its own
  tab_before_colon,   // between a header's name and its ':'
  header_name,        // empty, or with characters that no name has
  header_value,       // control characters in it
  content_length,     // more than a number
  transfer_encoding,  // something besides "chunked"
  chunked_http10,     // chunked in an answer of HTTP/1.0
  content_encoding,   // one that some would decode
  long_header,        // a line above 64 KiB
  many_headers,       // 100 or more
  interim,            // 1xx other than 100 before the answer
  status_not_200,     // another 2xx
  chunk_extension,    // blank before it, or above 4 KiB
  chunk_line_end,     // a size without CR
  many_redirects,     // more than three
  location_bytes,     // not ASCII
  location_escape,    // a '%' without two digits
  locations,          // two of them
  downgraded,         // redirected from https to http
};
// A clause for people: "a header without a name, which Go refuses".
std::string to_text(Oddity oddity);

using Oddities = std::vector<Oddity>;  // each once
void note(Oddities& oddities, Oddity oddity);

}  // namespace canary::fetch
