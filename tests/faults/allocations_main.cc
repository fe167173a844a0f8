// SPDX-License-Identifier: Apache-2.0
// Fails every allocation of a run, a reload, a scrape and a dump, once and for a while, and prints
// what came of each.
//   allocations_table [STRIDE=1] [run|reload|scrape|dump]     exit code 1 where one left canaryd
//                                                             half-dead
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/faults/allocations.h"
#include "tests/faults/table_arguments.h"

namespace {

using canary::faults::AllocationOutcomes;
using canary::faults::AllocationPlan;
using canary::faults::Operation;

constexpr Operation kOperations[] = {Operation::run, Operation::reload, Operation::scrape,
                                     Operation::dump};
constexpr std::int64_t kForAWhile = 25;

void print(AllocationPlan const& plan, AllocationOutcomes const& outcomes) {
  std::string ends;
  for (auto const& [end, times] : outcomes.ends) {
    ends += (ends.empty() ? "" : ", ") + end + " " + std::to_string(times);
  }
  std::printf("%-8s %-10s %11ld %6ld  %5zu  %s\n", to_text(plan.operation).c_str(),
              plan.count == 1 ? "once" : "25 in a row", static_cast<long>(outcomes.allocations),
              static_cast<long>(outcomes.failed), outcomes.wrong.size(), ends.c_str());
  for (auto const& [why, times] : outcomes.restarts) {
    std::printf("    restarted %d times: %s\n", times, why.c_str());
  }
  for (auto const& each : outcomes.wrong) std::fprintf(stderr, "WRONG %s\n", each.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  canary::faults::leave_no_core_files();
  std::int64_t const stride = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  std::string const only = argc > 2 ? argv[2] : "";
  std::vector<AllocationPlan> plans;
  for (auto const operation : kOperations) {
    if (!only.empty() && to_text(operation) != only) continue;
    plans.push_back({.operation = operation, .stride = stride});
    plans.push_back({.operation = operation, .stride = 5 * stride, .count = kForAWhile});
  }
  std::vector<AllocationOutcomes> outcomes(plans.size());
  canary::faults::for_each_row(plans.size(), plans.size(),
                               [&](std::size_t i) { outcomes[i] = fail_allocations(plans[i]); });
  std::printf("operation  fails      allocations failed  wrong  what came of it\n");
  bool wrong = plans.empty();
  for (std::size_t i = 0; i < plans.size(); ++i) {
    print(plans[i], outcomes[i]);
    wrong = wrong || !outcomes[i].wrong.empty();
  }
  return wrong ? 1 : 0;
}
