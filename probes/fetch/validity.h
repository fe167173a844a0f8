// SPDX-License-Identifier: Apache-2.0
// How long certificates hold.
// Thread: none (a value).
#pragma once

#include <chrono>

namespace canary::fetch {

// Of the certificate of a chain that ends first.
struct Validity {
  std::chrono::sys_seconds begins{}, ends{};
  friend bool operator==(Validity const&, Validity const&) = default;
};

}  // namespace canary::fetch
