// SPDX-License-Identifier: Apache-2.0
// What a probe of one URL is told. How the client behaves stands beside it, in the same section.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/probe_spec.h"
#include "probes/fetch/message.h"

namespace canary::http {

struct Spec {
  config::Url url;
  std::optional<std::string> method;  // GET
  std::optional<std::string> body;
  std::vector<std::string> status{"200-299"};  // each a status or a range
  bool follow_redirects = true;
  int redirects = -1;                    // so many; -1: any number
  std::optional<config::Url> final_url;  // after redirects
  // Of headers, "NAME: EXPRESSION".
  std::vector<std::string> header_matches, header_not_matches;
  // Of the body.
  std::optional<std::string> contains, not_contains, matches, not_matches;
  std::vector<std::string> json;  // "POINTER: VALUE" or "POINTER"
  std::optional<std::string> sha256;
  std::uint64_t min_size = 0, max_size = 0;  // 0: any
  std::uint64_t max_bytes = std::uint64_t{16} << 20;
  config::ExpiryThresholds expiry{config::ExpiryThreshold::up_to(std::chrono::days{21}),
                                  config::ExpiryThreshold::up_to(std::chrono::days{7})};

  static constexpr std::string_view kKind = "http";
  static constexpr bool kFetches = true;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return url.text(); }
  std::string host() const { return url.origin(); }
  std::size_t connections() const { return 1; }
  // Is the body looked into, and so held in memory?
  bool searches() const {
    return contains || not_contains || matches || not_matches || !json.empty();
  }
  std::string verb() const { return method.value_or("GET"); }
  std::vector<fetch::StatusRange> statuses() const;
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

// "404" or "200-299"; nothing where it is neither.
std::optional<fetch::StatusRange> parse_status(std::string_view text);

// "NAME: REST" with NAME before the first ": "; REST is "" where there is none.
struct Pair {
  std::string name, rest;
};
Pair split(std::string const& text);

}  // namespace canary::http
