// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/order.h"

#include <utility>

namespace canary::daemon {
namespace {

NoOrder no_order(PrivateAnswer answer) {
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  return {.refused = answer.status != 0, .why = std::move(answer.body)};
}

}  // namespace

Result<boost::json::value, NoOrder> carry_out(std::string const& command,
                                              RunningDaemon const& daemon, std::string const& order,
                                              std::string const& shown, runtime::Stage& stage) {
  auto told = ask_until_done(
      daemon,
      {.command = command, .post = order, .where = "/-/order/", .number = "order", .query = shown},
      stage);
  if (!told) return no_order(std::move(told).error());
  if (told.value().at("carried_out").as_bool()) return std::move(told).value();
  std::string why{told.value().at("text").as_string()};
  return NoOrder{.refused = true, .why = why.empty() ? "canaryd has no memory for it" : why};
}

}  // namespace canary::daemon
