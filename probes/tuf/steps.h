// SPDX-License-Identifier: Apache-2.0
// Which of its steps (declaration.h) something in the report of a TUF repository is of.
// Thread: none (pure).
#pragma once

#include <cstddef>

#include "probes/report.h"

namespace canary::tuf {

// Beyond the steps where it is of none. The file that could not be had says of which role a finding
// about a URL is.
std::size_t step_of(probes::Finding const& finding);
std::size_t step_of(probes::ThingFacts const& role);

}  // namespace canary::tuf
