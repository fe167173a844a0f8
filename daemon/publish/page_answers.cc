// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page_answers.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

#include "daemon/publish/hang_answers.h"
#include "daemon/publish/history_answers.h"
#include "daemon/publish/page/charts.h"
#include "daemon/publish/page/config_page.h"
#include "daemon/publish/page/feed.h"
#include "daemon/publish/page/incidents.h"
#include "daemon/publish/page/overview.h"
#include "daemon/publish/page/runbook.h"
#include "daemon/publish/page/templates.h"
#include "daemon/publish/probe_pages.h"
#include "daemon/text/escape.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kSvg = "image/svg+xml";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kAtom = "application/atom+xml; charset=utf-8";
constexpr char kHistorySilent[] =
    "Its disk does not answer. Probing goes on; the overview is of now.";
constexpr std::chrono::milliseconds kTick{1};  // what is of this moment is in what is asked for
constexpr std::string_view kProbe = "/probe/", kBadge = "/badge/", kSvgEnd = ".svg";

HttpAnswer overview(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  page::OverviewQuery query{.state = parameter(request, "state").value_or("")};
  std::string const page = parameter(request, "page").value_or("");
  std::from_chars(page.data(), page.data() + page.size(), query.page);
  query.page = std::clamp<std::size_t>(query.page, 1, 1'000'000);
  auto const reading = sources.store.read();
  return html_answer(page::overview_page(*reading, own_state_of(sources, now), query, now));
}

using Incidents = history::Found<history::Incident>;

// Those that `query` asks for; or why there are none.
Result<Incidents, std::string> read_incidents(Sources const& sources, history::Query const& query) {
  if (sources.history == nullptr) return std::string{"There is none here."};
  auto found = sources.history->ask<Incidents>(
      [query](history::Store& store) { return store.incidents(query); }, kHistoryPatience);
  if (!found) return std::string{kHistorySilent};
  if (!*found) return found->error().text;
  return std::move(*found).value();
}

HttpAnswer incidents(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  auto query = history_query(request, now, std::chrono::hours{24 * 7});
  if (!query) return {400, kText, query.error() + "\n"};
  query.value().until += kTick;
  query.value().most = std::min<std::size_t>(query.value().most, 500);
  auto const found = read_incidents(sources, query.value());
  return html_answer(page::incidents_page(found ? found.value() : Incidents{}, query.value(),
                                          found ? "" : found.error(), now));
}

HttpAnswer feed(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  std::string const home = home_of(sources.place, header(request, "Host").value_or(""));
  if (home.empty()) return {400, kText, "The request names no host that links could have.\n"};
  history::Query const query{.probe = parameter(request, "probe").value_or(""),
                             .since = now - std::chrono::hours{24 * page::kDays},
                             .until = now + kTick,
                             .most = 100};
  auto const found = read_incidents(sources, query);
  if (!found) return {503, kText, found.error() + "\n"};
  SysTime const started = sources.store.read()->daemon->started;
  return {200, kAtom, page::incidents_feed(found.value(), home, query.probe, started)};
}

// For people a page, else the text as `canaryd config show` prints it.
HttpAnswer config(Sources const& sources, HttpRequest const& request) {
  bool const person = header(request, "Accept").value_or("").find("text/html") != std::string::npos;
  if (!person || parameter(request, "as").value_or("") == "text")
    return {200, kText, sources.config_text()};
  auto const reading = sources.store.read();
  return html_answer(
      page::config_page(sources.config_text(), *reading->daemon, sources.wall_clock()));
}

// "canaryd: NAME | ok", as the badges of many projects look.
HttpAnswer badge(Sources const& sources, std::string_view name) {
  SysTime const now = sources.wall_clock();
  auto const reading = sources.store.read();
  ProbeRow const* const row = reading->find(name);
  if (row == nullptr) return no_such_probe(name);
  auto const state =
      page::state_of(*row, own_state_of(sources, now), reading->daemon->started, now);
  std::string_view const label = page::label_of(state);
  bool const well = state == page::State::ok || state == page::State::running;
  std::string_view const colour = well                             ? "#1a7f37"
                                  : state == page::State::degraded ? "#8a5a00"
                                  : state == page::State::failing  ? "#c01f2c"
                                                                   : "#57606a";
  auto const left = std::to_string(name.size() * 7 + 14);
  auto const right = std::to_string(label.size() * 7 + 14);
  auto const all = std::to_string((name.size() + label.size()) * 7 + 28);
  std::string const shown = html(name);
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + all +
      "\" height=\"20\" role=\"img\" aria-label=\"" + shown + ": " + std::string{label} +
      "\" font-family=\"Verdana,sans-serif\" font-size=\"11\" "
      "fill=\"#fff\"><rect width=\"" +
      left + "\" height=\"20\" fill=\"#444\"/><rect x=\"" + left + "\" width=\"" + right +
      "\" height=\"20\" fill=\"" + std::string{colour} + "\"/><text x=\"7\" y=\"14\">" + shown +
      "</text><text x=\"" + std::to_string(name.size() * 7 + 21) + "\" y=\"14\">" +
      std::string{label} + "</text></svg>\n";
  return {200, kSvg, std::move(svg)};
}

}  // namespace

HttpAnswer html_answer(std::string html) {
  return {.status = 200, .content_type = kHtml, .body = std::move(html), .is_page = true};
}

std::optional<HttpAnswer> page_answer(Sources const& sources, HttpRequest const& request) {
  auto const path = request.path;
  if (path == "/") return overview(sources, request);
  if (path == "/incidents") return incidents(sources, request);
  if (path == "/incidents.atom") return feed(sources, request);
  if (path == "/runbook") return html_answer(page::runbook_page());
  if (path == "/config" && sources.config_text) return config(sources, request);
  if (auto hangs = hang_answer(sources, request)) return hangs;
  if (path == "/assets/page.css") {
    return HttpAnswer{200, "text/css; charset=utf-8", std::string{page::templates::kStyle}};
  }
  if (path == "/assets/page.js") {
    return HttpAnswer{200, "text/javascript; charset=utf-8", std::string{page::templates::kScript}};
  }
  if (path.starts_with(kProbe)) {
    return probe_page_answer(sources, request, path.substr(kProbe.size()));
  }
  if (path.starts_with(kBadge) && path.ends_with(kSvgEnd)) {
    auto const name = path.substr(kBadge.size());
    return badge(sources, name.substr(0, name.size() - kSvgEnd.size()));
  }
  return std::nullopt;
}

}  // namespace canary::daemon
