// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/status_text.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "config/duration.h"
#include "daemon/cli/json_text.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

struct State {
  std::string_view name, word, colour;  // of the API, for people
};
// The worst first.
constexpr std::array<State, 6> kStates{{{"critical", "critical", "\033[31m"},
                                        {"unknown", "could not tell", "\033[35m"},
                                        {"warning", "warning", "\033[33m"},
                                        {"pending", "pending", "\033[36m"},
                                        {"ok", "ok", "\033[32m"},
                                        {"paused", "paused", "\033[2m"}}};

std::size_t rank(json::value const& probe) {
  auto const& name = probe.at("state").as_string();
  auto const found = std::ranges::find(kStates, std::string_view{name}, &State::name);
  return static_cast<std::size_t>(found - kStates.begin());
}

// Seconds are enough for people.
sys_seconds time_of(json::value const& value) {
  std::string rfc = json_text(value);
  if (auto const point = rfc.find('.'); point != std::string::npos)
    rfc = rfc.substr(0, point) + "Z";
  auto const parsed = config::parse_time(rfc, {});
  return parsed ? parsed.value() : sys_seconds{};
}

// "4s", "12m30s", "3h12m", "12d5h": the two largest units.
std::string span(std::chrono::seconds value) {
  value = std::max(value, 0s);
  if (value >= 24h) return config::to_text(std::chrono::floor<std::chrono::hours>(value));
  if (value >= 1h) return config::to_text(std::chrono::floor<std::chrono::minutes>(value));
  return config::to_text(value);
}

std::string ago(json::value const& time, sys_seconds now) {
  return time.is_null() ? "never" : span(now - time_of(time)) + " ago";
}

std::string end_of(json::value const& what, json::value const& at, sys_seconds now) {
  auto const left = time_of(at) - now;
  return json_text(what) + (left < 0s ? " ended " + span(-left) + " ago" : " in " + span(left));
}

using Row = std::vector<std::string>;

// The first cell is the state, and alone is coloured.
std::string line(Row const& cells, std::vector<std::size_t> const& widths,
                 std::string_view colour) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    bool const painted = i == 0 && !colour.empty();
    out.append(painted ? colour : "").append(cells[i]).append(painted ? "\033[0m" : "");
    if (i + 1 < cells.size()) out.append(widths[i] + 2 - cells[i].size(), ' ');
  }
  return out + "\n";
}

Row row_of(json::object const& probe, sys_seconds now) {
  std::string name = json_text(probe.at("name"));
  if (probe.at("stale").as_bool()) name += " (stale)";
  if (auto const accepted = probe.at("accepted").to_number<int>(); accepted > 0) {
    name += " (" + std::to_string(accepted) + " accepted)";
  }
  auto const* const announced = probe.if_contains("maintenance");
  if (announced != nullptr && announced->is_object()) name += " (maintenance)";
  auto const place = rank(probe);
  auto const& since = probe.at("since");
  auto const& end = probe.at("ends_next");
  return {place < kStates.size() ? std::string{kStates[place].word} : json_text(probe.at("state")),
          name, since.is_null() ? "-" : span(now - time_of(since)), ago(probe.at("last_run"), now),
          end.is_object() ? end_of(end.at("what"), end.at("at"), now) : "-"};
}

// What it failed for, while it fails; else that it once did.
std::string failure(json::object const& probe, sys_seconds now) {
  auto const& last = probe.at("last_failure");
  if (!last.is_object()) return {};
  auto const& failed = last.as_object();
  bool const over = rank(probe) > 1;
  std::string out = over ? "last failure " + ago(failed.at("at"), now) + ", " : "";
  out += json_text(failed.at("reason"));
  if (auto const* const sentence = failed.if_contains("sentence")) {
    std::string const said = json_text(*sentence), url = json_text(failed.at("url"));
    out += ": " + said;
    if (said.find(url) == std::string::npos) out += ", " + url;
  }
  return "    " + out + "\n";
}

std::string_view colour_of(json::value const& probe, bool colour) {
  auto const place = rank(probe);
  return colour && place < kStates.size() ? kStates[place].colour : std::string_view{};
}

}  // namespace

namespace {

// Which share of the probes it watches and from where; empty where that is all, from somewhere.
std::string share_text(json::object const& answer) {
  auto const said = [&answer](char const* name) {
    auto const* const value = answer.if_contains(name);
    return value == nullptr || value->is_null() ? std::string{} : json_text(*value);
  };
  std::string out;
  if (auto const shard = said("shard"); !shard.empty()) {
    out += "shard " + shard + ", " + said("probes_elsewhere") + " probes are left to others\n";
  }
  if (auto const vantage = said("vantage"); !vantage.empty()) out += "looks from " + vantage + "\n";
  return out;
}

}  // namespace

namespace {

// Of when the list of a source is.
std::string list_text(json::object const& source, sys_seconds now) {
  auto const* const listed = source.if_contains("listed");  // a daemon of before has it not
  if (listed != nullptr && !listed->as_bool()) return "its list was never had";
  auto const& confirmed = source.at("confirmed");
  bool const known = !confirmed.is_null() && time_of(confirmed) <= now;  // else a clock was wrong
  return known ? "its list was confirmed " + ago(confirmed, now) : "its list is of unknown age";
}

// A line for each source of probes, and one more for what is wrong with it.
std::string sources_text(json::object const& answer, sys_seconds now) {
  auto const* const sources = answer.if_contains("discovery");
  if (sources == nullptr) return {};
  std::string out;
  for (auto const& source : sources->as_array()) {
    out += "discovery " + json_text(source.at("name")) + ": " + json_text(source.at("probes")) +
           " probes, " + list_text(source.as_object(), now) + "\n";
    std::string const error = json_text(source.at("error"));
    if (!error.empty()) {
      out += "    fails since " + json_text(source.at("failing_since")) + ": " + error + "\n";
    }
  }
  return out;
}

}  // namespace

std::string probes_text(json::value const& answer, bool colour) {
  auto const now = time_of(answer.at("as_of"));
  std::string const share = share_text(answer.as_object()) + sources_text(answer.as_object(), now);
  std::vector<json::object const*> probes;
  for (auto const& each : answer.at("probes").as_array()) probes.push_back(&each.as_object());
  if (probes.empty()) {
    bool const lists = share.find("discovery ") != std::string::npos;
    if (lists) return share + "no probe is configured or listed: nothing is watched\n";
    return share + (share.starts_with("shard") ? "none falls to it: nothing is watched\n"
                                               : "no probe is configured: nothing is watched\n");
  }
  // They lie in one array: their order there is kept among equals.
  std::ranges::sort(probes, {}, [](auto const* probe) { return std::pair{rank(*probe), probe}; });
  std::vector<Row> rows{{"STATE", "PROBE", "FOR", "LAST RUN", "ENDS NEXT"}};
  for (auto const* const probe : probes) rows.push_back(row_of(*probe, now));
  std::vector<std::size_t> widths(rows.front().size());
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out = share + line(rows.front(), widths, "");
  for (std::size_t i = 0; i < probes.size(); ++i) {
    out += line(rows[i + 1], widths, colour_of(*probes[i], colour)) + failure(*probes[i], now);
  }
  return out;
}

std::string probe_text(json::value const& answer, bool colour) {
  json::object list{{"as_of", answer.at("as_of")}, {"probes", json::array{answer}}};
  std::string out = probes_text(list, colour);
  auto const now = time_of(answer.at("as_of"));
  out += "repository " + json_text(answer.at("repo")) + ", " + json_text(answer.at("url")) +
         "; next run " +
         (answer.at("next_run").is_null() ? "not planned"
                                          : "in " + span(time_of(answer.at("next_run")) - now)) +
         "\n";
  auto const* const announced = answer.as_object().if_contains("maintenance");
  if (announced != nullptr && announced->is_object()) {
    out += "in maintenance until " + json_text(announced->at("until")) + ": " +
           json_text(announced->at("reason")) + "\n";
  }
  auto const* const dropped = answer.as_object().if_contains("trust_dropped");
  if (dropped != nullptr && dropped->is_object()) {
    out += "what was trusted of it was dropped " + ago(dropped->at("at"), now) + ": " +
           json_text(dropped->at("reason")) + "\n";
  }
  for (auto const& finding : answer.at("findings").as_array()) {
    if (finding.at("severity") == "ok") continue;
    out += "  " + json_text(finding.at("severity")) + "  " + json_text(finding.at("check")) + "  " +
           json_text(finding.at("subject")) + ": " + json_text(finding.at("message")) + "\n";
  }
  for (auto const& each : answer.at("ends").as_array()) {
    out += "  " + end_of(each.at("what"), each.at("at"), now) + "\n";
  }
  return out;
}

bool output_wants_colour() {
  char const* const unwanted = std::getenv("NO_COLOR");
  return ::isatty(STDOUT_FILENO) != 0 && (unwanted == nullptr || *unwanted == '\0');
}

}  // namespace canary::daemon
