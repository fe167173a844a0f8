// SPDX-License-Identifier: Apache-2.0
// Order: what hangs, the verdict, who needs somebody, every repository, what ends when, canaryd.
#include "daemon/publish/page/overview.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

#include "config/duration.h"
#include "config/url.h"
#include "daemon/publish/api.h"
#include "daemon/publish/first_steps.h"
#include "daemon/publish/page/advice.h"
#include "daemon/publish/page/bars.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/lag_chart.h"
#include "daemon/publish/page/own_fields.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/templates.h"
#include "daemon/results/known.h"
#include "daemon/results/maintenance.h"
#include "daemon/results/things.h"

namespace canary::daemon::page {
namespace {

constexpr std::size_t kStates = 8;
constexpr std::size_t kCards = 50;         // beyond these only counted
constexpr std::size_t kFindings = 20;      // of one card
constexpr std::size_t kHealthyShown = 20;  // without a filter
constexpr std::size_t kRowsOfAPage = 200;  // with one
constexpr std::size_t kDeadlines = 12;
constexpr std::size_t kRunsShown = 20;
constexpr unsigned kDeepest = 20;  // of what a run waits for: further in it is drawn as that

using Counts = std::array<std::size_t, kStates>;

struct Seen {
  ProbeRow const* row;
  State state;
  std::size_t place;  // in the configuration
};

bool is_trouble(State state) { return state < State::degraded; }

std::string address_of(ProbeRow const& row) {
  return "/probe/" + config::percent_encode(row.facts.name);
}

// "for 22 min, since 01:50:49 UTC · 89 runs in a row · last run 3 s ago".
std::string how_long(ProbeRow const& row, SysTime now) {
  std::string text;
  if (row.severity) {
    text = "for " + span(now - row.since) + ", since " + clock(row.since, now);
  }
  if (row.consecutive_failures > 1) {
    text += " · " + std::to_string(row.consecutive_failures) + " runs in a row";
  }
  if (row.last_run_end) text += " · last run " + distance(*row.last_run_end, now);
  return text;
}

void add_findings(Fields& card, ProbeRow const& row) {
  auto const& findings = row.open->findings;
  for (std::size_t i = 0; i < std::min(findings.size(), kFindings); ++i) {
    auto const& finding = findings[i];
    card.entry("findings")
        .text("check", finding.check)
        .text("severity", std::string{to_text(finding.severity)})
        .text("sentence", std::string{finding.message})
        .text("subject", finding.message.find(finding.subject.text()) == std::string::npos
                             ? finding.subject.text()
                             : "")
        .text("evidence", std::string{evidence_beside(finding)})
        .text("url", finding.url)
        .text("accepted", finding.accepted ? finding.accepted->because.text() : "");
  }
  if (row.open->total > kFindings) {
    card.text("more", std::to_string(row.open->total - kFindings) + " more findings");
  }
}

void add_card(Fields& page, Seen const& seen, DaemonFacts const& daemon, SysTime now) {
  auto const& row = *seen.row;
  Fields& card = page.entry("cards");
  card.text("state", std::string{name_of(seen.state)})
      .text("label", std::string{label_of(seen.state)})
      .text("name", row.facts.name)
      .text("href", address_of(row))
      .text("url", row.facts.url)
      .text("how_long", how_long(row, now))
      .text("maintenance", maintenance_text(row, now))
      .text("command", check_command(daemon.config_file, row.facts.name));
  add_findings(card, row);
  if (seen.state == State::stale) {
    card.text("own", "No result for " + span(now - row.last_run_end.value_or(daemon.started)) +
                         ", although one is due every " + span(row.facts.interval) + ".");
  }
  if (seen.state == State::stalled) {
    card.text("own", "Its run makes no progress and did not end when asked to.");
  }
  if (seen.state == State::stalled || seen.state == State::stale) {
    card.text("alert", seen.state == State::stale ? "CanarydProbeStale" : "CanarydProbeStalled");
  }
  if (!row.open->findings.empty() && seen.state != State::stalled) {
    Advice const advice = advice_on(row.facts.kind->kind, row.open->findings.front());
    card.text("advice", std::string{advice.what}).text("alert", std::string{advice.alert});
  }
}

// The highest of its things' versions, which is of what is published most often: what probes of one
// repository are compared by. 0 where nothing has one.
std::int64_t version_of(ProbeRow const& row) {
  std::int64_t highest = 0;
  for (auto const& thing : row.known->things) {
    highest = std::max(highest, daemon::version_of(thing.facts).value_or(0));
  }
  return highest;
}

void add_row(Fields& group, Seen const& seen, std::int64_t newest, SysTime now) {
  auto const& row = *seen.row;
  Fields& line = group.entry("rows");
  line.text("name", row.facts.name)
      .text("href", address_of(row))
      .text("state", std::string{name_of(seen.state)})
      .text("label", std::string{label_of(seen.state)})
      .text("maintenance", maintenance_text(row, now));
  // What is not set here would be looked for in what is around it.
  for (auto const* const column : {"version", "behind", "took", "next", "tls"}) {
    line.text(column, "");
  }
  add_bars(line, row.recent);
  auto const version = version_of(row);
  if (version > 0) {
    line.text("version", "v" + std::to_string(version));
    if (version < newest) line.text("behind", std::to_string(newest - version) + " behind");
  }
  auto const end = next_end(row, now);
  line.text("ends", end.text).flag("ended", end.over);
  if (row.runs > 0) {
    line.text("took", span(std::chrono::floor<std::chrono::milliseconds>(row.last_duration)));
  }
  if (row.in_flight_since) {
    line.text("next", "running for " + span(now - *row.in_flight_since));
  } else if (row.next_run) {
    line.text("next", distance(*row.next_run, now));
  }
  if (row.known->certificates) {
    line.text("tls", distance(SysTime{row.known->certificates->first}, now));
  }
}

// By repository, those with trouble first; healthy ones beyond some are left to the filter.
void add_repositories(Fields& page, std::vector<Seen> const& seen, OverviewQuery const& query,
                      SysTime now) {
  bool const filtered = !query.state.empty();
  std::map<std::string, std::int64_t> newest;
  for (auto const& each : seen) {
    auto& version = newest[each.row->facts.repository];
    version = std::max(version, version_of(*each.row));
  }
  std::vector<Seen> shown;
  std::size_t healthy = 0, matching = 0;
  std::size_t const skip = filtered ? (query.page - 1) * kRowsOfAPage : 0;
  for (auto const& each : seen) {
    if (filtered && name_of(each.state) != query.state) continue;
    if (!filtered && each.state >= State::running && ++healthy > kHealthyShown) continue;
    ++matching;
    if (matching <= skip || shown.size() == kRowsOfAPage) continue;
    shown.push_back(each);
  }
  std::ranges::sort(shown, {}, [](Seen const& each) {
    return std::tuple{std::string_view{each.row->facts.repository}, each.state, each.place};
  });
  page.list("groups");
  Fields* group = nullptr;
  std::string const* repository = nullptr;
  for (auto const& each : shown) {
    auto const& own = each.row->facts.repository;
    if (repository == nullptr || *repository != own) {
      group = &page.entry("groups").text("repository", own == each.row->facts.name ? "" : own);
      repository = &own;
    }
    add_row(*group, each, newest[own], now);
  }
  if (healthy > kHealthyShown) {
    page.text("hidden", count(healthy - kHealthyShown, "healthy probe"));
  }
  if (filtered) {
    page.text("filter", query.state);
    if (matching > skip + shown.size()) {
      page.text("next_page", "/?state=" + query.state + "&page=" + std::to_string(query.page + 1));
    }
    if (query.page > 1) {
      page.text("previous_page",
                "/?state=" + query.state + "&page=" + std::to_string(query.page - 1));
    }
  } else if (matching > shown.size()) {
    page.text("hidden", count(matching - shown.size() +
                                  (healthy > kHealthyShown ? healthy - kHealthyShown : 0),
                              "probe"));
  }
}

// Until when a refresh succeeds, the nearest first.
void add_deadlines(Fields& page, std::vector<Seen> const& seen, SysTime now) {
  struct Ending {
    std::chrono::sys_seconds at;
    std::string label;
    bool soon;
  };
  std::vector<Ending> all;
  for (auto const& each : seen) {
    for (auto const& [thing, seen_at] : each.row->known->things) {
      if (!thing.expiry) continue;
      auto const left = thing.expiry->at - std::chrono::floor<std::chrono::seconds>(now);
      all.push_back({thing.expiry->at, each.row->facts.name + ": " + thing.name.text(),
                     left < thing.expiry->warning});
    }
    if (auto const other = certificates_beside_things(*each.row->known)) {
      all.push_back({other->first, each.row->facts.name + ": certificate", other->warning <= now});
    }
  }
  std::size_t const most = std::min(all.size(), kDeadlines);
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most), {}, &Ending::at);
  page.list("deadlines");
  for (std::size_t i = 0; i < most; ++i) {
    bool const over = SysTime{all[i].at} <= now;
    auto const hours = std::chrono::floor<std::chrono::hours>(all[i].at - now).count();
    page.entry("deadlines")
        .text("label", all[i].label)
        .text("when", (over ? "ended " : "") + distance(SysTime{all[i].at}, now))
        .text("at", config::to_text(all[i].at))
        .text("state", over          ? "failing"
                       : all[i].soon ? "degraded"
                                     : "ok")
        .text("width", std::to_string(deadline_width(static_cast<double>(hours) / 24)));
  }
  if (all.size() > most) page.text("more_deadlines", std::to_string(all.size() - most));
}

// "1 of 6 probes found something bad, 1 could not tell".
std::string verdict(Counts const& counts, std::size_t all) {
  if (all == 0) return "No probe is configured: nothing is watched";
  auto const number = [&](State state) { return counts[static_cast<std::size_t>(state)]; };
  std::string text;
  auto const add = [&](State state, std::string const& words) {
    if (number(state) == 0) return;
    text += text.empty() ? std::to_string(number(state)) + " of " + count(all, "probe")
                         : ", " + std::to_string(number(state));
    text += " " + words;
  };
  add(State::failing, "found something bad");
  add(State::stalled, number(State::stalled) == 1 ? "hangs" : "hang");
  add(State::unknown, "could not tell");
  add(State::stale, number(State::stale) == 1 ? "has no news" : "have no news");
  if (!text.empty()) return text;
  add(State::degraded, number(State::degraded) == 1 ? "has a warning" : "have warnings");
  if (!text.empty()) return "Nothing is broken; " + text;
  add(State::running, "not yet looked at");
  if (!text.empty()) return text;
  if (number(State::paused) == all) return "All probes are paused: nothing is watched";
  return all == 1 ? "The one probe is well" : "All " + count(all, "probe") + " are well";
}

// Of when everything but the watchdog's word is: while the loop hangs, of when it last turned.
SysTime as_of(OwnState const& own, SysTime now) {
  if (own.turns || !own.beat_age_s) return now;
  return now - std::chrono::milliseconds{static_cast<std::int64_t>(*own.beat_age_s * 1e3)};
}

// "1,200 probes by https://…, confirmed 40 s ago".
std::string source_text(SourceFacts const& source, SysTime now) {
  std::string const what = count(source.probes, "probe") + " by " + source.from.text();
  if (!source.listed) return what + ", whose list was never had";
  bool const known = source.confirmed && *source.confirmed <= now;  // else a clock was wrong
  if (!known) return what + ", whose list is of unknown age";
  return what + ", its list confirmed " + distance(*source.confirmed, now);
}

void add_sources(Fields& page, std::vector<SourceFacts> const& sources, SysTime now) {
  page.list("sources");
  for (auto const& source : sources) {
    page.entry("sources")
        .text("source", source.name)
        .text("source_text", source_text(source, now))
        .text("source_error", source.error);
  }
}

void add_verdict(Fields& page, Counts const& counts, std::size_t all, Snapshot const& snapshot,
                 OwnState const& own, SysTime now) {
  State worst = State::ok;
  for (std::size_t i = 0; i < kStates; ++i) {
    auto const state = static_cast<State>(i);
    if (counts[i] > 0 && state < worst) worst = state;
    if (counts[i] == 0 && state != State::failing && state != State::ok) continue;
    page.entry("counts")
        .text("state", std::string{name_of(state)})
        .text("label", std::string{label_of(state)})
        .text("number", std::to_string(counts[i]));
  }
  auto const& daemon = *snapshot.daemon;
  bool const none = counts[static_cast<std::size_t>(State::paused)] == all && daemon.elsewhere == 0;
  page.text("first_steps", none ? first_steps(daemon.config_file) : "")
      .text("verdict", verdict(counts, all))
      .text("worst", all == 0 ? "unknown" : std::string{name_of(worst)})
      .text("as_of", clock(as_of(own, now), now))
      .text("uptime", span(now - daemon.started))
      .text("daemon_version", daemon.version)
      .text("config_file", daemon.config_file)
      .text("vantage", daemon.vantage);
  if (!daemon.shard.is_all()) {
    page.text("shard", to_text(daemon.shard)).text("elsewhere", count(daemon.elsewhere, "probe"));
  }
  add_sources(page, daemon.sources, now);
  if (daemon.last_reload_success) page.text("configured", clock(*daemon.last_reload_success, now));
  if (!daemon.reload_successful) page.text("reload_error", daemon.reload_error);
  if (own.beat_age_s) {
    page.text("beat",
              span(std::chrono::milliseconds{static_cast<std::int64_t>(*own.beat_age_s * 1e3)}));
  }
}

// The oldest few: of hundreds that wait for the same nobody reads more.
void add_runs(Fields& page, OwnState const& own) {
  page.list("runs");
  for (std::size_t i = 0; i < std::min(own.runs.size(), kRunsShown); ++i) {
    RunInFlight const& run = own.runs[i];
    auto& entry = page.entry("runs");
    entry.text("name", run.probe)
        .text("href", "/probe/" + config::percent_encode(run.probe))
        .text("age", span(run.age))
        .flag("run_stalled", run.stalled)
        .flag("has_frames", !run.frames.empty());
    entry.list("frames");
    for (auto const& frame : run.frames) {
      entry.entry("frames")
          .text("indent", std::string(2 * std::size_t{std::min(frame.depth, kDeepest)}, ' '))
          .text("frame", frame.name)
          .text("frame_age", span(frame.age))
          .text("place", frame.place);
    }
  }
  page.text("runs_text", own.runs.empty() ? "" : count(own.runs.size(), "run") + " in flight");
  if (own.runs.size() > kRunsShown) {
    page.text("more_runs", std::to_string(own.runs.size() - kRunsShown));
  }
}

}  // namespace

std::string_view name_of(State state) {
  constexpr std::array<std::string_view, kStates> kNames{
      "stalled", "failing", "unknown", "stale", "degraded", "running", "ok", "paused"};
  return kNames[static_cast<std::size_t>(state)];
}

std::string maintenance_text(ProbeRow const& row, SysTime now) {
  auto const announced = maintenance_of(row, now);
  if (!announced) return {};
  return "in maintenance until " + clock(announced->until, now) + ": " + announced->reason;
}

std::string_view label_of(State state) {
  return state == State::unknown ? "could not tell" : name_of(state);
}

State state_of(ProbeRow const& row, OwnState const& own, SysTime started, SysTime now) {
  if (!row.facts.enabled) return State::paused;
  if (std::ranges::find(own.quarantined, row.facts.name) != own.quarantined.end()) {
    return State::stalled;
  }
  if (std::ranges::find(own.stalled, row.facts.name) != own.stalled.end()) return State::stalled;
  // What is old is no news, but a mark never turns a failing probe green.
  bool const stale = is_stale(row, started, now);
  if (!row.severity) return stale ? State::stale : State::running;
  switch (*row.severity) {
    case probes::Severity::critical:
      return State::failing;
    case probes::Severity::unknown:
      return State::unknown;
    case probes::Severity::warning:
      return stale ? State::stale : State::degraded;
    case probes::Severity::ok:
      return stale ? State::stale : State::ok;
  }
  return State::unknown;
}

NextEnd next_end(ProbeRow const& row, SysTime now) {
  probes::ThingFacts const* first = nullptr;
  for (auto const& [thing, seen] : row.known->things) {
    if (!thing.expiry) continue;
    if (first == nullptr || thing.expiry->at < first->expiry->at) first = &thing;
  }
  if (first == nullptr) return {};
  SysTime const at{first->expiry->at};
  return {.text = first->name.text() + " " + distance(at, now), .over = at <= now};
}

std::string overview_page(Snapshot const& snapshot, OwnState const& own, OverviewQuery const& query,
                          SysTime now) {
  std::vector<Seen> seen;
  seen.reserve(snapshot.probes.size());
  Counts counts{};
  for (ProbeRow const* row : snapshot.probes) {
    State const state = state_of(*row, own, snapshot.daemon->started, now);
    ++counts[static_cast<std::size_t>(state)];
    seen.push_back({row, state, seen.size()});
  }
  std::ranges::sort(seen, {}, [](Seen const& each) { return std::pair{each.state, each.place}; });
  Fields page;
  add_own_state(page, own);
  add_verdict(page, counts, seen.size(), snapshot, own, now);
  page.list("cards");
  std::size_t trouble = 0;
  for (auto const& each : seen) {
    if (!is_trouble(each.state)) break;
    if (++trouble <= kCards) add_card(page, each, *snapshot.daemon, now);
  }
  if (trouble > kCards) page.text("more_cards", std::to_string(trouble - kCards));
  add_repositories(page, seen, query, now);
  add_deadlines(page, seen, now);
  add_lag_chart(page, own, now);
  add_runs(page, own);
  return render_page("canaryd", templates::kOverview, page);
}

}  // namespace canary::daemon::page
