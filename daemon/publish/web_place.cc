// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/web_place.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace canary::daemon {
namespace {

constexpr std::string_view kAttribute = "=\"/";  // text in a page has its quotes escaped

// What needs no escaping in a path, a header or a page.
bool is_plain(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == '~' || c == '/';
}

// "/a/b" of "a/b/", "" of "/". Nothing where it cannot be a path.
std::optional<std::string> path_of(std::string_view text) {
  while (text.starts_with('/')) text.remove_prefix(1);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.empty()) return std::string{};
  std::string const path = "/" + std::string{text} + "/";
  bool const odd = path.find("//") != std::string::npos || path.find("/./") != std::string::npos ||
                   path.find("/../") != std::string::npos;
  if (odd || !std::ranges::all_of(path, is_plain)) return std::nullopt;
  return path.substr(0, path.size() - 1);
}

}  // namespace

bool is_host(std::string_view host) {
  static constexpr std::string_view kOthers = ".:-_[]";
  return !host.empty() && host.size() <= 300 && std::ranges::all_of(host, [](unsigned char c) {
    return std::isalnum(c) != 0 || kOthers.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

std::string home_of(WebPlace const& place, std::string const& asked) {
  std::string const& host = place.host.empty() ? asked : place.host;
  if (!is_host(host)) return {};
  return (place.https ? "https://" : "http://") + host + place.base;
}

Result<WebPlace, std::string> web_place(std::string const& external_url,
                                        std::optional<std::string> const& route_prefix) {
  WebPlace place;
  if (!external_url.empty()) {
    std::string_view rest = external_url;
    place.https = rest.starts_with("https://");
    if (!place.https && !rest.starts_with("http://")) {
      return "--web.external-url: expected http://HOST or https://HOST with a path";
    }
    rest.remove_prefix(place.https ? 8 : 7);
    auto const slash = std::min(rest.find('/'), rest.size());
    place.host = std::string{rest.substr(0, slash)};
    auto const path = path_of(rest.substr(slash));
    if (!is_host(place.host) || !path) {
      return "--web.external-url: expected a host, and a path of letters, digits, '-', '_', '.' "
             "and "
             "'~', without a query";
    }
    place.base = *path;
  }
  place.prefix = place.base;
  if (route_prefix) {
    auto const path = path_of(*route_prefix);
    if (!path) {
      return "--web.route-prefix: expected a path of letters, digits, '-', '_', '.' and '~'";
    }
    place.prefix = *path;
    if (external_url.empty()) place.base = *path;
  }
  return place;
}

std::optional<std::string_view> below(WebPlace const& place, std::string_view path) {
  if (!path.starts_with(place.prefix)) return std::nullopt;
  path.remove_prefix(place.prefix.size());
  if (!path.starts_with('/')) return std::nullopt;
  return path;
}

std::string with_base(std::string html, std::string const& base) {
  if (base.empty()) return html;
  std::string out;
  out.reserve(html.size() + html.size() / 16);
  std::string_view rest = html;
  for (auto at = rest.find(kAttribute); at != std::string_view::npos; at = rest.find(kAttribute)) {
    out.append(rest.substr(0, at)).append("=\"").append(base);
    rest.remove_prefix(at + 2);  // the slash stays
    out += '/';
    rest.remove_prefix(1);
  }
  return out.append(rest);
}

}  // namespace canary::daemon
