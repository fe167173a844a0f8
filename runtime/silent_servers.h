// SPDX-License-Identifier: Apache-2.0
// Which name servers did not answer in time a moment ago, so that not every lookup waits for them
// anew: glibc and c-ares ask in the file's order and wait at a dead first server each time.
// Thread: loop.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "runtime/deadline.h"

namespace canary::runtime {

class SilentServers {
 public:
  // So long is a server that was silent asked after the others.
  static constexpr std::chrono::seconds kAskedLastFor{60};

  // `server` let a question pass that another one answered.
  void add(std::string const& server, Clock::time_point now) {
    until_.insert_or_assign(server, now + kAskedLastFor);
  }

  // The same servers, those that were silent a moment ago behind the others.
  std::vector<std::string> last(std::vector<std::string> servers, Clock::time_point now) const;

 private:
  std::map<std::string, Clock::time_point> until_;  // as many as resolv.conf ever named
};

}  // namespace canary::runtime
