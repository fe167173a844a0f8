// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/start_anew.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

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
    environment_.push_back(*each);
  }
  environment_.push_back(anew);
  environment_.push_back(nullptr);
}

}  // namespace canary::watchdog
