// SPDX-License-Identifier: Apache-2.0
// When to try again, and where to go on.
// Thread: none (pure). Source: RFC 9110 sections 10.2.3 (Retry-After), 13.1.5 (If-Range),
// 14.4 (Content-Range), 5.6.7 (dates).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/probe_spec.h"
#include "probes/fetch/fault.h"

namespace canary::fetch {

// True for a status that speaks of now only: 408, 425, 429 and most of 5xx.
bool may_pass(int status);

// True for what may be different the next time: no answer, or a status that may pass. What cannot
// be (no such name, a refused certificate, our own settings, a wrong answer) ends at once.
bool is_worth_retrying(Fault const& fault);

// How long to wait before attempt `attempt` + 1 (attempts count from 1): doubled per attempt, up
// to the limit, less a part (at most half) that depends on `seed` alone.
std::chrono::milliseconds backoff(config::HttpSettings const& settings, std::uint32_t attempt,
                                  std::string_view seed);

// A Retry-After value, in seconds or as a date, as a span from `now`; never negative, at most ten
// years. Nothing where it is neither.
std::optional<std::chrono::seconds> retry_after(std::string_view value,
                                                std::chrono::sys_seconds now);

// "Sun, 06 Nov 1994 08:49:37 GMT" and nothing else.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

// "bytes 5-9/10" -> {5, 9, 10}; "bytes 5-9/*" has no total.
struct ContentRange {
  std::uint64_t first = 0, last = 0;
  std::optional<std::uint64_t> total;
};
std::optional<ContentRange> parse_content_range(std::string_view value);

// What If-Range may hold for an answer with these headers (empty where absent): its strong ETag,
// or its Last-Modified where that is at least a minute older than Date. Nothing: do not resume.
std::optional<std::string> validator(std::string_view etag, std::string_view last_modified,
                                     std::string_view date);

}  // namespace canary::fetch
