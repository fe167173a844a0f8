// SPDX-License-Identifier: Apache-2.0
// What the program is started anew with in place of this process: its own arguments, and the
// environment with a word for the new one (CANARYD_ANEW).
// Thread: control makes it; the watchdog's reads it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace canary::watchdog {

class StartAnew {
 public:
  StartAnew();
  StartAnew(StartAnew const&) = delete;
  StartAnew& operator=(StartAnew const&) = delete;

  // As execve wants them; no arguments: null, they are not known.
  char** arguments() { return arguments_.empty() ? nullptr : arguments_.data(); }
  char** environment() { return environment_.data(); }

  // So many listening sockets are handed on to it (sd_listen_fds(3)). Once, before anybody may end
  // the process.
  void announce(std::size_t listeners);

 private:
  std::string command_line_, announced_[2];
  std::vector<char*> arguments_, environment_;
};

}  // namespace canary::watchdog
