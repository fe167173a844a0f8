// SPDX-License-Identifier: Apache-2.0
// Healthy runs accuse nobody, whatever their number: 1,000 here, CANARY_HEALTHY_RUNS elsewhere.
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/faults/rows.h"
#include "tests/faults/scenes.h"
#include "tests/faults/stage.h"

namespace canary::faults {
namespace {

using namespace std::chrono_literals;

TEST(HealthyRuns, AccuseNobody) {
  char const* const wanted = std::getenv("CANARY_HEALTHY_RUNS");
  double const runs = wanted == nullptr ? 1'000 : std::strtod(wanted, nullptr);
  Stage stage{{.fault = "none", .bystanders = 98}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  Metrics page;
  double told = 0;
  bool const enough = wait_until(
      [&] {
        page = stage.metrics();
        // A long one shows that it goes on.
        if (wanted != nullptr && page.sum("canaryd_probe_runs_total") >= told + 1'000) {
          told = page.sum("canaryd_probe_runs_total");
          std::printf("%.0f of %.0f runs\n", told, runs), std::fflush(stdout);
        }
        return page.sum("canaryd_probe_runs_total") >= runs || !stage.alive();
      },
      std::chrono::seconds{60 + static_cast<int>(runs / 10)});
  EXPECT_TRUE(enough) << page.sum("canaryd_probe_runs_total") << " runs";
  for (char const* const level : {"stalled", "hung", "dead"}) {
    EXPECT_EQ(page.sum("canaryd_stalls_total", {std::string{"level=\""} + level + "\""}), 0)
        << level << ": " << stage.process().err();
  }
  EXPECT_EQ(page.sum("canaryd_probe_failures_total"), 0) << stage.process().err();
  EXPECT_EQ(page.value("canaryd_watchdog_dumps_total"), 0.0);
  std::printf(
      "%.0f runs, %.0f misses, %.0f disturbances recognised%s\n",
      page.sum("canaryd_probe_runs_total"), page.sum("canaryd_stalls_total", {"level=\"suspect\""}),
      page.sum("canaryd_watchdog_disturbances_total"), HasFailure() ? "" : "; nobody accused");
}

// A process that gets little of the processor is late, and nobody's victim: a minute at a
// twentieth here, CANARY_QUOTA_SECONDS at CANARY_QUOTA_PERCENT elsewhere.
TEST(HealthyRuns, AccuseNobodyUnderAQuota) {
  auto const number = [](char const* name, int otherwise) {
    char const* const told = std::getenv(name);
    return told == nullptr ? otherwise : std::atoi(told);
  };
  int const percent = number("CANARY_QUOTA_PERCENT", 5);
  std::chrono::seconds const span{number("CANARY_QUOTA_SECONDS", 60)};
  Stage stage{{.fault = "none"}};
  stage.start();
  ASSERT_TRUE(stage.ready()) << stage.process().err();
  double const before = stage.metrics().sum("canaryd_probe_runs_total");
  try {
    starve(percent, span)(stage);
  } catch (Unavailable const& missing) {
    GTEST_SKIP() << missing.why;
  }
  Metrics page;
  ASSERT_TRUE(wait_until(
      [&] {
        page = stage.metrics();
        return page.sum("canaryd_probe_runs_total") > before;
      },
      60s))
      << stage.process().err();
  for (char const* const level : {"stalled", "hung", "dead"}) {
    EXPECT_EQ(page.sum("canaryd_stalls_total", {std::string{"level=\""} + level + "\""}), 0)
        << level << ": " << stage.process().err();
  }
  std::printf("%d %% for %ld s: %.0f runs, %.0f disturbances recognised\n", percent,
              static_cast<long>(span.count()), page.sum("canaryd_probe_runs_total") - before,
              page.sum("canaryd_watchdog_disturbances_total"));
}

}  // namespace
}  // namespace canary::faults
