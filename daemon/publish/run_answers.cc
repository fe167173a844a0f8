// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/run_answers.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "config/harmless.h"
#include "config/url.h"
#include "daemon/publish/post_guard.h"

namespace canary::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr milliseconds kBeyondTimeout{5'000}, kMostPatience{30'000};
constexpr std::chrono::seconds kAgain{5};

std::string wanted(HttpRequest const& request) { return parameter(request, "probe").value_or(""); }

// What is wrong with the request, whatever else goes on.
std::optional<HttpAnswer> wrong(Sources const& sources, HttpRequest const& request,
                                ProbeRow const* row) {
  if (sources.orders == nullptr) return HttpAnswer{404, kText, "Not from here.\n"};
  if (request.method != "POST") {
    return HttpAnswer{
        .status = 405, .content_type = kText, .body = "Only POST is answered.\n", .allow = "POST"};
  }
  if (request.has_body) return HttpAnswer{413, kText, "A body was not expected.\n"};
  if (auto refused = refuse_change(request, sources.place)) return refused;
  if (row == nullptr) {
    return HttpAnswer{
        404, kText,
        "No probe is called \"" + make_harmless(wanted(request), 100) + "\"; give `probe`.\n"};
  }
  if (!row->facts.enabled) return HttpAnswer{400, kText, "It is paused.\n"};
  return std::nullopt;
}

HttpAnswer to_its_page(std::string const& base, std::string const& probe) {
  std::string const page = base + "/probe/" + config::percent_encode(probe);
  return {.status = 303, .content_type = kText, .body = "See " + page + "\n", .location = page};
}

}  // namespace

std::optional<Later> run_later(Sources const& sources, HttpRequest const& request) {
  std::string const probe = wanted(request);
  auto const reading = sources.store.read();
  ProbeRow const* const row = reading->find(probe);
  if (wrong(sources, request, row)) return std::nullopt;
  auto const order = sources.orders->give(
      {.kind = Order::Kind::run_now, .probe = probe, .reason = {}}, Orders::kFromOutside);
  if (!order) return std::nullopt;
  auto const there = to_its_page(sources.place.base, probe);
  auto const look = [&orders = *sources.orders, number = *order,
                     there]() -> std::optional<HttpAnswer> {
    auto const ended = orders.ended(number);
    if (!ended) return std::nullopt;
    if (*ended) return there;
    return HttpAnswer{503, kText,
                      "It was not run: it is quarantined, was taken away, or canaryd stops.\n"};
  };
  return Later{.look = look,
               .limit = std::min(row->facts.timeout + kBeyondTimeout, kMostPatience),
               .too_late = there};  // the page says that it goes on
}

HttpAnswer run_refusal(Sources const& sources, HttpRequest const& request) {
  auto const reading = sources.store.read();
  if (auto refused = wrong(sources, request, reading->find(wanted(request)))) {
    return std::move(*refused);
  }
  return {.status = 503,
          .content_type = kText,
          .body = "Many runs were asked for and have not ended. Try again.\n",
          .retry_after = kAgain};
}

}  // namespace canary::daemon
