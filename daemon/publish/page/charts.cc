// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/charts.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <string_view>

#include "daemon/history/when.h"
#include "daemon/publish/page/humane.h"

namespace canary::daemon::page {
namespace {

using history::milliseconds;
using history::Time;

// Of a day, from above; numbered as probes::Severity.
constexpr std::array<std::size_t, 4> kFromAbove{2, 3, 1, 0};
constexpr std::array<std::string_view, 4> kClasses{"ok", "degraded", "failing", "unknown"};
constexpr std::array<std::string_view, 4> kWords{"well", "with warnings", "with failures",
                                                 "in which it could not tell"};

std::string rectangle(int x, int y, int width, int height) {
  return "M" + std::to_string(x) + " " + std::to_string(y) + "h" + std::to_string(width) + "v" +
         std::to_string(height) + "h-" + std::to_string(width) + "z";
}

std::int64_t sum(history::Span const& span) {
  return std::reduce(span.runs.begin(), span.runs.end());
}

struct Days {
  std::array<std::string, 4> paths;
  std::string hollow;
  std::array<int, 4> worst{};  // days by their worst run
  int empty = 0;
};

void add_day(Days& days, int place, history::Span const& day) {
  std::int64_t const all = sum(day);
  int y = 0;
  for (std::size_t const severity : kFromAbove) {
    std::int64_t const runs = day.runs[severity];
    if (runs == 0) continue;
    int height = static_cast<int>(kDayHeight * runs / all);
    height = severity == 0 ? kDayHeight - y : std::max(height, kLeastShare);
    height = std::min(height, kDayHeight - y);
    if (height > 0) days.paths[severity] += rectangle(place * kDayStep, y, kDayWidth, height);
    y += height;
  }
  auto const worst = std::ranges::find_if(kFromAbove, [&](auto s) { return day.runs[s] > 0; });
  ++days.worst[*worst];
}

std::string days_text(Days const& days) {
  std::string text;
  auto const add = [&](int number, std::string_view words) {
    if (number == 0) return;
    text += (text.empty() ? "" : ", ") + count(static_cast<std::size_t>(number), "day") + " ";
    text += words;
  };
  for (std::size_t const severity : kFromAbove) add(days.worst[severity], kWords[severity]);
  add(days.empty, "without a run");
  return text;
}

struct Point {
  Time at;
  milliseconds mean, longest;
};

std::vector<Point> points_of(std::vector<history::Span> const& hours,
                             std::vector<history::RunEntry> const& runs) {
  std::vector<Point> points;
  for (auto const& hour : hours) {
    auto const all = sum(hour);
    if (all > 0) points.push_back({hour.from, hour.total / all, hour.longest});
  }
  if (points.size() >= kEnoughHours) return points;
  points.clear();
  for (auto const& run : runs) points.push_back({run.ended, run.duration, run.duration});
  return points;
}

// What lies further apart than three usual steps is not joined.
milliseconds widest_gap(std::vector<Point> const& points) {
  std::vector<milliseconds> gaps;
  for (std::size_t i = 1; i < points.size(); ++i) gaps.push_back(points[i].at - points[i - 1].at);
  auto const middle = gaps.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2);
  std::ranges::nth_element(gaps, middle);
  return 3 * *middle;
}

std::string line(std::vector<Point> const& points, milliseconds Point::* value, Time now,
                 milliseconds top) {
  auto const whole = std::max<std::int64_t>(1, (now - points.front().at).count());
  auto const gap = widest_gap(points);
  std::string path;
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto const& point = points[i];
    bool const joined = i > 0 && point.at - points[i - 1].at <= gap;
    auto const x = (point.at - points.front().at).count() * kChartWidth / whole;
    auto const y = kChartHeight - (point.*value).count() * kChartHeight / top.count();
    path += (joined ? "L" : "M") + std::to_string(x) + " " + std::to_string(y);
    if (!joined) path += "h1";  // to be seen where nothing follows
  }
  return path;
}

}  // namespace

void add_days(Fields& into, std::vector<history::Span> const& days, Time now) {
  into.list("days");
  into.text("days_text", "").text("well", "");
  if (days.empty()) return;
  auto const today = std::chrono::floor<std::chrono::days>(now);
  Days drawn;
  std::int64_t all = 0, well = 0;
  auto day = days.begin();
  for (int place = 0; place < kDays; ++place) {
    Time const from{today - std::chrono::days{kDays - 1 - place}};
    while (day != days.end() && day->from < from) ++day;
    if (from < days.front().from) continue;
    if (day != days.end() && day->from == from && sum(*day) > 0) {
      add_day(drawn, place, *day);
      all += sum(*day);
      well += day->runs[0] + day->runs[1];
    } else {
      drawn.hollow += rectangle(place * kDayStep, 0, kDayWidth, kDayHeight);
      ++drawn.empty;
    }
  }
  for (std::size_t severity = 0; severity < drawn.paths.size(); ++severity) {
    if (drawn.paths[severity].empty()) continue;
    into.entry("days")
        .text("class", std::string{kClasses[severity]})
        .text("path", std::move(drawn.paths[severity]));
  }
  if (!drawn.hollow.empty()) {
    into.entry("days").text("class", "missed").text("path", std::move(drawn.hollow));
  }
  into.text("days_text", days_text(drawn));
  if (all == 0) return;
  std::int64_t const tenths = well * 1'000 / all;
  into.text("well", std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " % of " +
                        count(static_cast<std::size_t>(all), "run"));
}

void add_durations(Fields& into, std::vector<history::Span> const& hours,
                   std::vector<history::RunEntry> const& runs, Time now) {
  into.text("mean", "").text("longest", "");
  auto const points = points_of(hours, runs);
  if (points.size() < 2) return;
  auto const highest = std::ranges::max(points, {}, &Point::longest).longest;
  auto const top = std::max(highest, milliseconds{1});
  bool const by_run =
      points.back().mean == points.back().longest &&
      std::ranges::all_of(points, [](Point const& each) { return each.mean == each.longest; });
  into.text("mean", line(points, &Point::mean, now, top))
      .text("longest", by_run ? "" : line(points, &Point::longest, now, top))
      .text("top", history::span_text(top))
      .text("durations_since", clock(points.front().at, now))
      .text("durations_text", "the longest took " + history::span_text(top) + ", the last " +
                                  history::span_text(points.back().mean));
}

}  // namespace canary::daemon::page
