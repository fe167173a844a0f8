// SPDX-License-Identifier: Apache-2.0
// Rules for configured request headers.
// Thread: none (pure). Source: RFC 9110 sections 5.5 and 5.6.2.
#include "config/header_rules.h"

#include <algorithm>
#include <array>

namespace canary::config {
namespace {

// Set by the HTTP client, per request or per connection.
constexpr std::array<std::string_view, 15> kOwnHeaders{"accept-encoding",
                                                       "connection",
                                                       "content-encoding",
                                                       "content-length",
                                                       "expect",
                                                       "host",
                                                       "if-range",
                                                       "keep-alive",
                                                       "proxy-connection",
                                                       "range",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade",
                                                       "via"};

constexpr std::array<std::string_view, 11> kSecretParts{
    "authorization", "cookie", "token",   "secret",     "password",  "passwd",
    "api-key",       "apikey", "api_key", "credential", "access-key"};

// Likewise where one stands alone between '-' and '_': "X-Auth-Key", but not "Keyword".
constexpr std::array<std::string_view, 9> kSecretWords{
    "auth", "bearer", "csrf", "jwt", "key", "session", "sid", "signature", "xsrf"};
constexpr std::array<std::string_view, 6> kSchemes{"apikey", "basic",     "bearer",
                                                   "digest", "negotiate", "token"};

bool is_token_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

}  // namespace

std::string lower_case(std::string_view text) {
  std::string result;
  for (char const c : text) {
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::optional<std::string> check_header_name(std::string_view name) {
  if (name.empty() || !std::ranges::all_of(name, is_token_byte)) {
    return "expected a header's name of letters, digits and !#$%&'*+-.^_`|~";
  }
  if (std::ranges::find(kOwnHeaders, lower_case(name)) != kOwnHeaders.end()) {
    return "this header is set by the client itself";
  }
  if (lower_case(name) == "proxy-authorization") {
    return "this header is for the proxy alone: expected user:password by http.proxy_credentials: "
           "{file: PATH} or {environment: NAME}";
  }
  return std::nullopt;
}

std::optional<std::string> check_header_value(std::string_view value) {
  if (std::ranges::any_of(value, is_control)) {
    return "a header's value holds a line break or control character";
  }
  if (value.size() > kMaxHeaderValueBytes) {
    return "a header's value is longer than " + std::to_string(kMaxHeaderValueBytes) + " bytes";
  }
  return std::nullopt;
}

bool is_secret_header(std::string_view name) {
  auto const lower = lower_case(name);
  auto const holds = [&](std::string_view part) { return lower.find(part) != std::string::npos; };
  if (std::ranges::any_of(kSecretParts, holds)) return true;
  std::string_view rest = lower;
  while (!rest.empty()) {
    auto const end = std::min(rest.find_first_of("-_."), rest.size());
    if (std::ranges::find(kSecretWords, rest.substr(0, end)) != kSecretWords.end()) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

bool is_credential(std::string_view value) {
  auto const space = value.find(' ');
  if (space == std::string_view::npos) return false;
  auto const scheme = lower_case(value.substr(0, space));
  return std::ranges::find(kSchemes, scheme) != kSchemes.end();
}

}  // namespace canary::config
