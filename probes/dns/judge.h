// SPDX-License-Identifier: Apache-2.0
// What servers answered, held against what is expected.
// Thread: any (pure).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "probes/dns/message.h"
#include "probes/dns/spec.h"
#include "probes/report.h"

namespace canary::dns {

// Findings of answer, values and dnssec, of the answer of one server.
std::vector<probes::Finding> judge(Spec const& spec, std::string const& server,
                                   Result<Message, std::string> const& answer);

struct ServerSerial {
  std::string server;
  std::uint32_t serial = 0;
};
// One finding: do they have the same zone? `differ_for`: how long it is known that they do not.
probes::Finding judge_serials(Spec const& spec, std::vector<ServerSerial> const& serials,
                              std::chrono::seconds differ_for);
bool differ(std::vector<ServerSerial> const& serials);

}  // namespace canary::dns
