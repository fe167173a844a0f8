// SPDX-License-Identifier: Apache-2.0
// What `canaryd status` says of probes to a person: the worst first, in columns, times as spans.
// Thread: none (pure).
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace canary::daemon {

// Of /api/v1/probes. Throws for JSON of another shape.
std::string probes_text(boost::json::value const& answer, bool colour);
// Of /api/v1/probes/NAME: with each finding, and all that ends.
std::string probe_text(boost::json::value const& answer, bool colour);

// Whether standard output is to be coloured: a terminal, and NO_COLOR (https://no-color.org) is
// unset or empty.
bool output_wants_colour();

}  // namespace canary::daemon
