// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/probe_pages.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/history/timeline.h"
#include "daemon/publish/history_answers.h"
#include "daemon/publish/page/charts.h"
#include "daemon/publish/page/probe_page.h"
#include "daemon/publish/page/run_links.h"
#include "daemon/publish/page/run_page.h"
#include "daemon/publish/page_answers.h"
#include "daemon/publish/post_guard.h"

namespace canary::daemon {
namespace {

using std::chrono::hours;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kRun = "/run/", kDay = "/day/";
constexpr char kSilent[] = "Its disk does not answer. Probing goes on; the overview is of now.";
constexpr std::chrono::milliseconds kTick{1};  // what is of this moment is in what is asked for
constexpr std::size_t kMostIncidents = 50;

// What the history says of a lag, or why it says nothing.
template <class T>
Result<T, std::string> ask(Sources const& sources,
                           std::function<history::DatabaseResult<T>(history::Store&)> question) {
  if (sources.history == nullptr) return std::string{"There is none here."};
  auto answer = sources.history->ask<T>(std::move(question), kHistoryPatience);
  if (!answer) return std::string{kSilent};
  if (!*answer) return answer->error().text;
  return std::move(*answer).value();
}

history::DatabaseResult<page::BehindSince> read_lags(history::Store& store,
                                                     std::vector<page::Lag> const& lags) {
  page::BehindSince behind;
  for (auto const& lag : lags) {
    for (auto const& ahead : lag.ahead) {
      BOOST_OUTCOME_TRY(auto const first, store.first_above(ahead, lag.thing, lag.version));
      if (!first) continue;
      auto const known = behind.emplace(lag.probe, *first).first;
      known->second = std::min(known->second, SysTime{*first});
    }
  }
  return behind;
}

history::DatabaseResult<page::ProbePast> read_past(history::Store& store, std::string const& probe,
                                                   std::vector<page::Lag> const& lags,
                                                   SysTime now) {
  using Width = history::Store::Width;
  history::Query week{
      .probe = probe, .since = now - hours{24 * 7}, .until = now + kTick, .most = 300};
  history::Query long_ago = week;
  long_ago.since = now - hours{24 * page::kDays};
  page::ProbePast past;
  BOOST_OUTCOME_TRY(auto days, store.spans(long_ago, Width::day));
  BOOST_OUTCOME_TRY(auto by_hour, store.spans(week, Width::hour));
  BOOST_OUTCOME_TRY(auto runs, store.runs(week));
  long_ago.most = kMostIncidents;
  BOOST_OUTCOME_TRY(past.incidents, store.incidents(long_ago));
  BOOST_OUTCOME_TRY(past.behind_since, read_lags(store, lags));
  past.days = std::move(days.entries);
  past.hours = std::move(by_hour.entries);
  past.runs = std::move(runs.entries);
  return past;
}

HttpAnswer probe(Sources const& sources, HttpRequest const& request, Snapshot const& snapshot,
                 ProbeRow const& row) {
  SysTime const now = sources.wall_clock();
  auto const own = own_state_of(sources, now);
  auto mirrors = page::mirrors_of(snapshot, row);
  page::ProbePast past;
  auto read = ask<page::ProbePast>(
      sources, [probe = row.facts.name, lags = page::lags_of(mirrors, row), now](auto& store) {
        return read_past(store, probe, lags, now);
      });
  if (read) {
    past = std::move(read).value();
  } else if (sources.history != nullptr) {
    past.trouble = read.error();
  }
  page::ProbeView const view{
      .row = row,
      .daemon = *snapshot.daemon,
      .own = own,
      .past = past,
      .mirrors = std::move(mirrors),
      .config = sources.probe_config ? sources.probe_config(row.facts.name) : std::string{},
      .may_run = sources.orders != nullptr && !refuse_person(request, sources.place)};
  return html_answer(page::probe_page(view, now));
}

history::DatabaseResult<page::RunPast> read_run(history::Store& store, std::string const& probe,
                                                SysTime at) {
  page::RunPast past;
  BOOST_OUTCOME_TRY(past.run, store.run_at(probe, at));
  BOOST_OUTCOME_TRY(auto const before,
                    store.runs({.probe = probe, .since = {}, .until = at, .most = 1}));
  if (!before.entries.empty()) past.before = before.entries.front().ended;
  BOOST_OUTCOME_TRY(past.after, store.run_after(probe, at));
  if (!past.run) return past;
  BOOST_OUTCOME_TRY(past.findings, store.findings_at(probe, at));
  BOOST_OUTCOME_TRY(past.versions, store.versions_at(probe, at));
  BOOST_OUTCOME_TRY(past.incidents,
                    store.incidents({.probe = probe, .since = at, .until = at + kTick, .most = 1}));
  return past;
}

HttpAnswer run(Sources const& sources, ProbeRow const& row, std::string_view text) {
  auto const at = page::parse_run_time(text);
  if (!at) {
    return {400, kText,
            "A run is told by the moment at which it ended, such as 2026-11-24T10:02:11.123Z.\n"};
  }
  auto const past = ask<page::RunPast>(sources, [probe = row.facts.name, at = *at](auto& store) {
    return read_run(store, probe, at);
  });
  if (!past) return {503, kText, "The history cannot be read: " + past.error() + "\n"};
  auto answer = html_answer(page::run_page(row.facts, *at, past.value(), sources.wall_clock()));
  if (!past.value().run) answer.status = 404;
  return answer;
}

history::DatabaseResult<page::DayPast> read_day(history::Store& store, std::string const& probe,
                                                SysTime day) {
  using Width = history::Store::Width;
  history::Query query{.probe = probe, .since = day, .until = day + hours{24}, .most = 24};
  query.versions = true;
  page::DayPast past;
  BOOST_OUTCOME_TRY(auto days, store.spans(query, Width::day));
  if (!days.entries.empty()) past.day = days.entries.front();
  BOOST_OUTCOME_TRY(auto by_hour, store.spans(query, Width::hour));
  past.hours = std::move(by_hour.entries);
  query.most = page::kMostRunsOfADay;
  BOOST_OUTCOME_TRY(past.runs, store.runs(query));
  query.most = page::kMostMomentsOfADay;
  BOOST_OUTCOME_TRY(past.moments, history::timeline(store, query));
  query.most = kMostIncidents;
  BOOST_OUTCOME_TRY(past.incidents, store.incidents(query));
  return past;
}

HttpAnswer day(Sources const& sources, ProbeRow const& row, std::string_view text) {
  auto const from = page::parse_day(text);
  if (!from) return {400, kText, "A day is written such as 2026-11-24; days are of UTC.\n"};
  auto const past = ask<page::DayPast>(
      sources,
      [probe = row.facts.name, from = *from](auto& store) { return read_day(store, probe, from); });
  if (!past) return {503, kText, "The history cannot be read: " + past.error() + "\n"};
  auto answer = html_answer(page::day_page(row.facts, *from, past.value(), sources.wall_clock()));
  if (!past.value().day && past.value().moments.entries.empty()) answer.status = 404;
  return answer;
}

}  // namespace

page::OwnState own_state_of(Sources const& sources, SysTime now) {
  return sources.own_state ? sources.own_state(now) : page::OwnState{};
}

HttpAnswer no_such_probe(std::string_view name) {
  return {404, kText,
          "No probe is called \"" + std::string{HarmlessText<100>{name}} + "\"; / lists them.\n"};
}

HttpAnswer probe_page_answer(Sources const& sources, HttpRequest const& request,
                             std::string_view path) {
  auto const reading = sources.store.read();
  if (ProbeRow const* const row = reading->find(path)) {
    return probe(sources, request, *reading, *row);
  }
  for (auto const& [part, answer] : {std::pair{kRun, &run}, std::pair{kDay, &day}}) {
    auto const at = path.rfind(part);
    if (at == std::string_view::npos) continue;
    ProbeRow const* const row = reading->find(path.substr(0, at));
    if (row != nullptr) return answer(sources, *row, path.substr(at + part.size()));
  }
  return no_such_probe(path);
}

}  // namespace canary::daemon
