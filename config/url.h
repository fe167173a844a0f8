// SPDX-License-Identifier: Apache-2.0
// A URL, parsed once when it enters the program and sent as it was given: "%5B" stays "%5B".
// Thread: none (pure). Source: RFC 3986; file URLs by RFC 8089.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::config {

enum class Scheme { http, https, file };

// An absolute http, https or file URL. Never has credentials (refused at parsing: they would leak
// into logs and process lists) nor a fragment.
class Url {
 public:
  // Errors are a sentence for people: what is wrong and what was expected.
  static Result<Url, std::string> parse(std::string_view text);

  Scheme scheme() const { return scheme_; }
  // Host without brackets, lower case; empty for file URLs.
  std::string const& host() const { return host_; }
  // The port given or the scheme's default; 0 for file URLs.
  std::uint16_t port() const { return port_; }
  // What goes into a request line, and nowhere else: path and query as given (the query may be
  // secret), "/" where the path is empty.
  std::string const& target() const { return target_; }
  // The value of a Host header: host (with brackets for IPv6) and the port unless it is the
  // default.
  std::string host_header() const;
  // "scheme://host:port", the key of a connection pool; "file://" for files.
  std::string origin() const;
  // For file URLs: the path, percent-decoded. REQUIRES: scheme() == Scheme::file.
  std::filesystem::path path() const;
  // For people, wherever they may read it: as it was given, but without what a query holds
  // ("http://host/path?..."), which may be a signature or a token.
  std::string text() const;
  // The whole URL, secrets included: to compare it or to make another one of it, never to show it.
  std::string const& unredacted() const { return text_; }

  // This URL as a folder, plus `path` appended as it is (the caller has percent-encoded what needs
  // it). Exactly one '/' stands between them; a query of this URL moves behind the new path.
  Url child(std::string_view path) const;
  // A Location header's value against this URL (RFC 3986 section 5.2).
  Result<Url, std::string> resolve(std::string_view reference) const;

  friend bool operator==(Url const&, Url const&) = default;

 private:
  Scheme scheme_ = Scheme::file;
  std::string text_, host_, target_;
  std::uint16_t port_ = 0;
};

// Percent-encodes every byte but A-Z a-z 0-9 '_' '.' '-' '~' (and '/' where `keep_slash`).
std::string percent_encode(std::string_view text, bool keep_slash = false);
// Nothing where a % stands before anything but two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace canary::config
