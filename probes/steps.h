// SPDX-License-Identifier: Apache-2.0
// How each step of a run went, as its report and what its kind declares say it.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "probes/report.h"

namespace canary::probes {

struct StepOutcome {
  Step const* step = nullptr;
  enum class Verdict : std::uint8_t {
    ok,
    warning,
    critical,
    unknown,
    nothing,      // there is no word of it: nothing was wrong, or nobody wants it looked at
    not_reached,  // the run ended before
  };
  Verdict verdict = Verdict::not_reached;
  std::vector<Finding const*> findings;   // of the report; the worst first
  std::vector<ThingFacts const*> things;  // likewise
};
std::string_view to_text(StepOutcome::Verdict verdict);  // "not reached"

// One for each step that the kind of that name declares. What ended an incomplete run and is of no
// step, such as a deadline, is told of the first step that was not reached. `report` outlives what
// is returned.
std::vector<StepOutcome> outcomes_of(Report const& report, std::string_view kind);
// Where a thing stands among them; beyond them where it is of none.
std::size_t place_of(ThingFacts const& thing, std::string_view kind);

}  // namespace canary::probes
