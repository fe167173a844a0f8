// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/run_links.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <numeric>

#include "config/duration.h"
#include "config/url.h"
#include "daemon/history/when.h"
#include "daemon/publish/page/bars.h"
#include "daemon/publish/page/charts.h"
#include "daemon/publish/page/humane.h"
#include "daemon/text/rfc3339.h"

namespace canary::daemon::page {
namespace {

constexpr std::string_view kForm = "2026-11-24T10:02:11.123Z";
constexpr std::size_t kDate = 10, kSecond = 19;  // where they end in it

std::string title_of(history::RunEntry const& run) {
  return history::when_text(run.ended, history::Zone::utc) +
         " UTC: " + std::string{run_label(run.severity)};
}

}  // namespace

std::string run_address(std::string_view probe, SysTime ended) {
  return "/probe/" + config::percent_encode(std::string{probe}) + "/run/" + rfc3339(ended);
}

std::string day_address(std::string_view probe, SysTime day) {
  return "/probe/" + config::percent_encode(std::string{probe}) + "/day/" +
         rfc3339(day).substr(0, kDate);
}

std::optional<SysTime> parse_day(std::string_view text) {
  if (text.size() != kDate) return std::nullopt;
  auto const day = config::parse_time(text, {});
  if (!day || day.value() < std::chrono::sys_seconds{}) return std::nullopt;
  return SysTime{day.value()};
}

std::optional<SysTime> parse_run_time(std::string_view text) {
  if (text.size() != kForm.size()) return std::nullopt;
  auto const second = config::parse_time(std::string{text.substr(0, kSecond)} + "Z", {});
  if (!second || second.value() < std::chrono::sys_seconds{}) return std::nullopt;
  int thousandths = 0;
  std::from_chars(text.data() + kSecond + 1, text.data() + text.size() - 1, thousandths);
  SysTime const time = SysTime{second.value()} + std::chrono::milliseconds{thousandths};
  if (rfc3339(time) != text) return std::nullopt;  // another form
  return time;
}

void add_run_links(Fields& into, std::string_view probe, RecentRuns const& recent,
                   std::vector<history::RunEntry> const& runs, std::optional<SysTime> last_end) {
  into.list("run_links");
  if (!last_end) return;
  auto const x_of = [&](std::size_t place) {
    return std::to_string((RecentRuns::kKept - recent.runs.size() + place) *
                          static_cast<std::size_t>(kBarStep));
  };
  auto next = runs.rbegin();
  bool newest = true;
  for (std::size_t i = recent.runs.size(); i-- > 0;) {
    if (recent.runs[i] == RecentRuns::kMissed) continue;
    auto const severity = static_cast<probes::Severity>(recent.runs[i] - '0');
    history::RunEntry run{.ended = *last_end, .severity = severity};
    bool const unwritten = newest && (next == runs.rend() || next->ended < *last_end);
    newest = false;
    if (!unwritten) {
      if (next == runs.rend() || next->severity != severity) return;
      run = *next++;
    }
    into.entry("run_links")
        .text("href", run_address(probe, run.ended))
        .text("x", x_of(i))
        .text("title", title_of(run))
        .text("state", std::string{run_state(severity)});
  }
}

void add_day_links(Fields& into, std::string_view probe, std::vector<history::Span> const& days,
                   SysTime now) {
  into.list("day_links");
  auto const today = std::chrono::floor<std::chrono::days>(now);
  for (auto day = days.rbegin(); day != days.rend(); ++day) {
    auto const ago = (today - std::chrono::floor<std::chrono::days>(day->from)).count();
    auto const runs = std::reduce(day->runs.begin(), day->runs.end());
    if (ago < 0 || ago >= kDays || runs == 0) continue;
    auto const bad = runs - day->runs[0] - day->runs[1];
    into.entry("day_links")
        .text("href", day_address(probe, day->from))
        .text("x", std::to_string((kDays - 1 - ago) * kDayStep))
        .text("title", rfc3339(day->from).substr(0, kDate) + ": " +
                           count(static_cast<std::size_t>(runs), "run") +
                           (bad > 0 ? ", " + std::to_string(bad) + " not well" : ", all well"));
  }
}

std::string_view run_state(probes::Severity severity) {
  constexpr std::array<std::string_view, 4> kStates{"ok", "degraded", "failing", "unknown"};
  return kStates[static_cast<std::size_t>(severity)];
}

std::string_view run_label(probes::Severity severity) {
  return severity == probes::Severity::unknown ? "could not tell" : run_state(severity);
}

}  // namespace canary::daemon::page
