// SPDX-License-Identifier: Apache-2.0
// What a request says, as Boost.Beast writes it.
// Thread: none (pure). Source: RFC 9110, RFC 9112.
#pragma once

#include <optional>
#include <string>

#include "probes/fetch/proxy.h"
#include "probes/fetch/transfer.h"

namespace canary::fetch {

// The request's bytes with its body: transfer.url's target as given, absolute where a proxy passes
// it on; a Range where transfer.received says that something is there already. Error: a header of
// the settings that cannot be sent.
Result<std::string> request_text(Transfer const& transfer, std::optional<Proxy> const& proxy);

// What asks the proxy for a tunnel to `authority`, "host:port".
std::string tunnel_text(std::string const& authority, Proxy const& proxy);

}  // namespace canary::fetch
