// SPDX-License-Identifier: Apache-2.0
// One lookup of one name by c-ares, whose sockets the loop watches.
// Thread: loop. Source: ares(3) 1.18.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "runtime/deadline.h"
#include "runtime/name_files.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

// Asks for A and AAAA side by side, as `family` says. A name server that answers SERVFAIL or the
// like is followed by the next one. Once one kind has answered with addresses, the other has
// 250 ms left: some servers never answer AAAA.
Task<Result<Resolver::Addresses, ResolveFault>> dns_lookup(std::string name, AddressFamily family,
                                                           NameServers servers, Deadline deadline,
                                                           Trace trace);

}  // namespace canary::runtime
