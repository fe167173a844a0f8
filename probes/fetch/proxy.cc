// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/proxy.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <openssl/evp.h>

namespace canary::fetch {
namespace {

namespace ip = boost::asio::ip;

std::string variable(char const* lower, char const* upper) {
  for (char const* const name : {lower, upper}) {
    char const* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto const hex = [&text](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text[i] == '%' && hex(i + 1) && hex(i + 2)) {
      result += static_cast<char>(std::stoi(std::string{text.substr(i + 1, 2)}, nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

std::string base64(std::string_view text) {
  std::string result((text.size() + 2) / 3 * 4 + 1, '\0');
  int const size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                                     reinterpret_cast<unsigned char const*>(text.data()),
                                     static_cast<int>(text.size()));
  result.resize(static_cast<std::size_t>(size));
  return result;
}

// `origin` names where the text came from; the text itself may hold a password.
canary::Result<std::optional<Proxy>, std::string> parse_proxy(std::string text,
                                                              std::string const& origin) {
  if (text.find("://") == std::string::npos) text.insert(0, "http://");
  std::string authorization;
  auto const host_at = text.find("://") + 3;
  auto const authority_end = std::min(text.find_first_of("/?#", host_at), text.size());
  auto const at = text.rfind('@', authority_end);
  if (at != std::string::npos && at >= host_at && at < authority_end) {
    std::string credentials = text.substr(host_at, at - host_at);
    if (credentials.find(':') == std::string::npos) credentials += ':';
    authorization = basic_authorization(decoded(credentials));
    text.erase(host_at, at + 1 - host_at);
  }
  auto const url = config::Url::parse(text);
  if (!url) return "the proxy given by " + origin + " is no URL: " + url.error();
  if (url.value().scheme() != config::Scheme::http) {
    return "the proxy given by " + origin + " is not an http:// one, and no other kind is known";
  }
  // Without a port, proxies listen where "http://host" says: 80.
  return std::optional<Proxy>{Proxy{url.value().host(), url.value().port(), authorization}};
}

bool in_network(std::string_view network, ip::address const& address) {
  boost::system::error_code error;
  std::string const text{network};
  if (address.is_v4()) {
    auto const range = ip::make_network_v4(text, error);
    return !error && ip::network_v4{address.to_v4(), 32}.is_subnet_of(range.canonical());
  }
  auto const range = ip::make_network_v6(text, error);
  return !error && ip::network_v6{address.to_v6(), 128}.is_subnet_of(range.canonical());
}

bool entry_covers(std::string entry, std::string_view host, std::uint16_t port) {
  std::ranges::transform(entry, entry.begin(), [](unsigned char c) { return std::tolower(c); });
  if (entry == "*") return true;
  // "name:port" and "[v6]:port"; a bare IPv6 address has more colons.
  auto const colon = entry.rfind(':');
  bool const bracketed = entry.starts_with('[');
  if (colon != std::string::npos &&
      (bracketed ? entry[colon - 1] == ']' : entry.find(':') == colon)) {
    if (entry.substr(colon + 1) != std::to_string(port)) return false;
    entry.resize(colon);
  }
  if (bracketed && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  boost::system::error_code no_address;
  auto const address = ip::make_address(std::string{host}, no_address);
  if (!no_address) {
    boost::system::error_code other;
    auto const same = ip::make_address(entry, other);
    if (!other) return same == address;
    return entry.find('/') != std::string::npos && in_network(entry, address);
  }
  if (entry.starts_with("*.")) entry.erase(0, 1);
  std::string_view name{entry};
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.empty() || !host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

}  // namespace

std::string Proxy::name() const {
  return (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" +
         std::to_string(port);
}

std::string basic_authorization(std::string_view credentials) {
  return "Basic " + base64(credentials);
}

ProxyVariables ProxyVariables::from_environment() {
  return {variable("http_proxy", "HTTP_PROXY"), variable("https_proxy", "HTTPS_PROXY"),
          variable("all_proxy", "ALL_PROXY"), variable("no_proxy", "NO_PROXY")};
}

bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port) {
  while (!no_proxy.empty()) {
    auto const end = std::min(no_proxy.find_first_of(", \t"), no_proxy.size());
    auto const entry = no_proxy.substr(0, end);
    if (!entry.empty() && entry_covers(std::string{entry}, host, port)) return true;
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return false;
}

canary::Result<std::optional<Proxy>, std::string> proxy_for(config::Url const& url,
                                                            config::HttpSettings const& settings,
                                                            ProxyVariables const& variables) {
  if (settings.proxy) return parse_proxy(*settings.proxy, "the setting `proxy`");
  std::optional<Proxy> none;
  if (!settings.proxy_from_environment) return none;
  bool const https = url.scheme() == config::Scheme::https;
  auto const& own = https ? variables.https : variables.http;
  auto const& value = own.empty() ? variables.all : own;
  if (value.empty() || bypasses_proxy(variables.no, url.host(), url.port())) return none;
  return parse_proxy(value, own.empty() ? "ALL_PROXY" : https ? "HTTPS_PROXY" : "HTTP_PROXY");
}

}  // namespace canary::fetch
