// SPDX-License-Identifier: Apache-2.0
// One question to one name server, and its answer as it came.
// Thread: loop.
#pragma once

#include <string>

#include "runtime/deadline.h"
#include "runtime/resolver.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::runtime {

struct DnsServerAsked {
  std::string address;    // "192.0.2.1:53", "[2001:db8::1]:53"
  bool over_tcp = false;  // alone; else over UDP, and over TCP what is cut there
};

// `question` is a whole message (RFC 1035 section 4) of one question; its answer has the same id
// and question. It is sent up to twice over UDP. A fault is `timeout`, `unreachable` or `server`
// (closed without an answer); what an answer says is no fault. Throws operation_aborted when
// cancelled.
Task<Result<std::string, ResolveFault>> dns_query(DnsServerAsked server, std::string question,
                                                  Deadline deadline, Trace trace);

}  // namespace canary::runtime
