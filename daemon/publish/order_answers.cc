// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/order_answers.h"

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace canary::daemon {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kJson = "application/json";
constexpr std::string_view kForget = "/-/forget", kRun = "/-/run", kOrder = "/-/order/";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

HttpAnswer given(Orders& orders, Order order) {
  auto const number = orders.give(std::move(order));
  if (number) return {200, kJson, orders.answer(*number, {}).value_or("")};
  HttpAnswer full{503, kText,
                  "canaryd has " + std::to_string(Orders::kUnderWay) +
                      " orders that have not ended yet, and takes no more. Try again.\n"};
  full.retry_after = std::chrono::seconds{1};
  return full;
}

HttpAnswer told(Orders const& orders, HttpRequest const& request) {
  auto const digits = request.path.substr(kOrder.size());
  std::uint64_t number = 0;
  auto const [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  bool const is_number = failed == std::errc{} && end == digits.data() + digits.size();
  auto answer =
      is_number
          ? orders.answer(number, {.json = parameter(request, "output").value_or("") == "json",
                                   .colour = parameter(request, "colour").value_or("") == "1",
                                   .quiet = parameter(request, "quiet").value_or("") == "1"})
          : std::nullopt;
  if (!answer) return {404, kText, "There is no such order.\n"};
  return {200, kJson, std::move(*answer)};
}

}  // namespace

std::optional<HttpAnswer> order_answer(Orders* orders, HttpRequest const& request) {
  auto const path = request.path;
  bool const forget = path == kForget, run = path == kRun, order = path.starts_with(kOrder);
  if (!forget && !run && !order) return std::nullopt;
  if (!request.is_private || orders == nullptr) {
    return HttpAnswer{404, kText, "Not from here: `canaryd forget`, `canaryd run-now`.\n"};
  }
  if (request.has_body) return HttpAnswer{413, kText, "A body was not expected.\n"};
  if (order) return told(*orders, request);
  if (request.method != "POST") {
    return HttpAnswer{
        .status = 405, .content_type = kText, .body = "Only POST is answered.\n", .allow = "POST"};
  }
  Order wanted{.kind = forget ? Order::Kind::forget : Order::Kind::run_now,
               .probe = parameter(request, "probe").value_or(""),
               .reason = parameter(request, "reason").value_or("")};
  if (wanted.probe.empty()) return HttpAnswer{400, kText, "Which probe? Give `probe`.\n"};
  if (forget && is_blank(wanted.reason.text())) {
    return HttpAnswer{400, kText, "Why? Give `reason`: it is what others find in the history.\n"};
  }
  return given(*orders, std::move(wanted));
}

}  // namespace canary::daemon
