// SPDX-License-Identifier: Apache-2.0
// A report as JSON, the same in the API and in the output of `check`.
// Thread: any (pure).
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "probes/report.h"

namespace canary::daemon {

// Instants are RFC 3339 in UTC, spans seconds.
boost::json::array findings_json(probes::Report const& report);
boost::json::object thing_json(probes::ThingFacts const& thing);
// `kind`: what the probe's kind declares.
boost::json::object measurements_json(probes::Measurements const& measured,
                                      probes::Declaration const& kind);

}  // namespace canary::daemon
