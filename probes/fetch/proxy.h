// SPDX-License-Identifier: Apache-2.0
// Which proxy a URL goes through.
// Thread: none (pure), but for from_environment().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/probe_spec.h"
#include "config/result.h"
#include "config/url.h"

namespace canary::fetch {

// The values of the environment's variables, lower case first ("http_proxy" over "HTTP_PROXY").
struct ProxyVariables {
  std::string http, https, all, no;
  // Call before threads start that change the environment.
  static ProxyVariables from_environment();
};

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string authorization;  // value of Proxy-Authorization; a secret; empty: none

  std::string name() const;  // "host:port", brackets around an IPv6 address
};

// The value of Proxy-Authorization for "user:password".
std::string basic_authorization(std::string_view credentials);

// The proxy for `url`, or none. An explicit setting (settings.proxy) goes for every URL and
// ignores the environment. NO_PROXY holds names (with their subdomains), addresses, networks
// ("10.0.0.0/8"), each with an optional ":port", or "*".
// Errors: a sentence; such as for a proxy that is itself https.
canary::Result<std::optional<Proxy>, std::string> proxy_for(config::Url const& url,
                                                            config::HttpSettings const& settings,
                                                            ProxyVariables const& variables);

// True when an entry of the comma-separated list covers the host and port.
bool bypasses_proxy(std::string_view no_proxy, std::string_view host, std::uint16_t port);

}  // namespace canary::fetch
