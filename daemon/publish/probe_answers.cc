// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/probe_answers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "config/harmless.h"
#include "daemon/publish/metrics.h"

namespace canary::daemon {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr milliseconds kNetwork{500};  // of a scrape's time, for the answer's way
constexpr milliseconds kLeastPatience{100}, kMostPatience{120'000};
constexpr milliseconds kBeyondTimeout{5'000};  // a run may wait for its turn

double seconds(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

void append(std::string& out, char const* name, char const* help, std::string const& value) {
  out.append("# HELP ").append(name).append(" ").append(help);
  out.append("\n# TYPE ").append(name).append(" gauge\n");
  out.append(name).append(" ").append(value).append("\n");
}

std::string metrics_of(ProbeRow const& row) {
  probes::Report const& report = *row.last_report;
  auto const severity = report.severity();
  bool const well = severity == probes::Severity::ok || severity == probes::Severity::warning;
  std::string out;
  append(out, "probe_success", "1 where the run was ok or a warning, else 0.", well ? "1" : "0");
  append(out, "probe_severity", "0 ok, 1 warning, 2 critical, 3 could not tell.",
         std::to_string(static_cast<int>(severity)));
  append(out, "probe_duration_seconds", "How long the run took.",
         std::to_string(seconds(row.last_duration)));
  std::map<std::string_view, probes::Severity> checks;
  for (auto const& finding : report.findings) {
    auto const [check, fresh] = checks.try_emplace(finding.check.text(), finding.counted());
    if (!fresh) check->second = probes::worse(check->second, finding.counted());
  }
  if (checks.empty()) return out;
  out +=
      "# HELP probe_finding_severity The worst of each check, as probe_severity.\n"
      "# TYPE probe_finding_severity gauge\n";
  for (auto const& [check, worst] : checks) {
    out.append("probe_finding_severity{check=\"").append(check).append("\"} ");
    out.append(std::to_string(static_cast<int>(worst))).append("\n");
  }
  return out;
}

bool wants_debug(HttpRequest const& request) {
  return parameter(request, "debug").value_or("") == "true";
}

HttpAnswer answer_of(Sources const& sources, bool debug, ProbeRow const& row) {
  if (!debug || !sources.run_text) {
    return {200, kMetricsContentType, metrics_of(row)};
  }
  return {200, kText,
          sources.run_text(row) + "\nMetrics that would have been returned:\n" + metrics_of(row)};
}

HttpAnswer no_result(std::string const& why) { return {503, kText, why + "\n"}; }

bool is_recent(ProbeRow const& row, SysTime now) {
  return row.last_report && row.last_run_start && now >= *row.last_run_start &&
         now - *row.last_run_start <= recent_enough(row.facts.interval);
}

// What is wrong with the question.
std::optional<HttpAnswer> refusal(ProbeRow const* row, std::string const& target) {
  if (target.empty())
    return HttpAnswer{400, kText, "Which probe? Give `target`; /sd lists them.\n"};
  std::string const name{HarmlessText<100>{target}};
  if (row == nullptr) {
    return HttpAnswer{400, kText, "No probe is called \"" + name + "\"; /sd lists them.\n"};
  }
  if (!row->facts.enabled) return HttpAnswer{400, kText, "The probe " + name + " is paused.\n"};
  return std::nullopt;
}

}  // namespace

milliseconds recent_enough(milliseconds interval) {
  return std::max(interval / 10, milliseconds{5'000});
}

milliseconds patience_of(std::string_view scrape_timeout, milliseconds usual) {
  double given = 0;
  auto const [end, failed] =
      std::from_chars(scrape_timeout.data(), scrape_timeout.data() + scrape_timeout.size(), given);
  bool const says = failed == std::errc{} && end == scrape_timeout.data() + scrape_timeout.size() &&
                    std::isfinite(given) && given > 0;
  if (!says) return std::clamp(usual, kLeastPatience, kMostPatience);
  double const most = static_cast<double>(kMostPatience.count()) / 1e3;
  milliseconds const whole{static_cast<std::int64_t>(std::min(given, most) * 1e3)};
  return std::max(whole - kNetwork, kLeastPatience);
}

HttpAnswer discovery(Sources const& sources, HttpRequest const& request) {
  auto const& place = sources.place;
  std::string const host = place.host.empty() ? header(request, "Host").value_or("") : place.host;
  if (!is_host(host)) return {400, kText, "The request names no host that targets could have.\n"};
  json::array groups;
  auto const reading = sources.store.read();
  std::string const& vantage = reading->daemon->vantage;
  for (ProbeRow const* row : reading->probes) {
    if (!row->facts.enabled) continue;
    json::object labels{{"__scheme__", place.https ? "https" : "http"},
                        {"__metrics_path__", place.base + "/probe"},
                        {"__param_target", row->facts.name},
                        {"probe", row->facts.name},
                        {"repo", row->facts.repository},
                        {"kind", row->facts.kind->kind}};
    if (!vantage.empty()) labels["vantage"] = vantage;
    groups.push_back(json::object{{"targets", json::array{host}}, {"labels", std::move(labels)}});
  }
  return {200, kJson, json::serialize(groups) + '\n'};
}

HttpAnswer probe_answer(Sources const& sources, HttpRequest const& request) {
  std::string const target = parameter(request, "target").value_or("");
  auto const reading = sources.store.read();
  ProbeRow const* const row = reading->find(target);
  if (auto refused = refusal(row, target)) return std::move(*refused);
  if (!row->last_report) return no_result("No run of it has ended yet.");
  // What is older would pass for a look at the repository.
  if (!is_recent(*row, sources.wall_clock())) {
    return no_result("Its last run is too old, and no other can be begun now. Try again.");
  }
  return answer_of(sources, wants_debug(request), *row);
}

std::optional<Later> probe_later(Sources const& sources, HttpRequest const& request) {
  if (request.path != "/probe" || sources.orders == nullptr) return std::nullopt;
  std::string const target = parameter(request, "target").value_or("");
  auto const reading = sources.store.read();
  ProbeRow const* const row = reading->find(target);
  if (refusal(row, target)) return std::nullopt;
  auto const now = sources.wall_clock();
  if (is_recent(*row, now) && !row->in_flight_since) return std::nullopt;
  std::optional<std::uint64_t> order;
  if (!row->in_flight_since) {
    order = sources.orders->give({.kind = Order::Kind::run_now, .probe = target, .reason = {}},
                                 Orders::kFromOutside);
    if (!order) return std::nullopt;  // many others are under way
  }
  auto const look = [&sources, debug = wants_debug(request), target, order,
                     before = row->runs]() -> std::optional<HttpAnswer> {
    auto const current = sources.store.read();
    ProbeRow const* const fresh = current->find(target);
    if (fresh == nullptr) return no_result("A reload took the probe away.");
    if (fresh->runs != before && fresh->last_report) return answer_of(sources, debug, *fresh);
    if (order && sources.orders->ended(*order) == false) {
      return no_result("No run can be had now: it is quarantined, or canaryd stops.");
    }
    return std::nullopt;
  };
  auto const limit =
      patience_of(header(request, "X-Prometheus-Scrape-Timeout-Seconds").value_or(""),
                  row->facts.timeout + kBeyondTimeout);
  return Later{.look = look,
               .limit = limit,
               .too_late = no_result("The run has not ended in time; it goes on.")};
}

}  // namespace canary::daemon
