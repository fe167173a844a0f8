// SPDX-License-Identifier: Apache-2.0
// The fixed root and key that the fuzz target and its seeds share.
#pragma once

#include <string>

#include "probes/tuf/authoring.h"

namespace canary::tuf::fuzz {

inline constexpr Time kNow = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};

inline SigningKey const& signer() {
  static SigningKey const key = SigningKey::ed25519("fuzz");
  return key;
}

inline RootSpec root_spec() {
  RootSpec spec = a_repository(kNow).roots[0];
  spec.root = spec.timestamp = spec.snapshot = spec.targets = {{signer()}};
  return spec;
}

inline std::string const& root() {
  static std::string const bytes = sign_metadata(root_json(root_spec()), std::vector{signer()});
  return bytes;
}

}  // namespace canary::tuf::fuzz
