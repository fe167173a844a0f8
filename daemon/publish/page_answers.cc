// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page_answers.h"

#include <charconv>
#include <string>

#include "daemon/history/when.h"
#include "daemon/publish/history_answers.h"
#include "daemon/publish/page/incidents.h"
#include "daemon/publish/page/overview.h"
#include "daemon/publish/page/probe_page.h"
#include "daemon/publish/page/templates.h"
#include "daemon/text/escape.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kSvg = "image/svg+xml";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kProbe = "/probe/", kBadge = "/badge/", kSvgEnd = ".svg";

std::string parameter(HttpRequest const& request, char const* name) {
  return request.parameter ? request.parameter(name).value_or("") : std::string{};
}

HttpAnswer a_page(std::string html) {
  return {.status = 200, .content_type = kHtml, .body = std::move(html), .is_page = true};
}

page::OwnState own_state_of(Sources const& sources, SysTime now) {
  return sources.own_state ? sources.own_state(now) : page::OwnState{};
}

HttpAnswer overview(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  page::OverviewQuery query{.state = parameter(request, "state")};
  std::string const page = parameter(request, "page");
  std::from_chars(page.data(), page.data() + page.size(), query.page);
  query.page = std::clamp<std::size_t>(query.page, 1, 1'000'000);
  auto const reading = sources.store.read();
  return a_page(page::overview_page(*reading, own_state_of(sources, now), query, now));
}

HttpAnswer no_such_probe(std::string_view name) {
  return {404, kText,
          "No probe is called \"" + std::string{HarmlessText<100>{name}} + "\"; / lists them.\n"};
}

HttpAnswer probe(Sources const& sources, std::string_view name) {
  SysTime const now = sources.wall_clock();
  auto const reading = sources.store.read();
  ProbeRow const* const row = reading->find(name);
  if (row == nullptr) return no_such_probe(name);
  return a_page(page::probe_page(*row, *reading->daemon, own_state_of(sources, now), now));
}

HttpAnswer incidents(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  history::Query query{.probe = parameter(request, "probe"),
                       .since = now - std::chrono::hours{24 * 7},
                       .until = now + std::chrono::milliseconds{1},
                       .most = 500};
  if (std::string const since = parameter(request, "since"); !since.empty()) {
    auto const when = history::parse_when(since, now, history::Zone::utc);
    if (!when) return {400, kText, "since: " + when.error() + "\n"};
    query.since = when.value();
  }
  if (sources.history == nullptr) {
    return a_page(page::incidents_page({}, query, "There is none here.", now));
  }
  auto const found = sources.history->ask<history::Found<history::Incident>>(
      [query](history::Store& store) { return store.incidents(query); }, kHistoryPatience);
  if (!found) {
    return a_page(page::incidents_page(
        {}, query, "Its disk does not answer. Probing goes on; the overview is of now.", now));
  }
  if (!*found) return a_page(page::incidents_page({}, query, found->error().text, now));
  return a_page(page::incidents_page(found->value(), query, "", now));
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

std::optional<HttpAnswer> page_answer(Sources const& sources, HttpRequest const& request) {
  auto const path = request.path;
  if (path == "/") return overview(sources, request);
  if (path == "/incidents") return incidents(sources, request);
  if (path == "/assets/page.css") {
    return HttpAnswer{200, "text/css; charset=utf-8", std::string{page::templates::kStyle}};
  }
  if (path == "/assets/page.js") {
    return HttpAnswer{200, "text/javascript; charset=utf-8", std::string{page::templates::kScript}};
  }
  if (path.starts_with(kProbe)) return probe(sources, path.substr(kProbe.size()));
  if (path.starts_with(kBadge) && path.ends_with(kSvgEnd)) {
    auto const name = path.substr(kBadge.size());
    return badge(sources, name.substr(0, name.size() - kSvgEnd.size()));
  }
  return std::nullopt;
}

}  // namespace canary::daemon
