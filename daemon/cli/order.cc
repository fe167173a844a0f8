// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/order.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <boost/json/parse.hpp>

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

NoOrder no_order(PrivateAnswer answer) {
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  return {.refused = answer.status != 0, .why = std::move(answer.body)};
}

}  // namespace

Result<boost::json::value, NoOrder> carry_out(RunningDaemon const& daemon, std::string const& order,
                                              std::string const& shown, runtime::Stage& stage) {
  auto answer = ask_daemon(daemon, order, stage, "POST");
  if (answer.status != 200) return no_order(std::move(answer));
  auto told = boost::json::parse(answer.body);
  std::string const where = "/-/order/" + std::to_string(told.at("order").to_number<long>()) +
                            (shown.empty() ? "" : "?" + shown);
  for (auto pause = 20ms; !told.at("done").as_bool(); pause = std::min(pause * 2, 250ms)) {
    std::this_thread::sleep_for(pause);
    answer = ask_daemon(daemon, where, stage);
    if (answer.status != 200) return no_order(std::move(answer));
    told = boost::json::parse(answer.body);
    stage.enter("waiting for the loop to carry " + order + " out");
  }
  if (told.at("carried_out").as_bool()) return told;
  std::string why{told.at("text").as_string()};
  return NoOrder{.refused = true, .why = why.empty() ? "canaryd has no memory for it" : why};
}

}  // namespace canary::daemon
