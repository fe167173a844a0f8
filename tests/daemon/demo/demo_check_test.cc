// SPDX-License-Identifier: Apache-2.0
// What canaryd finds in its own demo is what the demo says that it finds.
// Thread: main.
#include <chrono>

#include <gtest/gtest.h>

#include "daemon/check/check.h"
#include "daemon/demo/demo.h"

namespace canary::daemon {
namespace {

// "critical targets hash_mismatch": the worst finding; "ok" where there is none.
std::string verdict(probes::Severity severity, std::string_view check, probes::Reason reason) {
  if (severity == probes::Severity::ok) return "ok";
  return std::string(probes::to_text(severity)) + " " + std::string(check) + " " +
         std::string(probes::to_text(reason));
}

std::string verdict(CheckedProbe const& checked) {
  probes::Finding const* const worst = checked.report.worst();
  return worst == nullptr ? "ok" : verdict(worst->severity, worst->check, worst->reason);
}

TEST(DemoCheck, FindsInEachRepositoryWhatItsStorySays) {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto const demo =
      Demo::start(now, {.program = DEMO_CHILD, .arguments = {"demo_child", "--serve"}});
  ASSERT_TRUE(demo) << demo.error();
  CheckRequest request;
  request.probes = demo.value().config("127.0.0.1:0").probes;
  CheckProgress progress(request.probes.size());

  auto const checked = check(std::move(request), progress, {});

  ASSERT_EQ(checked.size(), demo.value().repositories().size() + 1);
  EXPECT_EQ(verdict(checked.back()), "warning expiry expiring") << "the key";
  for (std::size_t i = 0; i < demo.value().repositories().size(); ++i) {
    DemoRepository const& expected = demo.value().repositories()[i];
    EXPECT_EQ(verdict(checked[i]), verdict(expected.severity, expected.check, expected.reason))
        << expected.name;
    EXPECT_FALSE(checked[i].report.findings.empty()) << expected.name;
  }
}

}  // namespace
}  // namespace canary::daemon
