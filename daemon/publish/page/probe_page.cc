// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/page/probe_page.h"

#include <array>
#include <utility>

#include "config/duration.h"
#include "config/url.h"
#include "daemon/publish/page/advice.h"
#include "daemon/publish/page/bars.h"
#include "daemon/publish/page/charts.h"
#include "daemon/publish/page/humane.h"
#include "daemon/publish/page/incidents.h"
#include "daemon/publish/page/own_fields.h"
#include "daemon/publish/page/render.h"
#include "daemon/publish/page/run_links.h"
#include "daemon/publish/page/templates.h"
#include "daemon/publish/page/workflow.h"
#include "daemon/results/known.h"
#include "daemon/results/things.h"

namespace canary::daemon::page {
namespace {

std::string_view state_of_finding(probes::Finding const& finding) {
  switch (finding.counted()) {
    case probes::Severity::ok:
      return "ok";
    case probes::Severity::warning:
      return "degraded";
    case probes::Severity::critical:
      return "failing";
    case probes::Severity::unknown:
      return "unknown";
  }
  return "unknown";
}

void add_findings(Fields& page, ProbeRow const& row) {
  OpenFindings const& open = *row.open;
  page.list("findings");
  for (auto const& finding : open.findings) {
    Advice const advice = advice_on(row.facts.kind->kind, finding);
    page.entry("findings")
        .text("state", std::string{state_of_finding(finding)})
        .text("severity", std::string{to_text(finding.severity)})
        .text("check", finding.check)
        .text("subject", finding.message.find(finding.subject.text()) == std::string::npos
                             ? finding.subject.text()
                             : "")
        .text("sentence", finding.message)
        .text("evidence", std::string{evidence_beside(finding)})
        .text("url", finding.url)
        .text("accepted", finding.accepted ? finding.accepted->because.text() : "")
        .text("advice", std::string{advice.what})
        .text("alert", std::string{advice.alert});
  }
  if (open.cut()) {
    page.text("more", std::to_string(open.total - open.findings.size()) + " more are not kept");
  }
}

void add_phases(Fields& page, probes::PhaseTimes const& times) {
  auto const all = times.total();
  page.list("phases");
  if (all.count() == 0) return;
  std::chrono::nanoseconds before{0};
  for (auto const& [word, name, time] : times.shown()) {
    if (time.count() == 0) continue;
    page.entry("phases")
        .text("name", std::string{name})
        .text("time", span(std::chrono::ceil<std::chrono::milliseconds>(time)))
        .text("from", std::to_string(100 * before.count() / all.count()))
        .text("width", std::to_string(std::max<std::int64_t>(1, 100 * time.count() / all.count())));
    before += time;
  }
}

void add_deadlines(Fields& page, Known const& known, SysTime now) {
  page.list("deadlines");
  auto const add = [&](std::string label, std::string version, std::chrono::sys_seconds at,
                       std::chrono::seconds warning) {
    bool const over = SysTime{at} <= now;
    double const days =
        static_cast<double>(std::chrono::floor<std::chrono::hours>(at - now).count()) / 24;
    page.entry("deadlines")
        .text("label", std::move(label))
        .text("version", std::move(version))
        .text("when", (over ? "ended " : "") + distance(SysTime{at}, now))
        .text("at", config::to_text(at))
        .text("state", over                 ? "failing"
                       : at - now < warning ? "degraded"
                                            : "ok")
        .text("width", std::to_string(deadline_width(days)));
  };
  for (auto const& [thing, seen_at] : known.things) {
    if (!thing.expiry) continue;
    auto const version = version_of(thing);
    add(thing.name.text(), version ? "v" + std::to_string(*version) : "", thing.expiry->at,
        thing.expiry->warning);
  }
  if (auto const other = certificates_beside_things(known)) {
    add("certificate", "", other->first, other->first - other->warning);
  }
}

// "for 22 min, since 01:50:49 UTC · next run in 14 s".
std::string how_long(ProbeRow const& row, SysTime now) {
  std::string text;
  if (row.severity) text = "for " + span(now - row.since) + ", since " + clock(row.since, now);
  if (row.next_run) {
    text += text.empty() ? "next run " : " · next run ";
    text += distance(*row.next_run, now);
  }
  return text;
}

// What there is to say beside findings: that there is no news, or why there are none.
std::string own_sentence(ProbeRow const& row, State state, SysTime now) {
  if (state == State::stalled) return "Its run makes no progress and did not end when asked to.";
  if (state == State::paused) return "It is not run: enabled is false.";
  if (state == State::stale && row.last_run_end) {
    return "No result for " + span(now - *row.last_run_end) + ", although one is due every " +
           span(row.facts.interval) + ".";
  }
  if (!row.last_run_end) return "No run of it has ended yet.";
  return row.open->findings.empty() ? "Nothing is wrong with it, as far as the last run saw." : "";
}

std::string runs_sentence(ProbeRow const& row) {
  if (row.runs == 0) return "No run has ended since the start.";
  auto const took = std::chrono::floor<std::chrono::milliseconds>(row.last_duration);
  return count(row.runs, "run") + " since the start; the last took " + span(took) + ".";
}

void add_past(Fields& page, ProbePast const& past, SysTime now) {
  add_days(page, past.days, now);
  add_durations(page, past.hours, past.runs, now);
  add_incidents(page, past.incidents, now);
  page.text("trouble", past.trouble);
}

}  // namespace

std::string probe_page(ProbeView const& view, SysTime now) {
  auto const& row = view.row;
  auto const& daemon = view.daemon;
  State const state = state_of(row, view.own, daemon.started, now);
  std::string const name = config::percent_encode(row.facts.name);
  Fields page;
  add_own_state(page, view.own);
  page.text("state", std::string{name_of(state)})
      .text("label", std::string{label_of(state)})
      .text("name", row.facts.name)
      .text("how_long", how_long(row, now))
      .text("own", own_sentence(row, state, now))
      .text("kind", std::string{row.facts.kind->kind})
      .text("repository", row.facts.repository)
      .text("source", row.facts.source)
      .text("url", row.facts.url)
      .text("interval", config::to_text(row.facts.interval))
      .text("timeout", config::to_text(row.facts.timeout))
      .text("dropped", row.trust_dropped ? distance(row.trust_dropped->at, now) : "")
      .text("dropped_because", row.trust_dropped ? row.trust_dropped->reason.text() : "")
      .text("maintenance", maintenance_text(row, now))
      .text("runs", runs_sentence(row))
      .text("incidents_href", "/incidents?since=90d&probe=" + name)
      .text("json_href", "/api/v1/probes/" + name)
      .text("runs_href", "/api/v1/runs?probe=" + name)
      .text("command", row.facts.source.empty()
                           ? check_command(daemon.config_file, row.facts.name)
                           : "canaryd run-now " + row.facts.name)  // no file has it
      .text("run_href", view.may_run && row.facts.enabled ? "/-/run?probe=" + name : "")
      .text("running", row.in_flight_since ? span(now - *row.in_flight_since) : "");
  add_findings(page, row);
  add_steps(page, row, now);
  add_mirrors(page, {view.mirrors, row, view.own, daemon.started, view.past.behind_since}, now);
  add_bars(page, row.recent);
  add_run_links(page, row.facts.name, row.recent, view.past.runs, row.last_run_end);
  add_day_links(page, row.facts.name, view.past.days, now);
  page.text("config", view.config);
  page.list("phases");
  if (row.last_report) add_phases(page, row.last_report->measurements.phases);
  add_deadlines(page, *row.known, now);
  add_past(page, view.past, now);
  return render_page("canaryd: " + row.facts.name, templates::kProbe, page);
}

}  // namespace canary::daemon::page
