// SPDX-License-Identifier: Apache-2.0
// Connects to the first of several addresses that answers: families alternate, and an address that
// is slow gets company after 250 ms.
// Thread: loop. Source: RFC 8305.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "probes/fetch/connection.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::fetch {

// The order in which addresses (IPv6 first, as the resolver sorts them) are tried.
std::vector<Tcp::endpoint> connect_order(std::vector<boost::asio::ip::address> const& addresses,
                                         std::uint16_t port);

struct Connected {
  std::optional<Tcp::socket> socket;  // none: failed
  Tcp::endpoint peer;
  bool timed_out = false;
  int own_error = 0;    // of our own side, where it alone is at fault; see own_trouble()
  std::string problem;  // "127.0.0.1:80: Connection refused; [::1]:80: ..."
};

// Throws operation_aborted when cancelled. All other sockets are closed on return.
runtime::Task<Connected> connect_race(std::vector<Tcp::endpoint> endpoints,
                                      runtime::Deadline deadline, runtime::Trace trace);

}  // namespace canary::fetch
