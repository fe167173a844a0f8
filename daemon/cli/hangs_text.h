// SPDX-License-Identifier: Apache-2.0
// What `canaryd status` says of canaryd itself to a person: whether its loop turns, what hangs, how
// the process before it ended.
// Thread: none (pure).
#pragma once

#include <string>

#include <boost/json/value.hpp>

namespace canary::daemon {

// Of /api/v1/hangs. Throws for JSON of another shape.
std::string hangs_text(boost::json::value const& hangs);

}  // namespace canary::daemon
