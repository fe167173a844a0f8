// SPDX-License-Identifier: Apache-2.0
// What a client can read, by its Accept and Accept-Encoding, and an answer made so.
// Thread: any (pure).
// Sources: RFC 9110 sections 12.4.2, 12.5.1 and 12.5.3; OpenMetrics 1.0.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace canary::daemon {

// Of an Accept-Encoding: gzip, x-gzip or `*` with a weight above zero, gzip's own before the
// star's.
bool accepts_gzip(std::string_view accept_encoding);

// Of an Accept: the version ("1.0.0", "0.0.1") of application/openmetrics-text that the client
// likes better than text/plain; empty where it wants the text format, or says nothing that decides.
std::string_view wanted_openmetrics(std::string_view accept);

// `text` as RFC 1952 has it, at zlib's fastest level: one pass, 256 KiB of its own and what comes
// out. Nothing for a text that is not worth it or is longer than kLongestGzip, or where there is no
// memory.
std::optional<std::string> gzip(std::string_view text);
inline constexpr std::size_t kShortestGzip = 1'024;
inline constexpr std::size_t kLongestGzip = std::size_t{256} << 20;

// A page in Prometheus' text format as OpenMetrics: a counter's family goes without `_total`, what
// is a counter by type and not by name is of unknown type, quotes are escaped in HELP, and `# EOF`
// ends it. Samples are the same in both.
std::string to_openmetrics(std::string_view page);

}  // namespace canary::daemon
