// SPDX-License-Identifier: Apache-2.0
// The n-th allocation of an operation of canaryd's fails, for n = 1, 2, … until the operation
// passes: what came of each. The program is the one that is shipped.
// Thread: the caller's; processes end with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace canary::faults {

enum class Operation : std::uint8_t { run, reload, scrape, dump };
std::string to_text(Operation operation);

struct AllocationPlan {
  Operation operation = Operation::run;
  std::int64_t first = 1;   // the n to begin with
  std::int64_t stride = 1;  // from one n to the next
  std::int64_t count = 1;   // how many in a row fail, from the n-th on
  std::int64_t most = 0;    // so many n; 0: until the operation passes
};

struct AllocationOutcomes {
  std::int64_t allocations = 0;         // of the operation, about: the n at which it passed
  std::int64_t failed = 0;              // operations in which one did fail
  std::map<std::string, int> ends;      // what came of them: "unnoticed", "finding", …
  std::map<std::string, int> restarts;  // what each said last
  std::vector<std::string> wrong;       // neither: which n, and what was wrong
};

AllocationOutcomes fail_allocations(AllocationPlan const& plan);

}  // namespace canary::faults
