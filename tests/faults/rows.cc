// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/rows.h"

#include "tests/faults/catalogue.h"

namespace canary::faults {

std::string to_text(End end) {
  constexpr char const* kNames[] = {"recovered", "cancelled", "stalled", "restarted", "quarantined",
                                    "refused",   "aborted",   "stopped", "unharmed"};
  return kNames[static_cast<int>(end)];
}

std::vector<Row> const& all_rows() {
  static std::vector<Row> const rows = [] {
    std::vector<Row> all;
    for (auto const& part : {rows_of_loop(), rows_of_locks(), rows_of_runs(), rows_of_threads(),
                             rows_of_innocents(), foreign_rows(), rows_of_surroundings()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return rows;
}

std::vector<LeftOut> const& left_out() {
  static std::vector<LeftOut> const rows{
      {"28", "a virtual machine is paused, steal",
       "no hypervisor here; from inside it is the jump of all clocks that row 27, 28 injects"},
      {"36", "two Asio versions, a translation unit without the hook",
       "refused at link and at start: tests/refusals has a program for each"},
      {"42", "the alarm's own path is dead",
       "canaryd sends no notifications; tests/story has the dead-man alert of Prometheus"},
  };
  return rows;
}

}  // namespace canary::faults
