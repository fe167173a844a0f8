// SPDX-License-Identifier: Apache-2.0
// Thread: loop.
#include "probes/tuf/expiry_watch.h"

#include <utility>

#include "probes/tuf/findings.h"
#include "runtime/contract.h"

namespace canary::tuf {

using probes::Finding;
using runtime::Task;

Task<std::optional<Finding>> ExpiryWatch::load(std::string pin, runtime::Trace trace) {
  runtime::require_loop_thread();
  pin_ = std::move(pin);
  auto read = co_await store_.read_sightings(pin_, now_, trace);
  if (!read) co_return finding_of(read.error());
  sightings_ = std::move(read.value().sightings);
  if (!read.value().damaged) co_return std::nullopt;
  co_return Finding{.check = std::string(kStore),
                    .subject = store_.sightings_file().string(),
                    .severity = probes::Severity::warning,
                    .reason = probes::Reason::internal,
                    .message =
                        "the record of when each version was first seen is damaged and begun "
                        "anew: until versions change, thresholds rest on the files' times",
                    .evidence = {}};
}

Task<std::optional<Finding>> ExpiryWatch::store(runtime::Trace trace) {
  runtime::require_loop_thread();
  if (!sightings_.worth_storing() || pin_.empty()) co_return std::nullopt;
  auto const written = co_await store_.write_sightings(sightings_, pin_, trace);
  if (written) co_return std::nullopt;
  co_return finding_of(written.error());
}

ThresholdsInForce ExpiryWatch::thresholds(std::string const& role, Common const& content) {
  runtime::require_loop_thread();
  sightings_.saw(role, content.version, content.expires, now_);
  Validity const validity =
      estimate_validity(content.expires, sightings_.of(role), refresh_.last_modified(role), now_);
  return thresholds_in_force(thresholds_of(policy_, role), validity);
}

Task<void> ExpiryWatch::look_at_root(runtime::Trace trace) {
  Root const& root = refresh_.trusted().root();
  if (refresh_.last_modified("root")) co_return;
  ThresholdsInForce const now = thresholds("root", root);
  std::chrono::seconds const left = root.expires - now_;
  bool const matters = policy_.root.warning.fitted && left < now.warning &&
                       left > std::chrono::seconds{0} &&
                       now.validity.source == Validity::Source::unknown;
  if (matters) co_await refresh_.look_at_root(trace);
}

}  // namespace canary::tuf
