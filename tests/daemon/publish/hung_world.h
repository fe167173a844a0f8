// SPDX-License-Identifier: Apache-2.0
// A canaryd in trouble, as values, with both of the pages that tell of it: every family that can be
// on them is.
// Thread: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/hang_metrics.h"
#include "daemon/publish/metrics.h"
#include "daemon/results/history.h"
#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/tell/emergency_page.h"
#include "probes/kind.h"
#include "tests/daemon/publish/exposition_parser.h"

namespace canary::daemon {

using namespace std::chrono_literals;

// A loop that hangs in a run of "victim", whose run "slow" is stalled, and "bad" in quarantine.
class HungWorld : public ::testing::Test {
 protected:
  HungWorld() {
    for (char const* const name : {"victim", "slow", "bad", "fine"}) {
      facts_.name = name;
      history_.emplace_back(facts_);
    }
    show_results();
    auto& loop = tables_.loop();
    std::int64_t const now = runtime::now_ns();
    loop.beat_ns.store(now - 12'345'000'000);
    loop.handler_since_ns.store(now - 12'300'000'000);
    loop.handlers.store(4'711);
    loop.longest[0].nanoseconds.store(1'500'000);
    loop.lag_sum_ns.store(1'234'567'891);
    for (std::size_t i = 0; i < loop.lag.size(); ++i) loop.lag[i].store(i * i + 1);
    for (std::size_t i = 0; i < record_->lateness.size(); ++i) record_->lateness[i].store(2 * i);
    record_->lateness_sum_ns.store(20);
    record_->tick_ns.store(now);
    record_->ticks.store(99);
    record_->executor_level.store(static_cast<std::uint8_t>(watchdog::Level::stalled));
    record_->executor_verdict.store(static_cast<std::uint8_t>(watchdog::Verdict::lock));
    record_->verdicts[static_cast<std::size_t>(watchdog::Verdict::lock)].store(3);
    record_->stalls[static_cast<std::size_t>(watchdog::Subject::loop)][2].store(5);
    record_->dumps_failed.store(1);
    record_->emergency_answers[0].store(8);
    record_->previous.known = true;
    record_->previous.last_alive_wall_ns = 1'790'000'000'000'000'000;
    record_->previous.has_stall = true;
    record_->previous.stall.wall_ns = 1'790'000'000'125'000'000;
    for (std::size_t i = 0; i < 3; ++i) {
      auto& operation = tables_.operations()[i];
      auto const kind = runtime::text_offset(i < 2 ? "async_wait" : "async_receive");
      operation.kind.store(runtime::pair_of(runtime::text_offset("socket"), kind));
      operation.store_head({.state = runtime::OperationHead::pending}, std::memory_order_release);
    }
    hang(0, watchdog::Subject::loop, "victim");
    hang(1, watchdog::Subject::run, "slow");
    hang(3, watchdog::Subject::server, "server");
    hang(2, watchdog::Subject::run, "slow");  // an older run of the same: told once
    quarantine("bad");
  }

  void quarantine(std::string_view probe) {
    watchdog::Culprit culprit{.quarantined = 1};
    copy_text(culprit.probe, probe);
    culprits_->places[culprits_->count.load()].store(culprit);
    culprits_->count.fetch_add(1);
    record_->culprits = culprits_.get();
    record_->quarantined_count.fetch_add(1);
  }

  // A probe that has failed, and runs again.
  void show_results() {
    History& fine = history_.back();
    SysTime const then{1'790'000'000s};
    fine.scheduled(then);
    fine.finished(then, 10ms, {});
    probes::Report report;
    report.findings.push_back({.check = "reachable",
                               .severity = probes::Severity::critical,
                               .reason = probes::Reason::expired});
    report.measurements.certificates = {std::chrono::sys_seconds{1'795'000'000s}, {}};
    fine.finished(then, 10ms, std::move(report));
    fine.started(then);
    for (auto const* const kind : probes::kinds()) {
      facts_.name = std::string{"of the kind "} + std::string{kind->declaration().kind};
      facts_.kind = &kind->declaration();
      history_.emplace_back(facts_).finished(then, 10ms, told_by(*facts_.kind));
    }
  }
  // Everything that the kind declares.
  static probes::Report told_by(probes::Declaration const& kind) {
    probes::Report report;
    for (auto const* const type : kind.things) {
      report.measurements.things.push_back({.type = type, .name = "a", .expiry = probes::Expiry{}});
      report.measurements.things.back().numbers.fill(1);
    }
    for (auto const* const family : kind.samples) {
      auto const label = family->values.empty() ? std::string_view{} : family->values.front().value;
      report.measurements.sample(*family, label) = 1;
    }
    return report;
  }

  void hang(std::size_t place, watchdog::Subject subject, std::string const& name,
            watchdog::Level level = watchdog::Level::stalled) {
    watchdog::Incident incident;
    incident.subject = subject;
    incident.level = level;
    incident.verdict = subject == watchdog::Subject::loop ? watchdog::Verdict::lock
                                                          : watchdog::Verdict::stalled_run;
    incident.age_ns = 12'300'000'000;
    incident.line = 88;
    copy_text(incident.name, name);
    record_->incidents[place].store(incident);
  }

  std::string ordinary() {
    Snapshot snapshot;
    DaemonFacts facts;
    facts.version = "1.2.3";
    facts.last_reload_success = SysTime{1'790'000'000s};
    facts.full_metrics = true;
    facts.vantage = "here";
    facts.sources = {{.name = "fleet", .looked = true, .confirmed = SysTime{1s}}};
    snapshot.daemon = &facts;
    for (auto const& history : history_) snapshot.probes.push_back(&history.row());
    SysTime const now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::string page = render_metrics({.snapshot = snapshot,
                                       .requests = {{"/metrics", 200, 1}},
                                       .clients = {{.address = "127.0.0.1:9732"}},
                                       .process = process_facts(),
                                       .log_lines_dropped = 0,
                                       .history = history::Recorder::Counts{},
                                       .pushed = push::Counts{.oldest = push::SampleTime{1ms}},
                                       .pages = "https://monitor.example/",
                                       .now = now});
    append_hang_metrics(page, *record_, tables_, snapshot, now);
    return page;
  }

  std::string emergency(std::string const& preamble = {}) {
    auto const wall = std::chrono::system_clock::now().time_since_epoch();
    watchdog::write_emergency_texts(
        {.record = *record_,
         .tables = tables_,
         .preamble = preamble,
         .silent_ns = 6'000'000'000,
         .now_ns = runtime::now_ns(),
         .wall_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()},
        *texts_);
    return std::string{texts_->page_text()};
  }
  tests::Exposition parsed(std::string const& page) {
    auto result = tests::parse_exposition(page);
    EXPECT_THAT(result.problems, ::testing::IsEmpty()) << page;
    return result;
  }

  runtime::Tables& tables_ = runtime::make_tables({.runs = 8, .operations = 64});
  std::unique_ptr<watchdog::Record> record_ = std::make_unique<watchdog::Record>();
  std::unique_ptr<watchdog::Culprits> culprits_ = std::make_unique<watchdog::Culprits>();
  std::unique_ptr<watchdog::EmergencyTexts> texts_ = std::make_unique<watchdog::EmergencyTexts>();
  ProbeFacts facts_{.repository = "repo", .enabled = true, .interval = 60s, .timeout = 30s};
  std::deque<History> history_;
};

}  // namespace canary::daemon
