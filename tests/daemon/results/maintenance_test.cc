// SPDX-License-Identifier: Apache-2.0
// A probe is in maintenance in its windows, and after one until a run has begun since.
#include "daemon/results/maintenance.h"

#include <string>

#include <gtest/gtest.h>

#include "config/duration.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

SysTime at(std::string const& time) { return config::parse_time(time, {}).value(); }

config::MaintenanceWindow window(std::string const& from, std::string const& to,
                                 std::string reason) {
  return {.when = config::Stretch{config::parse_time(from, {}).value(),
                                  config::parse_time(to, {}).value()},
          .probes = {},
          .reason = std::move(reason)};
}

ProbeRow row_with(std::vector<config::MaintenanceWindow> windows) {
  ProbeRow row;
  row.facts.name = "p";
  row.facts.maintenance = std::move(windows);
  return row;
}

std::string shown(ProbeRow const& row, std::string const& time) {
  auto const found = maintenance_of(row, at(time));
  return found ? found->reason + " until " + config::to_text(found->until) : "";
}

TEST(InMaintenance, WithinAWindow) {
  auto const row = row_with({window("2027-03-01T22:00:00Z", "2027-03-01T23:00:00Z", "move")});
  EXPECT_EQ(shown(row, "2027-03-01T21:59:59Z"), "");
  EXPECT_EQ(shown(row, "2027-03-01T22:30:00Z"), "move until 2027-03-01T23:00:00Z");
  EXPECT_EQ(shown(row, "2027-03-01T23:00:00Z"), "");
}

TEST(InMaintenance, OfSeveralTheOneThatEndsLast) {
  auto const row = row_with({window("2027-03-01T22:00:00Z", "2027-03-02T01:00:00Z", "move"),
                             window("2027-03-01T22:00:00Z", "2027-03-01T23:00:00Z", "patch")});
  EXPECT_EQ(shown(row, "2027-03-01T22:30:00Z"), "move until 2027-03-02T01:00:00Z");
}

TEST(InMaintenance, UntilARunBeganAfterTheWindow) {
  auto row = row_with({window("2027-03-01T22:00:00Z", "2027-03-01T23:00:00Z", "move")});
  row.last_run_start = at("2027-03-01T22:58:00Z");
  EXPECT_EQ(shown(row, "2027-03-01T23:02:00Z"), "move until 2027-03-01T23:00:00Z");
  EXPECT_EQ(shown(row, "2027-03-01T23:59:59Z"), "move until 2027-03-01T23:00:00Z");
  EXPECT_EQ(shown(row, "2027-03-02T00:00:00Z"), "") << "an hour is enough";
  row.last_run_start = at("2027-03-01T23:00:00Z");
  EXPECT_EQ(shown(row, "2027-03-01T23:02:00Z"), "");
}

TEST(InMaintenance, NotWhenPaused) {
  auto row = row_with({window("2027-03-01T22:00:00Z", "2027-03-01T23:00:00Z", "move")});
  row.facts.enabled = false;
  EXPECT_EQ(shown(row, "2027-03-01T22:30:00Z"), "");
}

}  // namespace
}  // namespace canary::daemon
