// SPDX-License-Identifier: Apache-2.0
// Reading of `maintenance`: when work is announced, on what, and why.
// Thread: any but the loop's.
#include <algorithm>
#include <utility>

#include "config/duration.h"
#include "config/nearest.h"
#include "config/reader.h"
#include "config/star_pattern.h"

namespace canary::config {
namespace {

using std::chrono::days;
using std::chrono::sys_seconds;

constexpr std::size_t kMostWindows = 100;
constexpr std::size_t kMostPatterns = 100;    // of a window
constexpr std::size_t kLongestPattern = 100;  // bytes; as a name
constexpr std::size_t kLongestReason = 200;
constexpr days kLongest{31};  // what goes on for longer is no announced work any more

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::optional<sys_seconds> moment_at(yaml::Cursor const& at) {
  auto const text = at.text("a time such as 2027-03-01T22:00:00Z");
  if (!text) return std::nullopt;
  auto const moment = parse_moment(*text);
  if (moment) return moment.value();
  at.fail(moment.error());
  return std::nullopt;
}

std::optional<Stretch> stretch_at(yaml::Cursor const& from_at, yaml::Cursor const& to_at) {
  auto const from = moment_at(from_at), to = moment_at(to_at);
  if (!from || !to) return std::nullopt;
  if (*to <= *from) {
    to_at.fail("expected a time after from (" + to_text(*from) + "), got " + to_text(*to));
    return std::nullopt;
  }
  if (*to - *from > kLongest) {
    to_at.fail("expected a window of at most " + to_text(milliseconds{kLongest}) + ", got " +
                   to_text(milliseconds{*to - *from}),
               "enabled: false pauses a probe");
    return std::nullopt;
  }
  return Stretch{*from, *to};
}

std::optional<Weekly> weekly_at(yaml::Cursor const& at) {
  auto const text = at.text("days and times such as sun 02:00-04:00");
  if (!text) return std::nullopt;
  auto const weekly = parse_weekly(*text);
  if (weekly) return weekly.value();
  at.fail(weekly.error());
  return std::nullopt;
}

}  // namespace

void Reader::maintenance(Field field, std::vector<MaintenanceWindow>& value) {
  auto const at = fields_->find(field.name);
  auto const list = at ? at->list(
                             "a list of {from: TIME, to: TIME, reason: TEXT} or {weekly: "
                             "DAYS AND TIMES, reason: TEXT}")
                       : std::nullopt;
  if (!list) return;
  if (list->size() > kMostWindows) {
    at->fail("expected at most " + std::to_string(kMostWindows) + " windows, got " +
             std::to_string(list->size()));
    return;
  }
  for (auto const& element : *list) {
    inside(element, [&] {
      if (auto window = maintenance_window(element)) value.push_back(*std::move(window));
    });
  }
}

std::optional<MaintenanceWindow> Reader::maintenance_window(yaml::Cursor const& at) {
  MaintenanceWindow window;
  auto const before = at.problem_count();
  text({"reason"}, window.reason, kLongestReason, [](std::string const& text) {
    return std::ranges::any_of(text, is_control) ? std::string{"expected no control characters"}
                                                 : std::string{};
  });
  texts({"probes"}, window.probes, {kMostPatterns, kLongestPattern},
        [](std::string const&) { return std::string{}; });
  if (auto const probes = fields_->find("probes"); probes && window.probes.empty()) {
    if (at.problem_count() == before) {
      probes->fail("expected names of probes, got none; without probes it is of all of them");
    }
  }
  auto const from = fields_->find("from"), to = fields_->find("to");
  auto const weekly = fields_->find("weekly");
  if (weekly ? from || to : !from || !to) {
    at.fail("expected either from and to or weekly");
    return std::nullopt;
  }
  if (weekly) {
    if (auto const found = weekly_at(*weekly)) window.when = *found;
  } else if (auto const found = stretch_at(*from, *to)) {
    window.when = *found;
  }
  if (at.problem_count() != before) return std::nullopt;
  return window;
}

void refuse_unknown_probes(yaml::Cursor const& windows, std::vector<ProbeSpec> const& probes) {
  std::vector<std::string> names;
  names.reserve(probes.size());
  for (auto const& probe : probes) names.push_back(probe.name.text);
  auto const list = windows.list("a list of windows");
  if (!list) return;
  for (auto const& window : *list) {
    yaml::Fields fields(window);
    auto const at = fields.find("probes");
    if (!at) continue;
    auto const patterns = at->is_scalar() ? std::vector<yaml::Cursor>{*at} : at->list("names");
    for (auto const& each : patterns.value_or(std::vector<yaml::Cursor>{})) {
      auto const pattern = each.text("a name");
      if (!pattern) continue;
      bool const known = std::ranges::any_of(
          names, [&](auto const& name) { return matches_stars(*pattern, name); });
      if (!known) {
        each.fail("expected the name of a probe, `*` for any text in it, got " + each.got(),
                  did_you_mean(*pattern, names));
      }
    }
  }
}

}  // namespace canary::config
