// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/timeline.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "daemon/history/when.h"

namespace canary::history {
namespace {

Moment moment_of(ChangeEntry const& change) {
  constexpr char const* kKinds[] = {"finding_opened", "finding_changed", "finding_closed"};
  return {.at = change.at,
          .kind = kKinds[static_cast<std::size_t>(change.kind)],
          .probe = change.probe,
          .finding = change.finding,
          .was = change.was};
}

Moment moment_of(EventEntry const& event) {
  Moment moment{.at = event.at, .kind = event.kind, .lasted = event.lasted};
  (event.kind == kTrustDropped ? moment.probe : moment.finding.subject) = event.subject;
  moment.finding.message = event.detail;
  return moment;
}

Moment moment_of(VersionEntry const& seen) {
  Moment moment{.at = seen.at, .kind = kVersionSeen, .probe = seen.probe};
  moment.finding.subject = seen.thing;
  moment.finding.message = "version " + std::to_string(seen.version);
  moment.finding.message +=
      seen.was == 0 ? ", the first that was seen" : ", after " + std::to_string(seen.was);
  return moment;
}

// Its beginning, and its end where it has one: as far as they are in the span.
void add_incident(std::vector<Moment>& moments, Incident const& incident, Query const& query) {
  Moment opened{.at = incident.opened, .kind = "incident_opened", .probe = incident.probe};
  opened.finding.url = incident.url;
  opened.finding.severity = incident.worst;
  if (!incident.causes.empty()) opened.finding = incident.causes.front().finding;
  if (opened.at >= query.since) moments.push_back(opened);
  if (!incident.closed || *incident.closed >= query.until) return;
  Moment closed{.at = *incident.closed,
                .kind = "incident_closed",
                .probe = incident.probe,
                .lasted = *incident.closed - incident.opened};
  closed.finding.url = incident.url;
  closed.finding.severity = incident.worst;
  moments.push_back(std::move(closed));
}

// At one moment: what canaryd did, what began, what changed in it, what ended.
int rank(Moment const& moment) {
  if (moment.probe.empty()) return 0;
  if (moment.kind == "incident_opened") return 1;
  return moment.kind == "incident_closed" ? 3 : 2;
}

// By time and rank; what is alike in both stays in its order.
void sort(std::vector<Moment>& moments) {
  using Place = std::tuple<Time, int, std::size_t>;
  std::vector<Place> places;
  places.reserve(moments.size());
  for (auto const& moment : moments) places.emplace_back(moment.at, rank(moment), places.size());
  std::ranges::sort(places);
  std::vector<Moment> sorted;
  sorted.reserve(moments.size());
  for (auto const& place : places) sorted.push_back(std::move(moments[std::get<2>(place)]));
  moments = std::move(sorted);
}

}  // namespace

std::string event_text(Moment const& moment) {
  auto const& subject = moment.finding.subject;
  auto const& detail = moment.finding.message;
  std::string const because = detail.empty() ? "" : ": " + detail;
  std::string const lasted = moment.lasted.count() > 0 ? span_text(moment.lasted) : "";
  if (moment.kind == "start") return "canaryd " + subject + " starts";
  if (moment.kind == "stop") return "canaryd stops";
  if (moment.kind == "reload") return "the configuration is loaded anew";
  if (moment.kind == "list") return "a list of probes is taken over: " + subject + because;
  if (moment.kind == "reload_refused") return "a new configuration is refused" + because;
  if (moment.kind == "hang") return "canaryd hangs: " + subject + " for " + lasted + because;
  if (moment.kind == "unclean_end") {
    return "canaryd ended unclean (" + subject + "); nobody watched for " + lasted + because;
  }
  if (moment.kind == "changes_left_out") return "of " + subject + because;
  return moment.kind + " " + subject + because;
}

DatabaseResult<Found<Moment>> own_timeline(Store& store, Query const& query) {
  BOOST_OUTCOME_TRY(auto const events, store.events(query));
  Found<Moment> found{.entries = {}, .more = events.more};
  for (auto const& event : events.entries) {
    if (event.kind == kTrustDropped || event.kind == "changes_left_out") continue;
    found.entries.push_back(moment_of(event));
  }
  return found;
}

DatabaseResult<Found<Moment>> timeline(Store& store, Query const& query) {
  BOOST_OUTCOME_TRY(auto const changes, store.changes(query));
  BOOST_OUTCOME_TRY(auto const incidents, store.incidents(query));
  Found<Moment> found{.entries = {}, .more = changes.more || incidents.more};
  for (auto const& change : changes.entries) found.entries.push_back(moment_of(change));
  for (auto const& incident : incidents.entries) add_incident(found.entries, incident, query);
  BOOST_OUTCOME_TRY(auto const events, store.events(query));
  for (auto const& event : events.entries) found.entries.push_back(moment_of(event));
  found.more = found.more || events.more;
  if (query.versions) {
    BOOST_OUTCOME_TRY(auto const versions, store.versions(query));
    for (auto const& seen : versions.entries) found.entries.push_back(moment_of(seen));
    found.more = found.more || versions.more;
  }
  sort(found.entries);
  if (found.entries.size() > query.most) {
    found.more = true;
    auto const surplus = static_cast<std::ptrdiff_t>(found.entries.size() - query.most);
    found.entries.erase(found.entries.begin(), found.entries.begin() + surplus);
  }
  return found;
}

}  // namespace canary::history
