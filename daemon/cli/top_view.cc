// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/top_view.h"

#include <wchar.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "config/harmless.h"
#include "daemon/cli/json_text.h"
#include "daemon/cli/status_text.h"
#include "daemon/publish/page/humane.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostRuns = 50;

struct State {
  std::string_view name, word;  // of the API, for people
  Style style;
};
constexpr std::array<State, 6> kStates{{{"critical", "critical", Style::critical},
                                        {"unknown", "could not tell", Style::unknown},
                                        {"warning", "warning", Style::warning},
                                        {"pending", "pending", Style::muted},
                                        {"ok", "ok", Style::ok},
                                        {"paused", "paused", Style::muted}}};

std::string text(json::value const& value) { return json_text(value, ""); }

std::string span(json::value const& seconds) {
  if (!seconds.is_number()) return "-";
  double const bounded = std::clamp(seconds.to_number<double>(), 0.0, 1e9);
  return page::span(std::chrono::milliseconds{static_cast<std::int64_t>(bounded * 1e3)});
}

// "probes/tuf/refresh.cc:30"; "" where there is none.
std::string place(json::value const& value) {
  if (!value.is_object()) return {};
  return text(value.at("file")) + ":" + text(value.at("line"));
}

// The worst lag of each piece of time, the latest right, as marks of growing weight: each stands
// for four times the one before, from a millisecond on.
std::string spark(json::array const& history) {
  constexpr std::string_view kMarks = ".:-=+*#@";
  std::string marks;
  for (auto each = history.rbegin(); each != history.rend(); ++each) {
    auto const& worst = each->at("worst_seconds");
    if (!worst.is_number()) {
      marks += ' ';
      continue;
    }
    std::size_t mark = 0;
    for (double limit = 0.001; worst.to_number<double>() > limit && mark + 1 < kMarks.size();
         limit *= 4) {
      ++mark;
    }
    marks += kMarks[mark];
  }
  return marks;
}

void add_loop(std::vector<TopLine>& head, TopAnswers const& answers) {
  auto const& executor = answers.hangs.at("executor");
  std::string const beat = span(executor.at("beat_age_seconds"));
  if (executor.at("ok").as_bool()) {
    head.push_back({"canaryd: the loop turns, its last beat " + beat + " ago", Style::ok, 23});
  } else {
    head.push_back({"canaryd HANGS: " + text(executor.at("reason")), Style::hang});
  }
  for (auto const& incident : answers.hangs.at("incidents").as_array()) {
    head.push_back({"  " + text(incident.at("level")) + ": " + text(incident.at("subject")) + " " +
                        text(incident.at("name")) + " for " + span(incident.at("age_seconds")) +
                        ", " + text(incident.at("verdict")),
                    Style::hang});
  }
  auto const& loop = answers.executor.at("loop");
  if (!loop.is_object()) return;
  auto const& history = loop.at("lag_history").as_array();
  double worst = 0;
  for (auto const& each : history) {
    auto const& one = each.at("worst_seconds");
    if (one.is_number()) worst = std::max(worst, one.to_number<double>());
  }
  head.push_back({"lag [" + spark(history) + "] worst " + span(worst)});
}

void add_counts(std::vector<TopLine>& head, json::value const& probes) {
  std::map<std::string_view, std::size_t> counts;
  auto const& all = probes.at("probes").as_array();
  for (auto const& probe : all) ++counts[std::string_view{probe.at("state").as_string()}];
  std::string line = page::count(all.size(), "probe");
  Style worst = Style::plain;
  for (auto const& state : kStates) {
    auto const number = counts[state.name];
    if (number == 0) continue;
    line += (line.find(':') == std::string::npos ? ": " : ", ") + std::to_string(number) + " ";
    line += state.word;
    if (worst == Style::plain) worst = state.style;
  }
  head.push_back({std::move(line), worst});
}

void add_run(std::vector<TopLine>& body, json::value const& run) {
  bool const stalled = run.at("stalled").as_bool();
  std::string const name = text(run.at("name"));
  body.push_back({"  " + name + "  for " + span(run.at("age_seconds")) +
                      (stalled ? "  STALLED: asked to end, and does not" : ""),
                  stalled ? Style::hang : Style::plain});
  for (auto const& row : run.at("rows").as_array()) {
    auto const depth = static_cast<std::size_t>(
        std::clamp<std::int64_t>(row.at("depth").to_number<std::int64_t>(), 1, 20));
    std::string line(2 + 2 * depth, ' ');
    line += "> " + text(row.at("name"));
    if (auto const detail = text(row.at("detail")); !detail.empty()) line += "(" + detail + ")";
    line += "  " + span(row.at("age_seconds")) + "  " + place(row.at("place"));
    body.push_back({std::move(line), Style::muted});
  }
}

void add_runs(std::vector<TopLine>& body, json::value const& executor, bool services) {
  auto const& runs = executor.at("runs").as_array();
  std::vector<json::value const*> shown;
  for (auto const& run : runs) {
    if (services || run.at("kind") == "probe") shown.push_back(&run);
  }
  body.push_back({"RUNS  " + std::to_string(shown.size()), Style::heading});
  for (std::size_t i = 0; i < std::min(shown.size(), kMostRuns); ++i) add_run(body, *shown[i]);
  if (shown.size() > kMostRuns) {
    body.push_back({"  and " + std::to_string(shown.size() - kMostRuns) + " more", Style::muted});
  }
  body.push_back({});
}

// As `canaryd status` has them.
void add_probes(std::vector<TopLine>& body, json::value const& probes) {
  std::string const table = probes_text(probes, false);
  bool first = true;
  for (std::size_t at = 0; at < table.size();) {
    auto const end = std::min(table.find('\n', at), table.size());
    TopLine line{table.substr(at, end - at)};
    at = end + 1;
    if (std::exchange(first, false)) {
      line.style = Style::heading;
    } else if (line.text.starts_with("    ")) {
      line.style = Style::muted;
    } else {
      auto const state = std::ranges::find_if(
          kStates, [&](State const& each) { return line.text.starts_with(each.word); });
      if (state != kStates.end()) {
        line.style = state->style;
        line.styled = state->word.size();
      }
    }
    body.push_back(std::move(line));
  }
}

}  // namespace

TopView top_view(TopAnswers const& answers, bool services) {
  TopView view;
  add_loop(view.head, answers);
  add_counts(view.head, answers.probes);
  add_runs(view.body, answers.executor, services);
  add_probes(view.body, answers.probes);
  return view;
}

std::string fitted(std::string const& text, std::size_t columns, bool utf8) {
  std::string out;
  std::size_t used = 0;
  for (std::string_view rest = text; !rest.empty();) {
    auto const point = decode_utf8(rest);
    int const width = point.valid ? ::wcwidth(static_cast<wchar_t>(point.value)) : 1;
    auto const cells = static_cast<std::size_t>(std::max(width, 0));
    if (used + cells > columns) break;
    used += cells;
    bool const shown = point.value < 0x80 || utf8;
    out += point.valid && shown ? rest.substr(0, point.bytes) : std::string_view{"?"};
    rest.remove_prefix(point.bytes);
  }
  return out;
}

}  // namespace canary::daemon
