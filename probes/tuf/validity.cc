// SPDX-License-Identifier: Apache-2.0
// Every observation bounds the time of signing from above, so an estimate is rather too short: it
// takes from a warning's lead, and nothing from the expiry itself.
// Thread: none (pure).
#include "probes/tuf/validity.h"

#include <algorithm>
#include <cstddef>

#include "config/duration.h"
#include "probes/tuf/words.h"

namespace canary::tuf {
namespace {

using std::chrono::seconds;

// A server's clock may be ahead of ours by this much; what is further ahead says nothing.
constexpr seconds kClockSkew = std::chrono::days{1};
// Older than any repository: set by a tool that wants every build to be the same.
constexpr Time kOldestFile = std::chrono::sys_days{std::chrono::year{2010} / 1 / 1};
// How unsure the time of signing may be, as a part of the validity.
constexpr int kUnsurePart = 4;

// From being first seen to the expiry, where the version before was seen shortly before.
std::optional<seconds> seen_new(SeenVersions const& seen, std::size_t at) {
  if (at == 0) return std::nullopt;
  seconds const span = seen[at].expires - seen[at].first_seen;
  seconds const unsure = seen[at].first_seen - seen[at - 1].last_seen;
  if (span <= seconds{0} || unsure > span / kUnsurePart) return std::nullopt;
  return span;
}

// Signers that keep to one validity sign every `step`: it is at least as long.
std::optional<seconds> step(SeenVersions const& seen, std::size_t at) {
  if (at == 0 || seen[at].version != seen[at - 1].version + 1) return std::nullopt;
  bool const lapsed = seen[at - 1].expires < seen[at].first_seen;
  seconds const span = seen[at].expires - seen[at - 1].expires;
  if (lapsed || span <= seconds{0}) return std::nullopt;
  return span;
}

void take_longer(Validity& best, Validity::Source source, std::optional<seconds> span,
                 Time since = {}) {
  if (!span || *span <= seconds{0}) return;
  if (best.source != Validity::Source::unknown && best.span >= *span) return;
  best = {source, *span, since};
}

}  // namespace

Validity estimate_validity(Time expires, SeenVersions const& seen,
                           std::optional<Time> last_modified, Time now) {
  using Source = Validity::Source;
  if (!seen.empty()) {
    std::size_t const current = seen.size() - 1;
    if (auto const span = seen_new(seen, current)) {
      return {Source::seen_new, *span, seen[current].first_seen};
    }
  }
  Time const first = seen.empty() ? now : std::min(seen.back().first_seen, now);
  Validity best;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    take_longer(best, Source::earlier, seen_new(seen, i));
    take_longer(best, Source::steps, step(seen, i));
  }
  if (last_modified && *last_modified >= kOldestFile && *last_modified <= now + kClockSkew) {
    Time const since = std::min(*last_modified, first);
    take_longer(best, Source::last_modified, expires - since, since);
  }
  best.span = std::max(best.span, std::max(expires - first, seconds{0}));
  return best;
}

std::string sentence(Validity const& validity) {
  std::string about = "valid for about " + words(validity.span);
  switch (validity.source) {
    case Validity::Source::unknown:
      return "for how long it was signed is not known";
    case Validity::Source::seen_new:
      return about + ", from when it was new, " + config::to_text(validity.since);
    case Validity::Source::earlier:
      return about + ", as an earlier version was";
    case Validity::Source::steps:
      return about + ", by the steps between its versions";
    case Validity::Source::last_modified:
      return about + ", as its file is of " + config::to_text(validity.since);
  }
  return about;
}

ThresholdsInForce thresholds_in_force(config::ExpiryThresholds const& configured,
                                      Validity const& validity) {
  ThresholdsInForce in_force{.warning = configured.warning.span,
                             .critical = configured.critical.span,
                             .validity = validity};
  bool const known = validity.source != Validity::Source::unknown;
  seconds const most_warning = validity.span / kWarningPart;
  seconds const most_critical = validity.span / kCriticalPart;
  if (configured.warning.fitted && known && most_warning < in_force.warning) {
    in_force.warning = most_warning;
    in_force.warning_shortened = true;
  }
  if (configured.critical.fitted && most_critical < in_force.critical) {
    in_force.critical = most_critical;
    in_force.critical_shortened = true;
  }
  in_force.warning = std::max(in_force.warning, in_force.critical);
  return in_force;
}

}  // namespace canary::tuf
