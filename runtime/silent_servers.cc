// SPDX-License-Identifier: Apache-2.0
#include "runtime/silent_servers.h"

#include <algorithm>
#include <iterator>

#include "runtime/contract.h"

namespace canary::runtime {

std::vector<std::string> SilentServers::last(std::vector<std::string> servers,
                                             Clock::time_point now) const {
  require_loop_thread();
  auto const is_silent = [&](std::string const& server) {
    auto const found = until_.find(server);
    return found != until_.end() && found->second > now;
  };
  std::vector<std::string> silent;
  std::ranges::copy_if(servers, std::back_inserter(silent), is_silent);
  std::erase_if(servers, is_silent);
  servers.insert(servers.end(), silent.begin(), silent.end());
  return servers;
}

}  // namespace canary::runtime
