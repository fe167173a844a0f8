// SPDX-License-Identifier: Apache-2.0
// How a command has the running canaryd do something with one probe, and waits for it.
// Thread: main.
#pragma once

#include <string>

#include <boost/json/value.hpp>

#include "config/result.h"
#include "daemon/cli/running_daemon.h"
#include "runtime/stage.h"

namespace canary::daemon {

struct NoOrder {
  bool refused = false;  // canaryd answered, and will not do it; else nobody answered
  std::string why;
};

// POSTs `order` ("/-/run?probe=x") and asks until it has ended, with `shown` ("output=json") as the
// query; the caller's bound ends the wait. The last answer: see daemon/publish/orders.h.
// `command`: "canaryd run-now".
Result<boost::json::value, NoOrder> carry_out(std::string const& command,
                                              RunningDaemon const& daemon, std::string const& order,
                                              std::string const& shown, runtime::Stage& stage);

}  // namespace canary::daemon
