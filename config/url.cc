// SPDX-License-Identifier: Apache-2.0
// Parsing and resolving of http, https and file URLs; text is kept as given.
// Thread: none (pure). Source: RFC 3986 (5.2 for references), RFC 8089.
#include "config/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace canary::config {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;
constexpr std::size_t kMaxHostBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string result;
  for (char const c : text) result += lower(c);
  return result;
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Blanks, control characters and bytes beyond ASCII: never part of a URL.
bool forbidden(char c) {
  auto const byte = static_cast<unsigned char>(c);
  return byte <= 0x20 || byte >= 0x7f;
}

std::string byte_text(char c) {
  char buffer[8];
  std::snprintf(buffer, sizeof buffer, "0x%02x", static_cast<unsigned char>(c));
  return buffer;
}

// The generic parts of a URL or a reference, as given (RFC 3986, appendix B).
struct Parts {
  std::optional<std::string_view> scheme, authority, query, fragment;
  std::string_view path;
};

std::optional<std::string_view> take_scheme(std::string_view& rest) {
  auto const end = rest.find_first_of(":/?#");
  if (end == std::string_view::npos || end == 0 || rest[end] != ':') return std::nullopt;
  auto const scheme = rest.substr(0, end);
  auto const fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  if (!is_letter(scheme[0]) || !std::ranges::all_of(scheme, fits)) return std::nullopt;
  rest.remove_prefix(end + 1);
  return scheme;
}

std::optional<std::string_view> take_tail(std::string_view& rest, char mark) {
  auto const at = rest.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  auto const tail = rest.substr(at + 1);
  rest = rest.substr(0, at);
  return tail;
}

Parts split(std::string_view text) {
  Parts parts;
  parts.fragment = take_tail(text, '#');
  parts.query = take_tail(text, '?');
  parts.scheme = take_scheme(text);
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    auto const end = std::min(text.find('/'), text.size());
    parts.authority = text.substr(0, end);
    text.remove_prefix(end);
  }
  parts.path = text;
  return parts;
}

// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool const absolute = path.starts_with('/');
  if (absolute) path.remove_prefix(1);
  for (bool last = false; !last;) {
    auto const end = path.find('/');
    last = end == std::string_view::npos;
    auto const segment = path.substr(0, end);
    if (!last) path.remove_prefix(end + 1);
    bool const dots = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!dots) kept.push_back(segment);
    if (dots && last) kept.emplace_back();
  }
  std::string result = absolute ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i != 0) result += '/';
    result += kept[i];
  }
  return result;
}

// RFC 3986 section 5.2.3; a base with an authority always has an absolute path here.
std::string merge(std::string_view base_path, std::string_view reference) {
  auto const slash = base_path.rfind('/');
  auto const folder = slash == std::string_view::npos ? "/" : base_path.substr(0, slash + 1);
  return std::string(folder) + std::string(reference);
}

std::optional<std::string> decode(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    int const high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    int const low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

std::optional<std::string> check_name(std::string_view host) {
  if (host.size() > kMaxHostBytes) return "the host is longer than 253 bytes";
  auto labels = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
  std::string_view last;
  for (bool more = true; more;) {
    auto const dot = labels.find('.');
    more = dot != std::string_view::npos;
    last = labels.substr(0, dot);
    if (more) labels.remove_prefix(dot + 1);
    if (last.empty() || last.size() > kMaxLabelBytes) {
      return "the host \"" + std::string(host) +
             "\" has an empty part or one longer than 63 bytes between its dots";
    }
  }
  for (char const c : host) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_') continue;
    return std::string("the host holds '") + c +
           "', expected letters, digits, '-', '.' and '_' or an IPv6 address in brackets";
  }
  in_addr address{};
  if (std::ranges::all_of(last, is_digit) &&
      ::inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) {
    return "the host \"" + std::string(host) + "\" looks like an IPv4 address but is none";
  }
  return std::nullopt;
}

struct Authority {
  std::string host;
  std::uint16_t port = 0;
};

Result<std::uint16_t, std::string> parse_port(std::string_view text, std::uint16_t otherwise) {
  if (text.empty()) return otherwise;
  unsigned value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    // Not repeated: it may be the beginning of a password that holds a '/'.
    return std::string{"the port is no number, expected 1 to 65535"};
  }
  if (value == 0 || value > 65'535) {
    return "the port is \"" + std::string(text) + "\", expected 1 to 65535";
  }
  return static_cast<std::uint16_t>(value);
}

Result<Authority, std::string> parse_authority(std::string_view text, std::uint16_t otherwise) {
  // The text is not repeated in the message: it may hold a password.
  if (text.find('@') != std::string_view::npos) {
    return std::string{"credentials in a URL are refused: they would leak, send them in a header"};
  }
  Authority result;
  std::string_view port;
  if (text.starts_with('[')) {
    auto const end = text.find(']');
    if (end == std::string_view::npos) return std::string{"the IPv6 address has no closing ']'"};
    result.host = lower(text.substr(1, end - 1));
    in6_addr address{};
    if (::inet_pton(AF_INET6, result.host.c_str(), &address) != 1) {
      return "\"" + result.host + "\" is not an IPv6 address";
    }
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') {
      return "\"" + std::string(port) + "\" follows the IPv6 address, expected a ':' and a port";
    }
    if (!port.empty()) port.remove_prefix(1);
  } else {
    if (auto const tail = take_tail(text, ':')) port = *tail;
    if (text.empty()) return std::string{"the host is missing"};
    if (auto const wrong = check_name(text)) return *wrong;
    result.host = lower(text);
  }
  BOOST_OUTCOME_TRY(result.port, parse_port(port, otherwise));
  return result;
}

std::optional<std::string> check_file(Parts const& parts) {
  auto const authority = parts.authority.value_or("");
  if (!authority.empty() && lower(authority) != "localhost") {
    return std::string{"a file URL names no host, expected file:///absolute/path"};
  }
  if (!parts.path.starts_with('/')) {
    return std::string{"a file URL needs an absolute path, expected file:///absolute/path"};
  }
  if (parts.query) return std::string{"a file URL has no query, write '?' in a path as %3F"};
  if (!decode(parts.path))
    return std::string{"'%' in a file URL is not followed by two hex digits"};
  return std::nullopt;
}

std::string_view scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::http:
      return "http";
    case Scheme::https:
      return "https";
    case Scheme::file:
      return "file";
  }
  return "";
}

std::uint16_t default_port(Scheme scheme) {
  switch (scheme) {
    case Scheme::http:
      return 80;
    case Scheme::https:
      return 443;
    case Scheme::file:
      return 0;
  }
  return 0;
}

std::string bracketed(std::string const& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Result<Url, std::string> Url::parse(std::string_view text) {
  if (text.empty()) return std::string{"empty, expected a URL"};
  if (text.size() > kMaxUrlBytes) return std::string{"a URL longer than 8192 bytes"};
  if (auto const bad = std::ranges::find_if(text, forbidden); bad != text.end()) {
    return "byte " + byte_text(*bad) +
           " (a blank, a control character or not ASCII) must be percent-encoded in a URL";
  }
  auto const parts = split(text);
  Url url;
  auto const scheme = lower(parts.scheme.value_or(""));
  if (scheme == "https") {
    url.scheme_ = Scheme::https;
  } else if (scheme == "http") {
    url.scheme_ = Scheme::http;
  } else if (scheme != "file") {
    return (parts.scheme ? "the scheme is \"" + scheme + "\"" : std::string{"no scheme"}) +
           ", expected an absolute http, https or file URL";
  }
  if (parts.fragment)
    return std::string{"a fragment ('#' and what follows) is not sent: remove it"};
  url.text_ = text;
  if (url.scheme_ == Scheme::file) {
    if (auto const wrong = check_file(parts)) return *wrong;
    url.target_ = parts.path;
    return url;
  }
  if (!parts.authority) return std::string{"no \"//\" and host behind the scheme"};
  BOOST_OUTCOME_TRY(auto authority, parse_authority(*parts.authority, default_port(url.scheme_)));
  url.host_ = std::move(authority.host);
  url.port_ = authority.port;
  url.target_ = parts.path.empty() ? "/" : parts.path;
  if (parts.query) url.target_.append("?").append(*parts.query);
  return url;
}

std::string Url::text() const {
  auto const query = text_.find('?');
  bool const hidden = query != std::string::npos && query + 1 < text_.size();
  return hidden ? text_.substr(0, query + 1) + "..." : text_;
}

std::string Url::host_header() const {
  auto const host = bracketed(host_);
  return port_ == default_port(scheme_) ? host : host + ":" + std::to_string(port_);
}

std::string Url::origin() const {
  if (scheme_ == Scheme::file) return "file://";
  return std::string(scheme_name(scheme_)) + "://" + bracketed(host_) + ":" + std::to_string(port_);
}

std::filesystem::path Url::path() const {
  // Decodable since parse(); child() keeps that for what is encoded well.
  return decode(target_).value_or(target_);
}

Url Url::child(std::string_view path) const {
  std::string added;
  for (char const c : path) {
    added += forbidden(c) || c == '#' ? percent_encode(std::string_view(&c, 1)) : std::string(1, c);
  }
  added.erase(0, std::min(added.find_first_not_of('/'), added.size()));
  std::string_view folder = target_;
  auto const query = take_tail(folder, '?');
  std::string_view before = text_;
  take_tail(before, '?');
  auto const parts = split(before);
  before.remove_suffix(parts.path.size());
  while (folder.ends_with('/')) folder.remove_suffix(1);

  Url result = *this;
  result.target_ = std::string(folder) + "/" + added;
  if (query) result.target_.append("?").append(*query);
  result.text_ = std::string(before) + result.target_;
  return result;
}

Result<Url, std::string> Url::resolve(std::string_view reference) const {
  auto const given = split(reference);
  auto const base = split(text_);
  std::string scheme(given.scheme.value_or(base.scheme.value_or("")));
  if (lower(scheme) == "file" && scheme_ != Scheme::file) {
    return std::string{"a reference from http or https to a file URL is refused"};
  }
  std::optional<std::string_view> authority = base.authority, query = given.query;
  std::string path;
  if (given.scheme || given.authority) {
    authority = given.authority;
    path = remove_dot_segments(given.path);
  } else if (given.path.empty()) {
    path = base.path;
    if (!query) query = base.query;
  } else if (given.path.starts_with('/')) {
    path = remove_dot_segments(given.path);
  } else {
    path = remove_dot_segments(merge(base.path, given.path));
  }
  std::string text = scheme + ":";
  if (authority) text.append("//").append(*authority);
  text += path;
  if (query) text.append("?").append(*query);
  return parse(text);
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  std::string result;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (is_letter(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '~' ||
        (keep_slash && c == '/')) {
      result += c;
    } else {
      result += '%';
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    }
  }
  return result;
}

}  // namespace canary::config
