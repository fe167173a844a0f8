// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/post_guard.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace canary::daemon {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// A proxy on this machine speaks for others.
bool is_forwarded(HttpRequest const& request) {
  constexpr std::array kHeaders{"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host",
                                "X-Real-IP"};
  return std::ranges::any_of(kHeaders,
                             [&](char const* name) { return header(request, name).has_value(); });
}

// "[::1]:9732" without its port.
std::string_view host_of(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// A name that somebody else resolves to 127.0.0.1 is none of this machine's.
bool names_this_machine(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  return host.starts_with("127.") &&
         host.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Nobody else resolves what is no name.
bool is_address(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

HttpAnswer forbidden(char const* why) {
  return {.status = 403, .content_type = "text/plain; charset=utf-8", .body = why};
}

}  // namespace

std::optional<HttpAnswer> refuse_person(HttpRequest const& request, WebPlace const& place) {
  if (request.is_private) return std::nullopt;
  bool const known = request.authenticated;
  if (!known && (!request.from_loopback || is_forwarded(request))) {
    return forbidden("Only for this machine itself, and not through a proxy.\n");
  }
  auto const host = header(request, "Host");
  // A browser keeps passwords by the name that it asks for, and gives none to another one.
  if (!known && host && !names_this_machine(host_of(lower(*host)))) {
    return forbidden("Only by the names 127.0.0.1, [::1] and localhost.\n");
  }
  // A client's certificate, though, goes to any name that leads here.
  bool const browser = header(request, "Sec-Fetch-Site") || header(request, "Origin");
  if (known && browser && host && !place.host.empty() && lower(*host) != lower(place.host) &&
      !names_this_machine(host_of(lower(*host))) && !is_address(host_of(*host))) {
    return forbidden("Only by the name of --web.external-url.\n");
  }
  return std::nullopt;
}

std::optional<HttpAnswer> refuse_change(HttpRequest const& request, WebPlace const& place) {
  if (request.is_private) return std::nullopt;
  if (auto refused = refuse_person(request, place)) return refused;
  auto const host = header(request, "Host");
  auto const site = header(request, "Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") {
    return forbidden("Not from a page of another site.\n");
  }
  if (auto const origin = header(request, "Origin")) {
    std::string const from = lower(*origin), to = lower(host.value_or(""));
    if (to.empty() || (from != "http://" + to && from != "https://" + to)) {
      return forbidden("Not from a page of another origin.\n");
    }
  }
  return std::nullopt;
}

}  // namespace canary::daemon
