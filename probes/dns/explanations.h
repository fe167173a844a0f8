// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `dns` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/dns/declaration.h"
#include "probes/explanation.h"

namespace canary::dns {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kAnswer,
     .step = "RFC 1035, 4.1.1; dns.rcode",
     .expected = "the code of response that the probe names",
     .clients = "all that ask this server",
     .advice = "Look at the server's log and at the zone that it has loaded."},
    {.check = kValues,
     .step = "RFC 1035, 3; dns.values",
     .expected = "the values that the probe names",
     .clients = "all that are answered by this server: they go elsewhere",
     .advice = "Correct the zone, or what is expected. Values that nobody wrote: ask who can "
               "change the zone."},
    {.check = kDnssec,
     .step = "RFC 4035, 3.2.3; dns.authenticated",
     .expected = "an answer that the server has verified (AD)",
     .clients = "those behind resolvers that verify, where the signatures are wrong",
     .advice = "See whether the zone is signed and its DS is that of its key, and whether this "
               "server verifies."},
    {.check = kSerials,
     .step = "RFC 1035, 3.3.13; RFC 1982",
     .expected = "one serial on all servers of the zone",
     .clients = "those that ask the servers that are behind",
     .advice = "See why the zone does not get to the servers that are behind: notifications, "
               "transfers, their log."},
});

}  // namespace canary::dns
