// SPDX-License-Identifier: Apache-2.0
// What a probe of keys is told.
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

namespace canary::openpgp {

struct Spec {
  std::vector<std::string> keys;          // files and URLs: as clients have them
  std::vector<std::string> served;        // likewise: as who begins today gets them
  std::vector<std::string> signed_files;  // "FILE" (clearsigned) or "FILE SIGNATURE"
  std::vector<std::string> signers;       // fingerprints and key ids of who signs
  std::vector<std::string> clients{"apt-2", "apt-3"};
  std::uint64_t max_bytes = std::uint64_t{8} << 20;  // of one file
  config::ExpiryThresholds expiry{config::ExpiryThreshold::up_to(std::chrono::days{60}),
                                  config::ExpiryThreshold::up_to(std::chrono::days{14})};
  config::ExpiryThresholds refusal{std::chrono::days{180}, std::chrono::days{30}};

  static constexpr std::string_view kKind = "openpgp";
  static constexpr bool kFetches = true;
  static constexpr bool kRunsPrograms = false;
  std::string location() const { return keys.empty() ? "openpgp" : shown(keys.front()); }
  // The first server that is asked; files have none.
  std::string host() const;
  std::size_t connections() const { return 1; }
  // For people: of a URL without what its query holds.
  static std::string shown(std::string const& source);
  friend bool operator==(Spec const&, Spec const&) = default;
};

void describe(config::FieldVisitor& visitor, Spec& spec);
void describe_defaults(config::FieldVisitor& visitor, Spec& spec);

// A URL, or a file's path as a URL; nothing where it is neither. Relative paths begin with "./" and
// start at the working directory.
std::optional<config::Url> source_url(std::string const& source);

// "FILE SIGNATURE": two sources; the second is "" where the signature stands in the file.
struct SignedSource {
  std::string data, signature;
};
SignedSource split_signed(std::string const& text);

}  // namespace canary::openpgp
