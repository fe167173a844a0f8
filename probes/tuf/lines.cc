// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/lines.h"

#include <cstdint>

namespace canary::tuf {

std::optional<std::string_view> take_until(std::string_view& text, char end) {
  auto const at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  auto const taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

std::optional<Time> time_of(std::optional<std::string_view> text) {
  constexpr std::int64_t kMost = 253'402'300'800;  // the year 10000
  auto const seconds = number<std::int64_t>(text);
  if (!seconds || *seconds < -kMost || *seconds > kMost) return std::nullopt;
  return Time{std::chrono::seconds{*seconds}};
}

std::string seconds_text(Time time) { return std::to_string(time.time_since_epoch().count()); }

}  // namespace canary::tuf
