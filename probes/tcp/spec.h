// SPDX-License-Identifier: Apache-2.0
// What a probe of a server that speaks first, or answers a line, is told.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/probe_spec.h"

namespace canary::tcp {

struct Spec {
  std::string address;              // "host:port", "[2001:db8::1]:873"
  std::optional<std::string> send;  // once connected, with escapes; nothing where not given
  // What the answer must be, all of them that are given; where none is, a connection is enough.
  std::optional<std::string> starts_with, contains, matches;
  std::uint64_t max_bytes = 4096;  // read of the answer
  config::IpFamily ip_family = config::IpFamily::any;
  std::chrono::milliseconds resolve_timeout{5'000};
  std::chrono::milliseconds connect_timeout{10'000};  // all addresses together
  std::chrono::milliseconds idle_timeout{10'000};     // longest silence of the server

  static constexpr std::string_view kKind = "tcp";
  static constexpr bool kFetches = false;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return "tcp://" + address; }
  std::string host() const { return location(); }
  std::size_t connections() const { return 1; }
  bool expects() const { return starts_with || contains || matches; }
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

// \r \n \t \\ and \xHH as the bytes they mean; nothing where another escape is in it.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace canary::tcp
