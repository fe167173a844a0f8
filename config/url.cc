// SPDX-License-Identifier: Apache-2.0
// http, https and file URLs by Boost.URL; text is kept as given. Boost.URL has RFC 3986 to the
// letter, and clients do not: "[" in a path, and a "%" that begins nothing, are sent as they stand.
// So it is shown such text percent-encoded, every "%" included, and what it gives is decoded again.
// Thread: none (pure). Source: RFC 3986 (5.2 for references), RFC 8089.
#include "config/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include <boost/url/encode.hpp>
#include <boost/url/grammar/lut_chars.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/rfc/pchars.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url.hpp>

namespace canary::config {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kMaxUrlBytes = 8192;
constexpr std::size_t kMaxHostBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
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

// Where the authority of a URL or a reference ends; where its path begins if it has none.
std::size_t end_of_authority(std::string_view text) {
  auto const colon = text.find_first_of(":/?#");
  bool const scheme = colon != std::string_view::npos && text[colon] == ':';
  std::size_t const at = scheme ? colon + 1 : 0;
  if (!text.substr(at).starts_with("//")) return at;
  return std::min(text.find_first_of("/?#", at + 2), text.size());
}

// As RFC 3986 has it: raw() of any part gives back what stood there. Brackets stay where they hold
// an address, and the first '#' where it is one.
std::string encoded(std::string_view text) {
  constexpr auto kKept = urls::pchars + urls::grammar::lut_chars{"/?#"};
  std::size_t const authority = end_of_authority(text);
  auto const fragment = text.find('#');
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char const c = text[i];
    bool const bracket = i < authority && (c == '[' || c == ']');
    bool const kept = kKept(c) && c != '%' && (c != '#' || i == fragment);
    if (bracket || kept) {
      result += c;
    } else {
      result += urls::encode({&c, 1}, urls::unreserved_chars);
    }
  }
  return result;
}

// Boost 1.81 takes what follows an authority that is wrong ("host:port", "[::1]x") for a path.
bool has_wrong_authority(urls::url_view const& url) {
  return url.has_authority() && !url.encoded_path().empty() && !url.encoded_path().starts_with('/');
}

// RFC 3986 section 5.2.4 drops what leads above the root; Boost 1.81 keeps it.
void remove_what_is_above(std::string& url) {
  std::size_t const root = end_of_authority(url);
  auto const begins = [&](std::string_view with) {
    return std::string_view{url}.substr(root).starts_with(with);
  };
  while (begins("/../")) url.erase(root, 3);
  bool const last = begins("/..?") || url.substr(root) == "/..";
  if (last) url.erase(root + 1, 2);
}

std::string raw(urls::pct_string_view part) { return part.decode(); }

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

Result<std::uint16_t, std::string> parse_port(std::string_view text, std::uint16_t otherwise) {
  if (text.empty()) return otherwise;
  unsigned value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value == 0 || value > 65'535) {
    return "the port is \"" + std::string(text) + "\", expected 1 to 65535";
  }
  return static_cast<std::uint16_t>(value);
}

constexpr char kCredentials[] =
    "credentials in a URL are refused: they would leak, send them in a header";

// Of a text that Boost.URL refuses. It is not repeated: it may hold a password.
std::string why_refused(std::string_view text) {
  std::string_view authority = text.substr(0, end_of_authority(text));
  auto const begin = authority.find("//");
  if (begin == std::string_view::npos)
    return "no scheme, expected an absolute http, https or file URL";
  authority.remove_prefix(begin + 2);
  if (authority.find('@') != std::string_view::npos) return kCredentials;
  auto const bracket = authority.find('[');
  if (bracket == std::string_view::npos) return "the port is no number, expected 1 to 65535";
  if (bracket != 0) return "the host holds '[', which only an IPv6 address begins with";
  auto const end = authority.find(']');
  if (end == std::string_view::npos) return "the IPv6 address has no closing ']'";
  auto const address = authority.substr(1, end - 1);
  if (!urls::parse_ipv6_address(address)) {
    return "\"" + std::string(address) + "\" is not an IPv6 address";
  }
  return "what follows the IPv6 address is no ':' and a port";
}

// Lower case, without brackets.
std::string host_of(urls::url_view const& url) {
  std::string host = lower(raw(url.encoded_host()));
  bool const brackets = url.host_type() == urls::host_type::ipv6;
  return brackets ? host.substr(1, host.size() - 2) : host;
}

std::optional<std::string> check_host(urls::url_view const& url, std::string const& host) {
  if (url.host_type() == urls::host_type::ipv6) return std::nullopt;
  if (url.host_type() == urls::host_type::ipvfuture) {
    return "\"" + host + "\" is not an IPv6 address";
  }
  if (host.empty()) return "the host is missing";
  return check_name(host);
}

// The bytes that the text's own percent-encoding stands for; nothing where it is none, or has a
// NUL.
std::optional<std::string> decode(std::string_view text) {
  auto const parsed = urls::make_pct_string_view(text);
  if (!parsed) return std::nullopt;
  std::string bytes = parsed->decode();
  if (bytes.find('\0') != std::string::npos) return std::nullopt;
  return bytes;
}

std::optional<std::string> check_file(urls::url_view const& url, std::string_view path) {
  auto const host = raw(url.encoded_authority());
  if (!host.empty() && lower(host) != "localhost") {
    return std::string{"a file URL names no host, expected file:///absolute/path"};
  }
  if (!path.starts_with('/')) {
    return std::string{"a file URL needs an absolute path, expected file:///absolute/path"};
  }
  if (url.has_query()) return std::string{"a file URL has no query, write '?' in a path as %3F"};
  if (!decode(path)) return std::string{"'%' in a file URL is not followed by two hex digits"};
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
  std::string const shown = encoded(text);
  auto const parsed = urls::parse_uri_reference(shown);
  if (!parsed || has_wrong_authority(*parsed)) return why_refused(text);
  urls::url_view const& parts = *parsed;
  Url url;
  auto const scheme = lower(parts.scheme());
  if (scheme == "https") {
    url.scheme_ = Scheme::https;
  } else if (scheme == "http") {
    url.scheme_ = Scheme::http;
  } else if (scheme != "file") {
    return (parts.has_scheme() ? "the scheme is \"" + scheme + "\"" : std::string{"no scheme"}) +
           ", expected an absolute http, https or file URL";
  }
  if (parts.has_fragment()) {
    return std::string{"a fragment ('#' and what follows) is not sent: remove it"};
  }
  url.text_ = text;
  url.target_ = raw(parts.encoded_path());
  if (url.scheme_ == Scheme::file) {
    if (auto const wrong = check_file(parts, url.target_)) return *wrong;
    return url;
  }
  if (!parts.has_authority()) return std::string{"no \"//\" and host behind the scheme"};
  if (parts.has_userinfo()) return std::string{kCredentials};
  url.host_ = host_of(parts);
  if (auto const wrong = check_host(parts, url.host_)) return *wrong;
  BOOST_OUTCOME_TRY(url.port_, parse_port(parts.port(), default_port(url.scheme_)));
  if (url.target_.empty()) url.target_ = "/";
  if (parts.has_query()) url.target_.append("?").append(raw(parts.encoded_query()));
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
  auto const mark = std::min(target_.find('?'), target_.size());
  std::string_view folder = std::string_view{target_}.substr(0, mark);
  while (folder.ends_with('/')) folder.remove_suffix(1);

  Url result = *this;
  result.target_ = std::string(folder) + "/" + added + target_.substr(mark);
  result.text_ = text_.substr(0, end_of_authority(text_)) + result.target_;
  return result;
}

Result<Url, std::string> Url::resolve(std::string_view reference) const {
  std::string const shown = encoded(reference), base = encoded(text_);
  auto const given = urls::parse_uri_reference(shown);
  if (!given || has_wrong_authority(*given)) return why_refused(reference);
  if (lower(given->scheme()) == "file" && scheme_ != Scheme::file) {
    return std::string{"a reference from http or https to a file URL is refused"};
  }
  urls::url whole{urls::parse_uri(base).value()};
  if (auto const done = whole.resolve(*given); !done) return done.error().message();
  whole.remove_fragment();
  std::string text = raw(urls::make_pct_string_view(whole.buffer()).value());
  remove_what_is_above(text);
  return parse(text);
}

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr auto kWithSlash = urls::unreserved_chars + '/';
  return urls::encode(text, keep_slash ? kWithSlash : urls::unreserved_chars);
}

std::optional<std::string> percent_decode(std::string_view text) {
  auto const encoded = urls::make_pct_string_view(text);
  if (!encoded) return std::nullopt;
  return encoded->decode();
}

}  // namespace canary::config
