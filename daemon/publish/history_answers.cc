// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/history_answers.h"

#include <charconv>
#include <string>
#include <utility>

#include "daemon/history/timeline.h"
#include "daemon/history/when.h"
#include "daemon/publish/history_json.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kMost = 10'000;

HttpAnswer refused(std::string const& why) { return {400, kJson, error_json(why)}; }

template <class T>
HttpAnswer ask(history::Recorder& history, history::Query const& query,
               history::DatabaseResult<history::Found<T>> (*read)(history::Store&,
                                                                  history::Query const&),
               std::string (*json)(history::Found<T> const&, history::Query const&)) {
  auto const found = history.ask<history::Found<T>>(
      [query, read](history::Store& store) { return read(store, query); }, kHistoryPatience);
  if (!found) {
    return {503, kJson,
            error_json("the history does not answer: its disk stands still or is busy; probing "
                       "goes on, and /api/v1/probes says how the repositories are now")};
  }
  if (!*found && found->error().too_long()) {
    return {503, kJson,
            error_json("there is too much to read for one answer: ask for less, by "
                       "since= and until=, or use `canaryd history`")};
  }
  if (!*found) {
    return {503, kJson, error_json("the history cannot be read: " + found->error().text)};
  }
  return {200, kJson, json(found->value(), query)};
}

HttpAnswer runs_answer(history::Recorder& history, HttpRequest const& request,
                       history::Query const& query) {
  auto const by = parameter(request, "by");
  if (!by) {
    if (query.probe.empty()) return refused("runs: expected probe=NAME, or by=hour or by=day");
    return ask<history::RunEntry>(
        history, query, [](auto& store, auto const& wanted) { return store.runs(wanted); },
        runs_json);
  }
  if (*by == "hour") {
    return ask<history::Span>(
        history, query,
        [](auto& store, auto const& wanted) {
          return store.spans(wanted, history::Store::Width::hour);
        },
        spans_json);
  }
  if (*by != "day") return refused("by: expected hour or day");
  return ask<history::Span>(
      history, query,
      [](auto& store, auto const& wanted) {
        return store.spans(wanted, history::Store::Width::day);
      },
      spans_json);
}

}  // namespace

Result<history::Query, std::string> history_query(HttpRequest const& request, SysTime now,
                                                  std::chrono::hours usual) {
  history::Query query{
      .probe = parameter(request, "probe").value_or(""), .since = now - usual, .until = now};
  for (auto const& [name, time] : {std::pair{"since", &query.since}, {"until", &query.until}}) {
    auto const text = parameter(request, name);
    if (!text) continue;
    auto const when = history::parse_when(*text, now, history::Zone::utc);
    if (!when) return std::string{name} + ": " + when.error();
    *time = when.value();
  }
  if (auto const text = parameter(request, "limit")) {
    auto const* const end = text->data() + text->size();
    auto const [rest, error] = std::from_chars(text->data(), end, query.most);
    if (error != std::errc{} || rest != end || query.most == 0 || query.most > kMost) {
      return "limit: expected a number from 1 to " + std::to_string(kMost) + ", got \"" +
             HarmlessText<100>{*text} + "\"";
    }
  }
  return query;
}

bool is_history(std::string_view path) {
  return path == "history" || path == "incidents" || path == "runs" || path == "versions";
}

HttpAnswer history_answer(history::Recorder& history, std::string_view path,
                          HttpRequest const& request, SysTime now) {
  auto query = history_query(request, now, std::chrono::hours{24});
  if (!query) return refused(query.error());
  if (path == "runs") return runs_answer(history, request, query.value());
  if (path == "incidents") {
    return ask<history::Incident>(
        history, query.value(),
        [](auto& store, auto const& wanted) { return store.incidents(wanted); }, incidents_json);
  }
  if (path == "versions") {
    return ask<history::VersionEntry>(
        history, query.value(),
        [](auto& store, auto const& wanted) { return store.versions(wanted); }, versions_json);
  }
  if (auto const versions = parameter(request, "versions")) {
    if (*versions != "yes") return refused("versions: expected yes");
    query.value().versions = true;
  }
  return ask<history::Moment>(history, query.value(), &history::timeline, timeline_json);
}

}  // namespace canary::daemon
