// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/run_page.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <numeric>

#include "config/url.h"
#include "daemon/history/when.h"
#include "daemon/publish/page/advice.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/incidents.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/run_links.h"
#include "daemon/publish/page/templates.h"
#include "daemon/text/rfc3339.h"

namespace canary::daemon::page {
namespace {

using probes::Severity;
using std::chrono::days;

constexpr std::size_t kRunsShown = 200;  // that were not ok, of a day

std::string when(SysTime time) { return history::when_text(time, history::Zone::utc) + " UTC"; }

std::string address_of(ProbeFacts const& probe) {
  return "/probe/" + config::percent_encode(probe.name);
}

// As much of a finding as is remembered.
probes::Finding finding_of(history::Words const& words) {
  return {.check = words.check,
          .subject = words.subject,
          .severity = words.severity,
          .reason = probes::Reason::read(words.reason),
          .message = words.message};
}

void add_findings(Fields& page, ProbeFacts const& probe, RunPast const& past, SysTime at) {
  page.list("findings");
  for (auto const& [words, first] : past.findings) {
    Advice const advice = advice_on(probe.kind->kind, finding_of(words));
    page.entry("findings")
        .text("state", std::string{run_state(words.severity)})
        .text("severity", std::string{to_text(words.severity)})
        .text("check", words.check)
        .text("subject",
              words.message.find(words.subject) == std::string::npos ? words.subject : "")
        .text("sentence", words.message)
        .text("evidence", words.evidence)
        .text("url", words.url)
        .text("since", !first        ? ""
                       : *first < at ? "since " + when(*first)
                                     : "new in this run")
        .text("advice", std::string{advice.what})
        .text("alert", std::string{advice.alert});
  }
}

void add_versions(Fields& page, RunPast const& past) {
  page.list("versions");
  for (auto const& version : past.versions) {
    page.entry("versions")
        .text("thing", version.thing)
        .text("version", "v" + std::to_string(version.version))
        .text("since", when(version.at))
        .text("was", version.was == 0 ? "" : "v" + std::to_string(version.was));
  }
}

std::string why_gone(SysTime at, SysTime now) {
  if (at > now) return "That is still to come.";
  if (now - at >= history::kRunsKept) {
    return "Single runs are kept for 7 days; how many there were in each hour and day, and what "
           "was wrong, is kept longer.";
  }
  return "No run of this probe is known to have ended at that moment. What happened in the last "
         "second may not be written yet.";
}

std::int64_t sum(history::Span const& span) {
  return std::reduce(span.runs.begin(), span.runs.end());
}

std::string number(std::int64_t runs) { return runs == 0 ? "" : std::to_string(runs); }

Severity worst_of(history::Span const& span) {
  for (auto const severity : {Severity::critical, Severity::unknown, Severity::warning}) {
    if (span.runs[static_cast<std::size_t>(severity)] > 0) return severity;
  }
  return Severity::ok;
}

void add_hours(Fields& page, ProbeFacts const& probe, DayPast const& past) {
  page.list("hours");
  auto run = past.runs.entries.begin();
  for (auto const& hour : past.hours) {
    while (run != past.runs.entries.end() && run->ended < hour.from) ++run;
    bool const kept =
        run != past.runs.entries.end() && run->ended < hour.from + std::chrono::hours{1};
    auto const all = sum(hour);
    page.entry("hours")
        .text("hour", rfc3339(hour.from).substr(11, 5))
        .text("href", kept ? run_address(probe.name, run->ended) : "")
        .text("state", std::string{run_state(worst_of(hour))})
        .text("ok", number(hour.runs[0]))
        .text("warning", number(hour.runs[1]))
        .text("critical", number(hour.runs[2]))
        .text("unknown", number(hour.runs[3]))
        .text("missed", number(hour.missed))
        .text("mean", all > 0 ? history::span_text(hour.total / all) : "")
        .text("longest", all > 0 ? history::span_text(hour.longest) : "");
  }
}

void add_bad_runs(Fields& page, ProbeFacts const& probe, DayPast const& past) {
  page.list("runs");
  std::size_t shown = 0, left = 0;
  for (auto const& run : past.runs.entries) {
    if (run.severity == Severity::ok) continue;
    if (shown == kRunsShown) {
      ++left;
      continue;
    }
    ++shown;
    page.entry("runs")
        .text("href", run_address(probe.name, run.ended))
        .text("at", rfc3339(run.ended).substr(11, 8))
        .text("state", std::string{run_state(run.severity)})
        .text("label", std::string{run_label(run.severity)})
        .text("reason", run.telling ? run.telling->reason : "");
  }
  page.text("more_runs", left > 0 ? std::to_string(left) : "");
}

void add_moments(Fields& page, DayPast const& past) {
  page.list("moments");
  for (auto const& moment : past.moments.entries) {
    if (moment.kind == "incident_opened" || moment.kind == "incident_closed") continue;
    bool const finding = history::has_finding(moment);
    std::string what = moment.kind == "finding_opened"        ? "opened"
                       : moment.kind == "finding_changed"     ? "changed"
                       : moment.kind == "finding_closed"      ? "closed"
                       : moment.kind == history::kVersionSeen ? "version"
                                                              : "trust dropped";
    page.entry("moments")
        .text("at", rfc3339(moment.at).substr(11, 8))
        .text("what", std::move(what))
        .text("severity", finding ? std::string{to_text(moment.finding.severity)} : "")
        .text("check", moment.finding.check)
        .text("subject", moment.finding.subject)
        .text("sentence", moment.finding.message);
  }
  page.flag("more_moments", past.moments.more);
}

}  // namespace

std::string run_page(ProbeFacts const& probe, SysTime at, RunPast const& past, SysTime now) {
  Fields page;
  page.flag("still", true)
      .text("name", probe.name)
      .text("probe_href", address_of(probe))
      .text("day_href", day_address(probe.name, at))
      .text("when", when(at))
      .text("state", past.run ? std::string{run_state(past.run->severity)} : "unknown")
      .text("label", past.run ? std::string{run_label(past.run->severity)} : "")
      .text("gone", past.run ? "" : why_gone(at, now))
      .text("ago", distance(at, now))
      .text("took", past.run ? history::span_text(past.run->duration) : "")
      .text("reason", past.run && past.run->telling ? past.run->telling->reason : "")
      .text("before_href", past.before ? run_address(probe.name, *past.before) : "")
      .text("after_href", past.after ? run_address(probe.name, *past.after) : "");
  add_findings(page, probe, past, at);
  add_versions(page, past);
  add_incidents(page, past.incidents, now);
  return render_page("canaryd: " + probe.name + ", a run", templates::kRun, page);
}

std::string day_page(ProbeFacts const& probe, SysTime day, DayPast const& past, SysTime now) {
  Fields page;
  auto const all = past.day ? sum(*past.day) : 0;
  auto const state = all > 0 ? run_state(worst_of(*past.day)) : std::string_view{"unknown"};
  std::string counts;
  if (past.day) {
    counts = count(static_cast<std::size_t>(all), "run");
    for (auto const severity : {Severity::critical, Severity::unknown, Severity::warning}) {
      auto const runs = past.day->runs[static_cast<std::size_t>(severity)];
      if (runs > 0) counts += ", " + std::to_string(runs) + " " + std::string{run_label(severity)};
    }
    if (past.day->missed > 0) counts += ", " + std::to_string(past.day->missed) + " missed";
  }
  page.flag("still", true)
      .text("name", probe.name)
      .text("probe_href", address_of(probe))
      .text("date", rfc3339(day).substr(0, 10))
      .text("state", std::string{state})
      .text("counts", all > 0 ? counts + "." : "No run of this day is known.")
      .text("before_href", day_address(probe.name, day - days{1}))
      .text("after_href", day + days{1} <= now ? day_address(probe.name, day + days{1}) : "")
      .flag("runs_gone", all > 0 && past.runs.entries.empty());
  add_hours(page, probe, past);
  add_bad_runs(page, probe, past);
  add_moments(page, past);
  add_incidents(page, past.incidents, now);
  return render_page("canaryd: " + probe.name + ", a day", templates::kDay, page);
}

}  // namespace canary::daemon::page
