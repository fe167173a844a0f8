// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/hangs_page.h"

#include <algorithm>

#include "config/url.h"
#include "daemon/history/when.h"
#include "daemon/publish/api.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/own_fields.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/templates.h"

namespace canary::daemon::page {
namespace {

using history::Moment;

constexpr int kWidth = 1'000;  // of the strip
constexpr int kLeastWidth = 3;

struct Shown {
  std::string_view state, label;
};

Shown shown(Moment const& moment) {
  if (moment.kind == "hang") return {"stalled", "hang"};
  if (moment.kind == "unclean_end") return {"failing", "not watched"};
  if (moment.kind == "reload_refused") return {"degraded", "refused"};
  if (moment.kind == "start") return {"ok", "start"};
  if (moment.kind == "stop") return {"unknown", "stop"};
  if (moment.kind == "list") return {"unknown", "list"};
  return {"unknown", "reload"};
}

// A hang is told when it is over or has reached its level, an end when it came: `lasted` is before
// the one and after the other.
history::Time begin_of(Moment const& moment) {
  return moment.kind == "hang" ? moment.at - moment.lasted : moment.at;
}

// One path for each state: what lasted as a bar, what did not as a line.
void add_strip(Fields& page, HangsPast const& past, history::Query const& query) {
  page.list("marks");
  auto const whole = std::max<std::int64_t>(1, (query.until - query.since).count());
  auto const place = [&](history::milliseconds after) {
    return std::clamp<std::int64_t>(after.count() * kWidth / whole, 0, kWidth);
  };
  for (std::string_view const state : {"unknown", "ok", "degraded", "failing", "stalled"}) {
    std::string path;
    for (auto const& moment : past.moments.entries) {
      if (shown(moment).state != state || moment.kind == "reload" || moment.kind == "list") {
        continue;
      }
      auto const from = place(begin_of(moment) - query.since);
      auto const width = std::max<std::int64_t>(
          kLeastWidth, place(begin_of(moment) + moment.lasted - query.since) - from);
      path += "M" + std::to_string(from) + " 0h" + std::to_string(width) + "v24h-" +
              std::to_string(width) + "z";
    }
    if (path.empty()) continue;
    page.entry("marks").text("class", std::string{state}).text("path", std::move(path));
  }
}

void add_moments(Fields& page, HangsPast const& past, history::Time now) {
  page.list("moments");
  for (auto moment = past.moments.entries.rbegin(); moment != past.moments.entries.rend();
       ++moment) {
    auto const [state, label] = shown(*moment);
    page.entry("moments")
        .text("state", std::string{state})
        .text("label", std::string{label})
        .text("at", rfc3339(moment->at))
        .text("when", clock(moment->at, now))
        .text("what", history::event_text(*moment));
  }
}

void add_dumps(Fields& page, HangsPast const& past, history::Time now) {
  page.list("stored");
  for (auto const& dump : past.dumps) {
    page.entry("stored")
        .text("name", dump.name)
        .text("href", "/hangs/" + config::percent_encode(dump.name))
        .text("at", rfc3339(dump.written))
        .text("when", clock(dump.written, now))
        .text("headline", dump.headline.empty() ? "nothing could be read" : dump.headline);
  }
}

std::string verdict(OwnState const& own, HangsPast const& past) {
  std::size_t hangs = 0, ends = 0;
  history::milliseconds blind{0};
  for (auto const& moment : past.moments.entries) {
    if (moment.kind == "hang") ++hangs;
    if (moment.kind != "unclean_end") continue;
    ++ends;
    blind += moment.lasted;
  }
  if (!past.trouble.empty()) return "The history cannot be read";
  // What hangs now is noted once the loop turns again.
  std::string const who = own.turns ? "canaryd " : "Before this hang canaryd ";
  if (hangs + ends == 0) return who + "neither hung nor ended unclean";
  std::string text;
  if (hangs > 0) text = who + "hung " + count(hangs, "time");
  if (ends > 0) {
    text += (text.empty() ? who + "ended unclean " : std::string{", and ended unclean "}) +
            count(ends, "time") + ": nobody watched for " + history::span_text(blind);
  }
  return text;
}

}  // namespace

std::string hangs_page(OwnState const& own, HangsPast const& past, history::Query const& query,
                       history::Time now) {
  Fields page;
  add_own_state(page, own);
  std::string const sentence = verdict(own, past);
  bool const quiet = sentence.starts_with("canaryd neither");
  page.text("verdict", sentence)
      .text("worst", !past.trouble.empty() ? "unknown"
                     : quiet               ? "ok"
                                           : "degraded")
      .text("since", clock(query.since, now))
      .text("since_at", rfc3339(query.since))
      .text("until_at", rfc3339(query.until))
      .text("trouble", past.trouble)
      .text("dumps_trouble", past.dumps_trouble)
      .flag("more", past.moments.more);
  add_strip(page, past, query);
  add_moments(page, past, now);
  add_dumps(page, past, now);
  return render_page("canaryd: hangs", templates::kHangs, page);
}

}  // namespace canary::daemon::page
