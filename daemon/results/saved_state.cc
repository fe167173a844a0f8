// SPDX-License-Identifier: Apache-2.0
#include "daemon/results/saved_state.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "daemon/results/known.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using probes::Finding;
using probes::Reason;
using probes::Severity;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kFormat = 1;

json::value time_json(std::optional<SysTime> const& time) {
  return time ? json::value(time->time_since_epoch().count()) : json::value(nullptr);
}

json::value acceptance_json(std::optional<probes::Acceptance> const& accepted) {
  if (!accepted) return nullptr;
  return json::object{{"because", accepted->because.text()},
                      {"until", accepted->until.time_since_epoch().count()}};
}

json::value trust_dropped_json(std::optional<TrustDropped> const& dropped) {
  if (!dropped) return nullptr;
  return json::object{{"at", dropped->at.time_since_epoch().count()},
                      {"reason", dropped->reason.text()}};
}

json::object finding_json(Finding const& finding) {
  return {{"check", finding.check.text()},
          {"subject", finding.subject.text()},
          {"severity", probes::to_text(finding.severity)},
          {"reason", probes::to_text(finding.reason)},
          {"message", finding.message.text()},
          {"evidence", finding.evidence.text()},
          {"expected", finding.expected.text()},
          {"received", finding.received.text()},
          {"url", finding.url.text()},
          {"accepted", acceptance_json(finding.accepted)}};
}

json::object thing_json(KnownThing const& thing) {
  probes::ThingType const& type = *thing.facts.type;
  json::object out{{type.name, thing.facts.name.text()},
                   {"one_of_many", thing.facts.one_of_many},
                   {"seen", thing.seen.time_since_epoch().count()}};
  for (std::size_t i = 0; i < type.numbers.size(); ++i) {
    out[type.numbers[i].field] = thing.facts.numbers[i];
  }
  if (!type.below.empty()) out[type.below] = thing.facts.below.text();
  if (auto const& expiry = thing.facts.expiry) {
    out["expires"] = expiry->at.time_since_epoch().count();
    out["warning"] = expiry->warning.count();
    out["critical"] = expiry->critical.count();
  }
  return out;
}

// ---- reading: each throws where the file is not as it was written
// --------------------------------

std::string text_of(json::object const& from, std::string_view key) {
  return std::string{from.at(key).as_string()};
}
// "" where an earlier canaryd wrote none.
std::string text_if_any(json::object const& from, std::string_view key) {
  return from.contains(key) ? text_of(from, key) : std::string{};
}
std::int64_t number_of(json::object const& from, std::string_view key) {
  return from.at(key).to_number<std::int64_t>();
}
SysTime time_of(json::object const& from, std::string_view key) {
  constexpr std::int64_t kYear10000 = 253'402'300'800'000;
  std::int64_t const number = number_of(from, key);
  if (number < 0 || number >= kYear10000) throw std::out_of_range(std::string{key} + " is no time");
  return SysTime{milliseconds{number}};
}
std::optional<SysTime> optional_time(json::object const& from, std::string_view key) {
  if (from.at(key).is_null()) return std::nullopt;
  return time_of(from, key);
}

Severity severity_of(std::string_view word) {
  constexpr std::array kAll{Severity::ok, Severity::warning, Severity::critical, Severity::unknown};
  auto const* const found =
      std::ranges::find(kAll, word, [](Severity each) { return to_text(each); });
  return found == kAll.end() ? Severity::unknown : *found;
}

Finding finding_of(json::value const& value) {
  auto const& from = value.as_object();
  std::optional<probes::Acceptance> accepted;
  if (auto const& given = from.at("accepted"); given.is_object()) {
    accepted = {.because = text_of(given.as_object(), "because"),
                .until = std::chrono::sys_seconds{seconds{number_of(given.as_object(), "until")}}};
  }
  return {.check = text_of(from, "check"),
          .subject = text_of(from, "subject"),
          .severity = severity_of(from.at("severity").as_string()),
          .reason = Reason::read(std::string_view{from.at("reason").as_string()}),
          .message = text_of(from, "message"),
          .evidence = text_of(from, "evidence"),
          .url = text_of(from, "url"),
          .expected = text_if_any(from, "expected"),
          .received = text_if_any(from, "received"),
          .accepted = std::move(accepted)};
}

// A number that an earlier canaryd did not write is 0; 0.1 wrote `size` for `size_bytes`.
std::int64_t number_in(json::object const& from, std::string_view field) {
  constexpr std::string_view kUnit = "_bytes";
  auto const* value = from.if_contains(field);
  if (value == nullptr && field.ends_with(kUnit)) {
    value = from.if_contains(field.substr(0, field.size() - kUnit.size()));
  }
  return value == nullptr ? 0 : value->to_number<std::int64_t>();
}

KnownThing thing_of(json::value const& value, probes::ThingType const& type) {
  auto const& from = value.as_object();
  KnownThing thing{.facts = {.type = &type, .name = text_of(from, type.name)},
                   .seen = time_of(from, "seen")};
  auto const* const many = from.if_contains("one_of_many");
  if (!type.below.empty()) thing.facts.below = text_if_any(from, type.below);
  thing.facts.one_of_many = many != nullptr && many->as_bool();
  for (std::size_t i = 0; i < type.numbers.size(); ++i) {
    thing.facts.numbers[i] = number_in(from, type.numbers[i].field);
  }
  if (from.contains("expires")) {
    thing.facts.expiry = {.at = std::chrono::sys_seconds{seconds{number_of(from, "expires")}},
                          .warning = seconds{number_of(from, "warning")},
                          .critical = seconds{number_of(from, "critical")}};
  }
  return thing;
}

SavedState state_of(json::object const& from, probes::Declaration const& kind) {
  SavedState state;
  state.url = text_of(from, "url");
  if (!from.at("severity").is_null()) state.severity = severity_of(from.at("severity").as_string());
  state.since = time_of(from, "since");
  state.consecutive_failures = from.at("consecutive_failures").to_number<std::uint64_t>();
  if (auto const* const recent = from.if_contains("recent")) {
    for (char const run : recent->as_string()) {
      if ((run >= '0' && run <= '3') || run == RecentRuns::kMissed) state.recent.add(run);
    }
  }
  if (auto const* const dropped = from.if_contains("trust_dropped");
      dropped && dropped->is_object()) {
    auto const& object = dropped->as_object();
    state.trust_dropped = {.at = time_of(object, "at"), .reason = text_of(object, "reason")};
  }
  state.last_run_end = optional_time(from, "last_run_end");
  state.last_success = optional_time(from, "last_success");
  state.last_failure = optional_time(from, "last_failure");
  if (auto const& finding = from.at("last_failure_finding"); !finding.is_null()) {
    state.last_failure_finding = finding_of(finding);
  }
  state.open.total = from.at("open_total").to_number<std::size_t>();
  for (auto const& finding : from.at("open").as_array()) {
    if (state.open.findings.size() == kOpenKept) break;
    state.open.findings.push_back(finding_of(finding));
  }
  state.open.total = std::max(state.open.total, state.open.findings.size());
  for (probes::ThingType const* const type : kind.things) {
    auto const* const list = from.if_contains(type->plural);
    if (list == nullptr) continue;
    for (auto const& thing : list->as_array()) {
      if (state.known.things.size() == kKnownThings) break;
      state.known.things.push_back(thing_of(thing, *type));
    }
  }
  if (auto const ends = optional_time(from, "tls_not_after")) {
    auto const first = std::chrono::floor<seconds>(*ends);
    auto const warning = optional_time(from, "tls_warning");
    state.known.certificates = {first, warning ? std::chrono::floor<seconds>(*warning) : first};
    state.known.certificates_seen = time_of(from, "tls_seen");
  }
  return state;
}

}  // namespace

SavedState saved_state(ProbeRow const& row) {
  SavedState state{.url = row.facts.url,
                   .severity = row.severity,
                   .since = row.since,
                   .consecutive_failures = row.consecutive_failures,
                   .last_run_end = row.last_run_end,
                   .last_success = row.last_success,
                   .last_failure = row.last_failure,
                   .open = *row.open,
                   .known = *row.known,
                   .recent = row.recent};
  if (row.last_failure_finding) state.last_failure_finding = *row.last_failure_finding;
  if (row.trust_dropped) state.trust_dropped = *row.trust_dropped;
  return state;
}

std::string to_text(SavedState const& state) {
  json::array open;
  for (auto const& finding : state.open.findings) {
    if (open.size() == kSavedFindings) break;
    open.push_back(finding_json(finding));
  }
  std::optional<SysTime> ends, warning;
  if (auto const& known = state.known.certificates) {
    ends = known->first;
    warning = known->warning;
  }
  json::object out{
      {"format", kFormat},
      {"url", state.url.text()},
      {"severity", state.severity ? json::value(to_text(*state.severity)) : json::value(nullptr)},
      {"since", state.since.time_since_epoch().count()},
      {"consecutive_failures", state.consecutive_failures},
      {"last_run_end", time_json(state.last_run_end)},
      {"last_success", time_json(state.last_success)},
      {"last_failure", time_json(state.last_failure)},
      {"last_failure_finding", state.last_failure_finding
                                   ? json::value(finding_json(*state.last_failure_finding))
                                   : json::value(nullptr)},
      {"recent", state.recent.runs},
      {"trust_dropped", trust_dropped_json(state.trust_dropped)},
      {"open", std::move(open)},
      {"open_total", state.open.total},
      {"tls_not_after", time_json(ends)},
      {"tls_warning", time_json(warning)},
      {"tls_seen", time_json(state.known.certificates_seen)}};
  std::size_t kept = 0;
  for (auto const& thing : state.known.things) {
    if (kept++ == kKnownThings) break;
    json::value& list = out[thing.facts.type->plural];
    if (!list.is_array()) list.emplace_array();
    list.as_array().push_back(thing_json(thing));
  }
  return json::serialize(out) + '\n';
}

Result<SavedState, std::string> parse_saved_state(std::string_view text,
                                                  probes::Declaration const& kind) {
  if (text.size() > kSavedBytes) return "it is larger than any that canaryd writes";
  try {
    auto const value = json::parse(text);
    auto const& object = value.as_object();
    std::int64_t const format = number_of(object, "format");
    if (format != kFormat) {
      return "it is of format " + std::to_string(format) + ", and this canaryd knows " +
             std::to_string(kFormat);
    }
    return state_of(object, kind);
  } catch (std::exception const& failed) {
    return "it is damaged: " + make_harmless(failed.what(), 200);
  }
}

}  // namespace canary::daemon
