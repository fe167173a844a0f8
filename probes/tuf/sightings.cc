// SPDX-License-Identifier: Apache-2.0
// A line a version: quoted role, version, expires, first seen, last seen (seconds since 1970);
// "end" and the number of lines at the end, so that a file cut short is told from a whole one.
// Thread: none (pure).
#include "probes/tuf/sightings.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "probes/tuf/lines.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {
namespace {

using std::chrono::seconds;

constexpr std::string_view kHead = "canaryd sightings 1 ";
constexpr std::chrono::days kForgottenAfter{30};  // of being expired
constexpr std::size_t kLongestName = 128;         // of a role, quoted

struct Line {
  std::string role;
  SeenVersion seen;
};

std::optional<Line> parse_line(std::string_view text) {
  auto const quoted = take_until(text, ' ');
  auto const role = quoted ? unquote_role(*quoted) : std::nullopt;
  auto const version = number<std::uint64_t>(take_until(text, ' '));
  auto const expires = time_of(take_until(text, ' '));
  auto const first = time_of(take_until(text, ' '));
  auto const last = time_of(text);
  if (!role || !version || !expires || !first || !last) return std::nullopt;
  return Line{*role, {*version, *expires, *first, *last}};
}

// How long a version may go on being there until that is written down.
seconds grain(SeenVersion const& seen) {
  constexpr int kPart = 24;
  return std::clamp<seconds>((seen.expires - seen.first_seen) / kPart, std::chrono::minutes{1},
                             std::chrono::hours{1});
}

}  // namespace

void Sightings::saw(std::string const& role, std::uint64_t version, Time expires, Time now) {
  auto known = roles_.find(role);
  if (known == roles_.end()) {
    if (roles_.size() >= kRoles || quote_role(role).size() > kLongestName) return;
    known = roles_.try_emplace(role).first;
  }
  SeenVersions& seen = known->second;
  // Our clock was wrong then, or is now: nothing can be counted from there.
  worth_storing_ |= std::erase_if(seen, [&](auto const& one) { return one.first_seen > now; }) > 0;
  auto const same = std::ranges::find_if(seen, [&](SeenVersion const& one) {
    return one.version == version && one.expires == expires;
  });
  if (same == seen.end()) {
    seen.push_back({version, expires, now, now});
    if (seen.size() > kVersions) seen.erase(seen.begin());
    worth_storing_ = true;
    return;
  }
  // Servers behind one name may differ for a while: a version that comes back is no new one.
  bool const back = same + 1 != seen.end();
  std::rotate(same, same + 1, seen.end());
  SeenVersion& current = seen.back();
  if (!back && now - current.last_seen < grain(current)) return;
  current.last_seen = now;
  worth_storing_ = true;
}

SeenVersions const& Sightings::of(std::string_view role) const {
  static SeenVersions const none;
  auto const known = roles_.find(role);
  return known == roles_.end() ? none : known->second;
}

std::optional<Sightings> Sightings::parse(std::string_view text, std::string_view pin, Time now) {
  if (!text.starts_with(kHead)) return std::nullopt;
  text.remove_prefix(kHead.size());
  auto const of = take_until(text, '\n');
  if (!of) return std::nullopt;
  Sightings sightings;
  if (*of != pin) return sightings;
  std::size_t lines = 0;
  while (auto const line = take_until(text, '\n')) {
    if (line->starts_with("end ")) {
      if (number<std::size_t>(line->substr(4)) != lines || !text.empty()) return std::nullopt;
      std::erase_if(sightings.roles_, [&](auto const& role) {
        return role.second.back().expires + kForgottenAfter < now;
      });
      return sightings;
    }
    auto parsed = parse_line(*line);
    if (!parsed) return std::nullopt;
    SeenVersions& seen = sightings.roles_[std::move(parsed->role)];
    if (seen.size() == kVersions || sightings.roles_.size() > kRoles) return std::nullopt;
    seen.push_back(parsed->seen);
    ++lines;
  }
  return std::nullopt;
}

std::string Sightings::text(std::string_view pin) const {
  std::string text{kHead};
  text.append(pin).append("\n");
  std::size_t lines = 0;
  for (auto const& [role, seen] : roles_) {
    std::string const quoted = quote_role(role);
    for (SeenVersion const& one : seen) {
      text += quoted + " " + std::to_string(one.version);
      for (Time const time : {one.expires, one.first_seen, one.last_seen}) {
        text += " " + seconds_text(time);
      }
      text += "\n";
      ++lines;
    }
  }
  return text + "end " + std::to_string(lines) + "\n";
}

}  // namespace canary::tuf
