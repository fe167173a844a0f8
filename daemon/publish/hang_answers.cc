// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/hang_answers.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "config/harmless.h"
#include "daemon/history/timeline.h"
#include "daemon/publish/history_answers.h"
#include "daemon/publish/page/dump_page.h"
#include "daemon/publish/page/hangs_page.h"
#include "daemon/publish/page_answers.h"
#include "daemon/publish/stored_dumps.h"

namespace canary::daemon {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kHangs = "/hangs", kOne = "/hangs/";
constexpr char kDiskSilent[] = "The disk with the dumps does not answer.";

void read_history(page::HangsPast& past, history::Recorder* history, history::Query const& query) {
  if (history == nullptr) {
    past.trouble = "There is none here.";
    return;
  }
  auto found = history->ask<history::Found<history::Moment>>(
      [query](history::Store& store) { return history::own_timeline(store, query); },
      kHistoryPatience);
  if (!found) {
    past.trouble = "Its disk does not answer. What hangs now is true all the same.";
  } else if (!*found) {
    past.trouble = found->error().text;
  } else {
    past.moments = std::move(*found).value();
  }
}

HttpAnswer hangs(Sources const& sources, HttpRequest const& request) {
  SysTime const now = sources.wall_clock();
  auto query = history_query(request, now, std::chrono::hours{24 * 7});
  if (!query) return {400, kText, query.error() + "\n"};
  query.value().probe.clear();
  query.value().until += std::chrono::milliseconds{1};  // this moment is in it
  query.value().most = std::min<std::size_t>(query.value().most, 500);
  page::HangsPast past;
  read_history(past, sources.history, query.value());
  if (sources.stored_dumps != nullptr) {
    auto dumps = sources.stored_dumps->list(kHistoryPatience);
    if (dumps) past.dumps = std::move(*dumps);
    if (!dumps) past.dumps_trouble = kDiskSilent;
  }
  auto const own = sources.own_state ? sources.own_state(now) : page::OwnState{};
  return html_answer(page::hangs_page(own, past, query.value(), now));
}

HttpAnswer no_such_dump(std::string const& name) {
  return {404, kText,
          "No dump is called \"" + make_harmless(name, 200) +
              "\", or it is too long; /hangs lists "
              "them.\n"};
}

HttpAnswer one(StoredDumps& dumps, std::string const& name) {
  bool const text = name.ends_with(".txt"), document = name.ends_with(".json");
  auto file = dumps.read(text || document ? name : name + ".json", kHistoryPatience);
  if (!file) return {503, kText, std::string{kDiskSilent} + "\n"};
  if (!file->found) return no_such_dump(name);
  if (text) return {200, kText, std::move(file->content)};
  if (document) return {200, kJson, std::move(file->content)};
  if (auto page = page::dump_page(name, file->content)) return html_answer(std::move(*page));
  return {500, kText, "It cannot be read as a page; " + name + ".txt may be more.\n"};
}

}  // namespace

std::optional<HttpAnswer> hang_answer(Sources const& sources, HttpRequest const& request) {
  if (request.path == kHangs) return hangs(sources, request);
  if (!request.path.starts_with(kOne) || sources.stored_dumps == nullptr) return std::nullopt;
  return one(*sources.stored_dumps, std::string{request.path.substr(kOne.size())});
}

}  // namespace canary::daemon
