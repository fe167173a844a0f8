// SPDX-License-Identifier: Apache-2.0
// The paths and their answers.
#include "daemon/publish/routes.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <system_error>

#include "daemon/publish/history_answers.h"
#include "daemon/publish/negotiation.h"
#include "daemon/publish/order_answers.h"
#include "daemon/publish/page_answers.h"
#include "daemon/publish/post_guard.h"
#include "daemon/publish/probe_answers.h"
#include "daemon/publish/run_answers.h"
#include "runtime/tables.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kApi = "/api/v1/";
constexpr std::string_view kReload = "/-/reload", kRun = "/-/run";
constexpr std::string_view kDump = "/debug/dump";
constexpr std::chrono::seconds kDumpAgain{3};  // most dumps are there by then
constexpr std::chrono::minutes kReloadWithin{2};
constexpr std::string_view kPaths =
    "There are: / /incidents /incidents.atom /probe/NAME /probe/NAME/run/TIME /probe/NAME/day/DATE "
    "/hangs /hangs/NAME /runbook /config /badge/NAME.svg "
    "/metrics /-/healthy /-/ready /-/live /-/reload /-/run /sd /probe?target=NAME "
    "/api/v1/status /api/v1/probes "
    "/api/v1/probes/NAME /api/v1/hangs /api/v1/history /api/v1/incidents /api/v1/runs "
    "/api/v1/versions /api/v1/executor /debug/executor\n";

constexpr std::string_view kOpenMetrics100 =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kOpenMetrics001 =
    "application/openmetrics-text; version=0.0.1; charset=utf-8";

void encode(HttpRequest const& request, HttpAnswer& answer) {
  bool const by_accept = request.path == "/metrics" || request.path == "/config";
  answer.vary = by_accept ? "Accept, Accept-Encoding" : "Accept-Encoding";
  if (!accepts_gzip(header(request, "Accept-Encoding").value_or(""))) return;
  auto shorter = gzip(answer.body);
  if (!shorter) return;
  answer.body = std::move(*shorter);
  answer.gzip = true;
}

Later reload_later(Reloads& reloads) {
  auto const told = [&reloads, number = reloads.ask()]() -> std::optional<HttpAnswer> {
    auto const outcome = reloads.outcome(number);
    if (!outcome) return std::nullopt;
    bool const accepted = outcome->accepted();
    std::string text = accepted ? "reloaded\n" : "";
    for (auto const& line : outcome->lines) text += (accepted ? "  " : "") + line + "\n";
    if (!accepted) {
      text += std::string{to_text(outcome->kind)} + "; the running configuration stays in force\n";
    }
    return HttpAnswer{accepted ? 200 : 500, kText, std::move(text)};
  };
  return {.look = told,
          .limit = kReloadWithin,
          .too_late = {500, kText, "The reload has not ended yet; it goes on.\n"}};
}

HttpAnswer health_answer(Health const& health, std::string_view when_ok) {
  if (health.ok) return {200, kText, std::string{when_ok} + '\n'};
  return {503, kText, health.reason + '\n'};
}

}  // namespace

std::optional<std::string> parameter(HttpRequest const& request, char const* name) {
  return request.parameter ? request.parameter(name) : std::nullopt;
}

std::optional<std::string> header(HttpRequest const& request, char const* name) {
  return request.header ? request.header(name) : std::nullopt;
}

HttpAnswer Routes::metrics(HttpRequest const& request) const {
  auto const reading = sources_.store.read();
  SysTime const now = sources_.wall_clock();
  std::string page =
      render_metrics({.snapshot = *reading,
                      .requests = counts(),
                      .clients = clients(),
                      .process = process_facts(),
                      .log_lines_dropped = sources_.log_lines_dropped(),
                      .history = history_counts(),
                      .pushed = sources_.pushed ? sources_.pushed() : std::nullopt,
                      .pages = sources_.place.host.empty() ? "" : home_of(sources_.place, "") + "/",
                      .now = now});
  if (sources_.hang_metrics) sources_.hang_metrics(page, *reading, now);
  auto const version = wanted_openmetrics(header(request, "Accept").value_or(""));
  if (version.empty()) return {200, kMetricsContentType, std::move(page)};
  return {200, version == "0.0.1" ? kOpenMetrics001 : kOpenMetrics100, to_openmetrics(page)};
}

std::optional<history::Recorder::Counts> Routes::history_counts() const {
  if (sources_.history == nullptr) return std::nullopt;
  return sources_.history->counts();
}

std::vector<ClientCounts> Routes::clients() const {
  return sources_.clients ? sources_.clients() : std::vector<ClientCounts>{};
}

HttpAnswer Routes::debug(HttpRequest const& request) const {
  if (request.path == "/debug/executor" && sources_.executor_text) {
    return {200, kText, sources_.executor_text()};
  }
  return {404, kText, "There is no such page here.\n" + std::string{kPaths}};
}

// On the private listener POST /-/reload asks for one, and GET /-/reload/NUMBER tells what became
// of it. On others POST /-/reload waits for that, see later(), where it is not refused here.
HttpAnswer Routes::reload(HttpRequest const& request) const {
  auto const rest = request.path.substr(kReload.size());
  if (sources_.reloads == nullptr || (!request.is_private && !rest.empty())) {
    return {404, kText, "Not from here: `canaryd reload`, or SIGHUP.\n"};
  }
  if (request.has_body) return {413, kText, "A body was not expected.\n"};
  if (rest.empty() && request.method != "POST") {
    return {
        .status = 405, .content_type = kText, .body = "POST asks for a reload.\n", .allow = "POST"};
  }
  if (auto refusal = refuse_change(request, sources_.place)) return std::move(*refusal);
  if (rest.empty()) return {200, kJson, sources_.reloads->answer(sources_.reloads->ask())};
  std::uint64_t number = 0;
  auto const [end, failed] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
  if (rest.size() < 2 || failed != std::errc{} || end != rest.data() + rest.size()) {
    return {404, kText, "There is no such reload.\n"};
  }
  return {200, kJson, sources_.reloads->answer(number)};
}

std::optional<Later> Routes::later(HttpRequest const& request) {
  bool const reload = request.path == kReload && request.method == "POST";
  if (request.is_private || request.has_body) return std::nullopt;
  if (reload && sources_.reloads != nullptr && !refuse_change(request, sources_.place)) {
    return reload_later(*sources_.reloads);
  }
  if (request.path == kRun) return run_later(sources_, request);
  if (request.method != "GET") return std::nullopt;
  return probe_later(sources_, request);
}

HttpAnswer Routes::api(HttpRequest const& request) const {
  auto const path = request.path.substr(kApi.size());
  auto const reading = sources_.store.read();
  SysTime const now = sources_.wall_clock();
  if (path == "status") return {200, kJson, status_json(*reading, sources_.healthy(), now)};
  if (path == "hangs" && sources_.hangs) return {200, kJson, sources_.hangs(now)};
  if (path == "executor" && sources_.executor_json) return {200, kJson, sources_.executor_json()};
  if (sources_.history != nullptr && is_history(path)) {
    return history_answer(*sources_.history, path, request, now);
  }
  if (path == "probes") return {200, kJson, probes_json(*reading, now)};
  constexpr std::string_view kProbe = "probes/";
  if (path.starts_with(kProbe)) {
    auto const name = path.substr(kProbe.size());
    if (auto body = probe_json(*reading, name, now)) return {200, kJson, std::move(*body)};
    return {
        404, kJson,
        error_json("no probe is called \"" + std::string{name} + "\"; /api/v1/probes lists them")};
  }
  return {404, kJson,
          error_json("no such path; there are /api/v1/status, /api/v1/probes, "
                     "/api/v1/probes/NAME, /api/v1/hangs, /api/v1/history, /api/v1/incidents, "
                     "/api/v1/runs, /api/v1/versions and /api/v1/executor")};
}

HttpAnswer Routes::answer(HttpRequest const& request, bool overloaded) {
  if (request.path == kReload || request.path.starts_with(std::string{kReload} + '/')) {
    return reload(request);
  }
  if (request.path == kRun && !request.is_private) return run_refusal(sources_, request);
  if (auto order = order_answer(sources_.orders, request)) return std::move(*order);
  if (request.method != "GET" && request.method != "HEAD") {
    return {405, kText, "Only GET and HEAD are answered here.\n", "GET, HEAD"};
  }
  if (request.has_body) return {413, kText, "A body was not expected.\n"};
  auto const path = request.path;
  if (path == "/-/healthy") return health_answer(sources_.healthy(), "canaryd works.");
  if (path == "/-/live") return health_answer(sources_.live(), "canaryd lives.");
  if (path == "/-/ready") {
    auto const reading = sources_.store.read();
    return health_answer(readiness(*reading, sources_.wall_clock()), "canaryd is ready.");
  }
  if (overloaded) return {503, kText, "Too many answers are waiting for their clients to read.\n"};
  if (path == "/metrics") return metrics(request);
  if (path == "/probe") return probe_answer(sources_, request);
  if (path == "/sd") return discovery(sources_, request);
  if (auto page = page_answer(sources_, request)) {
    if (page->is_page) page->body = with_base(std::move(page->body), sources_.place.base);
    return std::move(*page);
  }
  if (path.starts_with(kApi)) return api(request);
  if (path.starts_with("/debug/")) return debug(request);
  return {404, kText, "There is no such page here.\n" + std::string{kPaths}};
}

HttpAnswer Routes::respond(HttpRequest const& request, bool overloaded) {
  watchdog::AnswerMark const mark{sources_.answering, runtime::now_ns()};
  if (request.path == watchdog::kAskedPath)
    return {200, kText, "yes\n"};  // the watchdog's: no news
  return finish(request, answer(request, overloaded));
}

std::optional<HttpAnswer> Routes::enter(HttpRequest& request) {
  if (request.is_private || request.path == watchdog::kAskedPath) return std::nullopt;
  if (auto const inside = below(sources_.place, request.path)) {
    request.path = *inside;
    return std::nullopt;
  }
  std::string const home = sources_.place.base + "/";
  if (request.path == "/" || request.path == sources_.place.prefix) {
    return counted("other", {.status = 302,
                             .content_type = kText,
                             .body = "The pages are at " + home + "\n",
                             .location = home});
  }
  return counted("other", {404, kText, "Everything here is below " + home + "\n"});
}

HttpAnswer Routes::finish(HttpRequest const& request, HttpAnswer answer) {
  auto made = counted(request.path, std::move(answer));
  if (made.status == 200 && !made.body.empty()) encode(request, made);
  return made;
}

bool Routes::asks_for_dump(HttpRequest const& request) const {
  return sources_.dumps != nullptr && request.is_private && request.path == kDump &&
         (request.method == "GET" || request.method == "HEAD") && !request.has_body;
}

std::string Routes::seen_without_dump() const {
  if (!sources_.executor_text) return "\n";
  return "; what can be seen without it:\n\n" + sources_.executor_text();
}

HttpAnswer Routes::dump_answer(DumpAnswers::Text const& dump) {
  watchdog::AnswerMark const mark{sources_.answering, runtime::now_ns()};
  if (dump) return counted(kDump, {200, kText, *dump});
  return counted(kDump, {200, kText,
                         "the dump did not come to its end in time: a disk does not answer, or "
                         "canaryd stops" +
                             seen_without_dump()});
}

HttpAnswer Routes::dump_refusal(DumpAnswers::Taken taken) {
  watchdog::AnswerMark const mark{sources_.answering, runtime::now_ns()};
  if (taken == DumpAnswers::Taken::stands_still) {
    return counted(kDump, {200, kText,
                           "no dump: the one that was begun before stands still, for a disk does "
                           "not answer" +
                               seen_without_dump()});
  }
  HttpAnswer refusal{503, kText,
                     "No dump for now: canaryd stops, or has no thread for it. Try again.\n"};
  if (taken == DumpAnswers::Taken::too_many) {
    refusal.body = std::to_string(DumpAnswers::kMostWaiting) +
                   " clients wait for the dump that is being made, and no more may. Try again in " +
                   std::to_string(kDumpAgain.count()) + " s.\n";
  }
  refusal.retry_after = kDumpAgain;
  return counted(kDump, std::move(refusal));
}

HttpAnswer Routes::counted(std::string_view path, HttpAnswer answer) {
  auto const handler = [&] {
    for (std::size_t i = 0; i + 1 < kHandlers.size(); ++i) {
      if (path == kHandlers[i]) return i;
    }
    return path.starts_with(kApi) ? kApiHandler : kHandlers.size() - 1;
  }();
  auto const code =
      static_cast<std::size_t>(std::ranges::find(kCodes, answer.status) - kCodes.begin());
  if (code < kCodes.size()) counts_[handler][code].fetch_add(1, std::memory_order_relaxed);
  return answer;
}

std::vector<HttpRequestCount> Routes::counts() const {
  std::vector<HttpRequestCount> result;
  for (std::size_t handler = 0; handler < kHandlers.size(); ++handler) {
    for (std::size_t code = 0; code < kCodes.size(); ++code) {
      auto const count = counts_[handler][code].load(std::memory_order_relaxed);
      if (count > 0) result.push_back({kHandlers[handler], kCodes[code], count});
    }
  }
  return result;
}

}  // namespace canary::daemon
