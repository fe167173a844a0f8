// SPDX-License-Identifier: Apache-2.0
#include "daemon/push/delivery.h"

#include <algorithm>

#include "config/fnv.h"

namespace canary::push {
namespace {

// They speak of the way, of who asks or of how much: of the samples they say nothing.
bool is_about_the_request(int status) {
  switch (status) {
    case 401:
    case 403:
    case 404:
    case 405:
    case 407:
    case 408:
    case 425:
    case 429:
      return true;
    default:
      return false;
  }
}

}  // namespace

Outcome outcome_of(int status, std::uint32_t attempts) {
  if (status >= 200 && status < 300) return Outcome::taken;
  if (status == 500) return attempts < kMostErrors ? Outcome::later : Outcome::refused;
  if (status >= 400 && status < 500 && !is_about_the_request(status)) return Outcome::refused;
  return Outcome::later;
}

std::chrono::milliseconds backoff(std::uint32_t attempts, std::string_view who) {
  constexpr std::int64_t kFirst = 1'000, kMost = 30'000;
  std::int64_t const span =
      std::min(kFirst << std::min(attempts - std::min(attempts, 1U), 5U), kMost);
  auto const spread =
      static_cast<std::int64_t>(fnv1a(&attempts, sizeof attempts, fnv1a(who)) % 501);
  return std::chrono::milliseconds{span * (750 + spread) / 1'000};
}

}  // namespace canary::push
