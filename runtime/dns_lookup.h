// SPDX-License-Identifier: Apache-2.0
// One lookup of one name by c-ares, whose sockets the loop watches.
// Thread: loop. Source: ares(3) 1.18.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "runtime/deadline.h"
#include "runtime/name_files.h"
#include "runtime/resolver.h"
#include "runtime/silent_servers.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

// Asks for A and AAAA side by side, as `family` says. Each server gets its share of the time, so
// that silent ones leave enough for those behind them; one that answers SERVFAIL or the like is
// followed by the next. Once one kind has addresses, there is no such name, or a server that is not
// the last has failed, an AAAA has 50 ms left (RFC 8305 section 3: some servers never answer it)
// and an A one second. Servers that were silent a moment ago are asked last, and those that are
// silent now while one behind them answers are noted in `silent`.
Task<Result<Resolver::Addresses, ResolveFault>> dns_lookup(std::string name, AddressFamily family,
                                                           NameServers servers,
                                                           std::shared_ptr<SilentServers> silent,
                                                           Deadline deadline, Trace trace);

}  // namespace canary::runtime
