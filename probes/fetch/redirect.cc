// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/redirect.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "config/url.h"

namespace canary::fetch {
namespace {

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Encoded where a URL may not hold it, as clients do; control characters stay and are refused.
std::string encoded(std::string_view location, Oddities& oddities) {
  constexpr std::string_view kNever = " \"<>\\^`{|}";
  std::string result;
  for (std::size_t i = 0; i < location.size(); ++i) {
    char const c = location[i];
    bool const beyond_ascii = static_cast<unsigned char>(c) >= 0x80;
    bool const cut = c == '%' && (i + 2 >= location.size() || !is_hex(location[i + 1]) ||
                                  !is_hex(location[i + 2]));
    if (beyond_ascii) note(oddities, Oddity::location_bytes);
    if (cut) note(oddities, Oddity::location_escape);
    bool const encode = beyond_ascii || kNever.find(c) != std::string_view::npos;
    result += encode ? config::percent_encode(location.substr(i, 1)) : std::string(1, c);
  }
  return result;
}

// "http://user:password@host/x" -> "http://host/x".
std::string without_credentials(std::string location) {
  auto const slashes = location.find("//");
  if (slashes == std::string::npos || location.find_first_of("/?#") < slashes) return location;
  auto const begin = slashes + 2;
  auto const end = std::min(location.find_first_of("/?#", begin), location.size());
  auto const at = std::string_view{location}.substr(0, end).rfind('@');
  if (at != std::string_view::npos && at >= begin) location.erase(begin, at + 1 - begin);
  return location;
}

}  // namespace

bool is_redirect(ResponseHead const& head) {
  constexpr std::array kRedirects{301, 302, 303, 307, 308};
  return std::ranges::find(kRedirects, head.status) != kRedirects.end();
}

Result<config::Url> redirect_target(Transfer& transfer, ResponseHead const& head) {
  auto const refused = [&](std::string const& why) {
    return transfer.fault(FaultKind::redirect_refused,
                          "the answer " + std::to_string(head.status) + " redirects " + why,
                          head.status);
  };
  auto const location = head.header("location");
  if (location.empty()) return refused("without saying where to");
  bool const two = std::ranges::count(head.headers, "location",
                                      [](auto const& header) { return header.first; }) > 1;
  if (two) note(transfer.oddities, Oddity::locations);
  auto const to = transfer.url.resolve(without_credentials(encoded(location, transfer.oddities)));
  if (!to) return refused("to something that is no URL: " + to.error());
  if (to.value().scheme() == config::Scheme::file) return refused("to a file: URL");
  if (transfer.url.scheme() == config::Scheme::https &&
      to.value().scheme() == config::Scheme::http) {
    note(transfer.oddities, Oddity::downgraded);
  }
  return to.value();
}

}  // namespace canary::fetch
