// SPDX-License-Identifier: Apache-2.0
// From a URL to a connection that takes requests: name, address, proxy, TLS.
// Thread: loop.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "probes/fetch/connection.h"
#include "probes/fetch/proxy.h"
#include "probes/fetch/services.h"
#include "probes/fetch/transfer.h"
#include "runtime/task.h"

namespace canary::fetch {

// Connects to transfer.url, through `proxy` if there is one: then only the proxy's name is looked
// up here. `transfer` and `services` outlive the task.
runtime::Task<Result<std::unique_ptr<Connection>>> dial(Transfer& transfer,
                                                        std::optional<Proxy> proxy,
                                                        Services& services, runtime::Trace trace);

}  // namespace canary::fetch
