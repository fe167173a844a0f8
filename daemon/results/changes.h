// SPDX-License-Identifier: Apache-2.0
// Which findings that are not ok came, changed or went between two looks at a repository.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "probes/report.h"

namespace canary::daemon {

// What is wrong with a repository as far as it was looked at, the worst first.
struct OpenFindings {
  std::vector<probes::Finding> findings;  // at most kOpenKept; none is ok, each has a reason
  std::size_t total = 0;                  // how many there are
  bool cut() const { return total > findings.size(); }
  friend bool operator==(OpenFindings const&, OpenFindings const&) = default;
};
inline constexpr std::size_t kOpenKept = 1'000;

// `before` after `report`. What could not be told belongs to its own look only; a warning or worse
// stays where a report that is not complete has nothing to say on its check and subject.
OpenFindings open_after(OpenFindings const& before, probes::Report const& report);

struct FindingChange {
  enum class Kind : std::uint8_t { opened, changed, closed };
  Kind kind = Kind::opened;
  probes::Finding finding;                      // as it is; a closed one as it was
  probes::Severity was = probes::Severity::ok;  // a changed one
  probes::Reason was_reason = probes::Reason::none;
  bool was_accepted = false;
  friend bool operator==(FindingChange const&, FindingChange const&) = default;
};

// Findings are told apart by check and subject; one has changed whose severity or reason became
// another one, or that is accepted now or no longer. The opened first, then the changed, then the
// closed, each the worst first. Where a side is cut, what may stand in the part that is missing is
// no change.
std::vector<FindingChange> changes_between(OpenFindings const& before, OpenFindings const& after);

}  // namespace canary::daemon
