// SPDX-License-Identifier: Apache-2.0
// The rows of the catalogue that are quick to bring about; `./canary faults` runs them all.
#include <gtest/gtest.h>

#include "tests/faults/run_row.h"

namespace canary::faults {
namespace {

std::vector<Row> quick_rows() {
  std::vector<Row> rows;
  for (auto const& row : all_rows()) {
#if defined(__SANITIZE_ADDRESS__) || defined(CANARY_FAULTS_SANITIZED)
    if (!row.sanitizers) continue;
#endif
    if (row.quick) rows.push_back(row);
  }
  return rows;
}

class Fault : public ::testing::TestWithParam<Row> {};

TEST_P(Fault, IsNoticedToldAndOvercomeAsTheCatalogueSays) {
  auto const outcome = run_row(GetParam());
  if (!outcome.unavailable.empty()) GTEST_SKIP() << outcome.unavailable;
  for (auto const& complaint : outcome.complaints) ADD_FAILURE() << complaint;
}

INSTANTIATE_TEST_SUITE_P(Rows, Fault, ::testing::ValuesIn(quick_rows()),
                         [](auto const& row) { return row.param.name; });

}  // namespace
}  // namespace canary::faults
