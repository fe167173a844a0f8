// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/web_gate.h"

#include <utility>

namespace canary::daemon {
namespace {

constexpr std::string_view kText = "text/plain; charset=utf-8";

}  // namespace

std::optional<WebGate::Entry> WebGate::enter(WebAccess const& access,
                                             std::string_view authorization,
                                             std::function<void()> const& accepted,
                                             std::function<void(bool)> go_on) {
  if (access.users.empty()) return Entry::in;
  auto given = basic_credentials(authorization);
  if (!given) return Entry::out;
  if (auto const known = passwords_.known(access.users, *given)) {
    return *known ? Entry::in : Entry::out;
  }
  if (!passwords_.ask(access.users, std::move(*given), accepted, std::move(go_on))) {
    return std::nullopt;
  }
  return Entry::asks;
}

HttpAnswer unauthorized() {
  return {.status = 401,
          .content_type = kText,
          .body = "Unauthorized\n",
          .challenge = "Basic realm=\"canaryd\", charset=\"UTF-8\""};
}

HttpAnswer too_many_passwords() {
  return {.status = 503,
          .content_type = kText,
          .body = "Too many passwords wait to be checked. Try again.\n",
          .retry_after = std::chrono::seconds{1}};
}

}  // namespace canary::daemon
