// SPDX-License-Identifier: Apache-2.0
// The texts of a hosts file and of resolv.conf as values. Lines that make no sense are skipped, as
// the C library does.
// Thread: none (pure). Source: hosts(5), resolv.conf(5).
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace canary::runtime {

// Lower-case name or alias -> its addresses, in the file's order.
using Hosts = std::map<std::string, std::vector<boost::asio::ip::address>, std::less<>>;
Hosts parse_hosts(std::string_view text);

struct NameServers {
  std::vector<std::string> servers;  // "address:port" or "[address]:port"
  std::vector<std::string> search;   // domains tried behind a name with fewer dots than `ndots`
  int ndots = 1;
  std::chrono::milliseconds timeout{1'500};  // of the first try at each server
  int tries = 3;
};
// Without a `nameserver` line there is one: 127.0.0.1.
NameServers parse_resolv_conf(std::string_view text);

}  // namespace canary::runtime
