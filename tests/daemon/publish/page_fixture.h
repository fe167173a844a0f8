// SPDX-License-Identifier: Apache-2.0
// A canaryd with some probes, as its pages show it.
// Thread: any.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/publish/page/overview.h"
#include "daemon/publish/page/probe_page.h"
#include "daemon/results/history.h"
#include "probes/tuf/declaration.h"

namespace canary::daemon::page {

inline constexpr SysTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} +
                              std::chrono::hours{2}};

inline probes::Finding finding(probes::Severity severity, std::string message = "expired at noon") {
  return {.check = "expiry",
          .subject = "timestamp",
          .severity = severity,
          .reason = severity == probes::Severity::unknown ? probes::Reason::connect
                                                          : probes::Reason::expired,
          .message = std::move(message),
          .url = "https://host/timestamp.json"};
}

class Page : public ::testing::Test {
 protected:
  Page() {
    daemon_.version = "0.1.0";
    daemon_.started = kNow - std::chrono::minutes{22};
    daemon_.last_reload_success = kNow - std::chrono::minutes{22};
    daemon_.config_file = "/etc/canaryd/canaryd.yml";
  }
  History& add(std::string name, std::string repository = "fleet") {
    return histories_.emplace_back(ProbeFacts{.name = std::move(name),
                                              .repository = std::move(repository),
                                              .kind = &tuf::kDeclaration,
                                              .interval = std::chrono::minutes{1},
                                              .timeout = std::chrono::seconds{10},
                                              .url = "https://host/"});
  }
  void run(History& probe, std::vector<probes::Finding> findings,
           SysTime at = kNow - std::chrono::seconds{10}) {
    probes::Report report;
    report.findings = std::move(findings);
    report.complete = true;
    probe.finished(at, std::chrono::milliseconds{47}, std::move(report));
  }
  std::string overview(OverviewQuery const& query = {}) {
    Snapshot snapshot;
    snapshot.daemon = &daemon_;
    for (auto const& history : histories_) snapshot.probes.push_back(&history.row());
    return overview_page(snapshot, own_, query, kNow);
  }

  std::string of_probe(History const& probe, bool may_run = false) {
    Snapshot snapshot;
    for (auto const& history : histories_) snapshot.probes.push_back(&history.row());
    ProbeView const view{.row = probe.row(),
                         .daemon = daemon_,
                         .own = own_,
                         .past = past_,
                         .mirrors = mirrors_of(snapshot, probe.row()),
                         .config = config_,
                         .may_run = may_run};
    return probe_page(view, kNow);
  }

  DaemonFacts daemon_;
  OwnState own_;
  ProbePast past_;
  std::string config_;
  std::deque<History> histories_;
};

}  // namespace canary::daemon::page
