// SPDX-License-Identifier: Apache-2.0
// How much validity must be left of what ends: metadata, certificates, keys.
// Thread: none (plain values).
#pragma once

#include <chrono>

namespace canary::config {

using std::chrono::seconds;

// A remaining validity. A fitted one ("up to 7d") is shortened for roles that are valid for so
// short a time that it would be a large share of it; one that is not holds as it stands.
struct ExpiryThreshold {
  constexpr ExpiryThreshold() = default;
  template <class Rep, class Period>
  constexpr ExpiryThreshold(std::chrono::duration<Rep, Period> value) : span(value) {}
  static constexpr ExpiryThreshold up_to(seconds most) {
    ExpiryThreshold threshold{most};
    threshold.fitted = true;
    return threshold;
  }
  seconds span{0};
  bool fitted = false;
  friend bool operator==(ExpiryThreshold const&, ExpiryThreshold const&) = default;
};

// Remaining validity below which an expiry is a warning, or critical. critical <= warning.
struct ExpiryThresholds {
  ExpiryThreshold warning;
  ExpiryThreshold critical;  // 0: critical only once expired
  friend bool operator==(ExpiryThresholds const&, ExpiryThresholds const&) = default;
};

}  // namespace canary::config
