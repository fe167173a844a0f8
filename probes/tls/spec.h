// SPDX-License-Identifier: Apache-2.0
// What a probe of a server's certificates is told.
// Thread: none (immutable once built).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/probe_spec.h"

namespace canary::tls {

enum class StapleWanted : std::uint8_t { ignored, checked, required };

struct Spec {
  std::string address;              // "host:port", "[2001:db8::1]:443"
  std::optional<std::string> name;  // asked for and expected; the address's host where not given
  config::ExpiryThresholds expiry{config::ExpiryThreshold::up_to(std::chrono::days{21}),
                                  config::ExpiryThreshold::up_to(std::chrono::days{7})};
  StapleWanted staple = StapleWanted::checked;
  std::optional<std::filesystem::path> ca_file;  // PEM; instead of the system's
  config::IpFamily ip_family = config::IpFamily::any;
  std::chrono::milliseconds resolve_timeout{5'000};
  std::chrono::milliseconds connect_timeout{10'000};  // all addresses together
  std::chrono::milliseconds tls_timeout{10'000};

  static constexpr std::string_view kKind = "tls";
  static constexpr bool kFetches = false;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return "tls://" + address; }
  std::string host() const { return location(); }
  std::size_t connections() const { return 1; }
  // The name that the certificate must be for.
  std::string expected_name() const;
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

}  // namespace canary::tls
