// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/start_anew.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string_view>

namespace canary::watchdog {

StartAnew::StartAnew() {
  std::ifstream file{"/proc/self/cmdline", std::ios::binary};
  command_line_.assign(std::istreambuf_iterator<char>{file}, {});
  for (std::size_t at = 0; at < command_line_.size(); at = command_line_.find('\0', at) + 1) {
    arguments_.push_back(command_line_.data() + at);
    if (command_line_.find('\0', at) == std::string::npos) break;
  }
  if (!arguments_.empty()) arguments_.push_back(nullptr);

  static char anew[] = "CANARYD_ANEW=1";
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    // What was handed to this process is closed, or announced anew.
    if (!std::string_view{*each}.starts_with("LISTEN_")) environment_.push_back(*each);
  }
  environment_.push_back(anew);
  // Room for what announce() adds: the watchdog has the address of the list.
  environment_.insert(environment_.end(), 1 + std::size(announced_), nullptr);
}

void StartAnew::announce(std::size_t listeners) {
  announced_[0] = "LISTEN_PID=" + std::to_string(::getpid());
  announced_[1] = "LISTEN_FDS=" + std::to_string(listeners);
  std::size_t at = environment_.size() - 1 - std::size(announced_);
  for (auto& each : announced_) environment_[at++] = each.data();
}

}  // namespace canary::watchdog
