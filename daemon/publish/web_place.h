// SPDX-License-Identifier: Apache-2.0
// Where canaryd's pages are, for those outside: --web.external-url and --web.route-prefix, as
// Prometheus and its exporters have them.
// Thread: any (pure).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/result.h"

namespace canary::daemon {

struct WebPlace {
  std::string prefix;  // "/canaryd": before every path that is answered; "": nothing
  std::string base;    // likewise before every link, as the outside has it
  std::string host;    // "monitor.example", with a port where it has one; "": as it was asked
  bool https = false;  // of the external URL
  friend bool operator==(WebPlace const&, WebPlace const&) = default;
};

// Of the flags as given; without `route_prefix` it is the path of `external_url`, which is "" where
// it was not given. The error is a sentence that names the flag.
Result<WebPlace, std::string> web_place(std::string const& external_url,
                                        std::optional<std::string> const& route_prefix);

// What may stand in an address, with a port where it has one: "[::1]:9732".
bool is_host(std::string_view host);
// Where the pages are: "https://monitor.example/canaryd". `asked`: the request's Host, where no
// external URL says it; "" where that is none.
std::string home_of(WebPlace const& place, std::string const& asked);

// `path` without the prefix; nothing where it is not below it.
std::optional<std::string_view> below(WebPlace const& place, std::string_view path);

// A page of ours, whose links begin with "/", with `base` before them.
std::string with_base(std::string html, std::string const& base);

}  // namespace canary::daemon
