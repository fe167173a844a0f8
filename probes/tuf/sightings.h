// SPDX-License-Identifier: Apache-2.0
// Which versions of each role a probe has seen, and when: what estimates of validity rest on. Kept
// from run to run in a small file beside the trusted metadata.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "probes/tuf/validity.h"

namespace canary::tuf {

class Sightings {
 public:
  // This version is what is served now. Roles beyond kRoles are not remembered.
  void saw(std::string const& role, std::uint64_t version, Time expires, Time now);
  // Oldest first; the last is what is served now. Empty where the role was never seen.
  SeenVersions const& of(std::string_view role) const;
  // Something was learnt that the file does not say. How long a version is there is worth a write
  // now and then only.
  bool worth_storing() const { return worth_storing_; }

  // `pin` says for which repository: sightings of another one are none. nullopt: damaged. Roles
  // that have been expired for long are left out.
  static std::optional<Sightings> parse(std::string_view text, std::string_view pin, Time now);
  std::string text(std::string_view pin) const;

  static constexpr std::size_t kRoles = 1'024;
  static constexpr std::size_t kVersions = 4;                         // of one role
  static constexpr std::size_t kLongestText = std::size_t{1} << 20U;  // bytes

  friend bool operator==(Sightings const& a, Sightings const& b) { return a.roles_ == b.roles_; }

 private:
  std::map<std::string, SeenVersions, std::less<>> roles_;
  bool worth_storing_ = false;
};

}  // namespace canary::tuf
