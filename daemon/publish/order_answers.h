// SPDX-License-Identifier: Apache-2.0
// Orders over HTTP, for `canaryd forget` and `run-now`:
//   POST /-/forget?probe=NAME&reason=TEXT, POST /-/run?probe=NAME: {"order": NUMBER, "done": false}
//   GET /-/order/NUMBER[?output=json][&colour=1][&quiet=1]: what became of it
// Thread: any.
#pragma once

#include <optional>

#include "daemon/publish/orders.h"
#include "daemon/publish/routes.h"

namespace canary::daemon {

// Nothing where the path is none of these. They are nothing for everybody who reaches the metrics:
// answered on the private listener only; of others
// /-/run has answers of its own (run_answers.h).
std::optional<HttpAnswer> order_answer(Orders* orders, HttpRequest const& request);

}  // namespace canary::daemon
