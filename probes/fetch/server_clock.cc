// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/server_clock.h"

#include <sys/timex.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <vector>

#include "probes/fetch/retry.h"

namespace canary::fetch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kMatters = std::chrono::minutes{1};
constexpr milliseconds kAgree = std::chrono::minutes{1};
constexpr auto kRemembered = std::chrono::hours{1};
constexpr std::size_t kSeenMax = 4096;

// One repository, or several that have a host in common.
struct Witness {
  bool is_own = false;  // the repository whose finding it is about is one of them
  std::vector<ClockDifference> differences;
};

// Sets of things that belong together, by name.
class Together {
 public:
  // The set that `repository` and `host` are in from now on.
  std::size_t join(std::string const& repository, std::string const& host) {
    auto const one = root(number(repositories_, repository));
    auto const other = root(number(hosts_, host));
    return parents_[other] = one;
  }
  std::size_t root(std::size_t at) {
    while (parents_[at] != at) at = parents_[at] = parents_[parents_[at]];
    return at;
  }

 private:
  std::size_t number(std::map<std::string, std::size_t>& numbers, std::string const& name) {
    auto const [at, added] = numbers.emplace(name, parents_.size());
    if (added) parents_.push_back(parents_.size());
    return at->second;
  }
  std::map<std::string, std::size_t> repositories_, hosts_;
  std::vector<std::size_t> parents_;
};

bool agree(ClockDifference const& a, ClockDifference const& b) {
  auto const apart = std::chrono::abs(a.theirs_minus_ours - b.theirs_minus_ours);
  return apart <= kAgree + a.uncertainty + b.uncertainty;
}

// All its hosts say what `claim` says.
bool says(Witness const& witness, ClockDifference const& claim) {
  return std::ranges::all_of(witness.differences,
                             [&](ClockDifference const& one) { return agree(one, claim); });
}

}  // namespace

bool ClockDifference::matters() const {
  return std::chrono::abs(theirs_minus_ours) > kMatters + uncertainty;
}

std::optional<ClockDifference> clock_difference(std::string_view date, std::string_view age,
                                                std::chrono::system_clock::time_point received,
                                                std::chrono::nanoseconds round_trip) {
  auto const sent = parse_http_date(date);
  if (!sent) return std::nullopt;
  std::int64_t kept = 0;
  auto const [end, error] = std::from_chars(age.data(), age.data() + age.size(), kept);
  bool const has_age = error == std::errc{} && end == age.data() + age.size() && kept >= 0;
  constexpr std::int64_t kAgeMax = 10LL * 365 * 86'400;
  auto const half_trip = std::chrono::floor<milliseconds>(round_trip / 2);
  // A Date is cut to whole seconds, and so is an Age.
  milliseconds const rounding{has_age ? 1'000 : 500};
  auto const theirs = *sent + seconds{has_age ? std::min(kept, kAgeMax) : 0} + milliseconds{500};
  auto const ours = std::chrono::floor<milliseconds>(received) - half_trip;
  return ClockDifference{theirs - ours, half_trip + rounding};
}

KernelClock kernel_clock() {
  timex state{};
  int const result = ::ntp_adjtime(&state);
  if (result < 0) return KernelClock::unknown;
  bool const kept = result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  return kept ? KernelClock::synchronised : KernelClock::unsynchronised;
}

void ClockWitnesses::add(std::string const& repository, ClockDifferences const& seen, Time now) {
  std::erase_if(seen_, [now](auto const& entry) { return now - entry.second.at > kRemembered; });
  for (auto const& [host, difference] : seen) {
    auto const place = std::pair{repository, host};
    if (seen_.size() < kSeenMax || seen_.contains(place)) seen_[place] = {difference, now};
  }
}

std::optional<ClockVerdict> ClockWitnesses::verdict(std::string const& repository,
                                                    KernelClock kernel, Time now) const {
  Together together;
  std::vector<std::pair<std::size_t, ClockDifference>> heard;
  std::set<std::size_t> own;
  for (auto const& [place, seen] : seen_) {
    if (now - seen.at > kRemembered) continue;
    auto const set = together.join(place.first, place.second);
    heard.emplace_back(set, seen.difference);
    if (place.first == repository) own.insert(set);
  }
  std::map<std::size_t, Witness> witnesses;
  for (auto const& [set, difference] : heard) {
    witnesses[together.root(set)].differences.push_back(difference);
  }
  for (std::size_t const set : own) witnesses[together.root(set)].is_own = true;
  if (witnesses.empty()) return std::nullopt;

  // What more than half of them say is what the one in the middle says.
  std::vector<ClockDifference> claims;
  claims.reserve(witnesses.size());
  for (auto const& [set, witness] : witnesses) claims.push_back(witness.differences.front());
  auto const middle = claims.begin() + static_cast<std::ptrdiff_t>(claims.size() / 2);
  std::ranges::nth_element(claims, middle, {}, &ClockDifference::theirs_minus_ours);
  if (!middle->matters()) return std::nullopt;
  ClockVerdict verdict{.by = *middle, .kernel = kernel == KernelClock::unsynchronised};
  std::size_t others = 0;
  for (auto const& [set, witness] : witnesses) {
    if (!says(witness, *middle)) continue;
    ++verdict.witnesses;
    others += witness.is_own ? 0 : 1;
  }
  bool const enough = verdict.witnesses + (verdict.kernel ? 1 : 0) >= 2 && others >= 1;
  bool const most = verdict.witnesses * 2 > witnesses.size();
  if (!enough || !most) return std::nullopt;
  return verdict;
}

}  // namespace canary::fetch
