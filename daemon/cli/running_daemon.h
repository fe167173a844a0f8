// SPDX-License-Identifier: Apache-2.0
// How a command finds the canaryd that runs on this machine, and asks it.
// Thread: main.
#pragma once

#include <optional>
#include <string>

#include "daemon/app/places.h"

namespace CLI {
class App;
}

namespace canary::daemon {

// Flags that dump, status and history share.
struct DaemonFlags {
  std::string config = "/etc/canaryd/canaryd.yml";
  std::string state_directory;  // over the configuration's
};
void add_daemon_flags(CLI::App& command, DaemonFlags& flags);

// Of the daemon that these flags mean: RUNTIME_DIRECTORY or /run/canaryd where its socket is there,
// else below the state directory.
Places find_places(DaemonFlags const& flags);

struct PrivateAnswer {
  int status = 0;  // 0: nobody answered, `body` says why
  std::string body;
};
// GET `path` over the private socket; waits ten seconds at most.
PrivateAnswer ask_daemon(Places const& places, std::string const& path);

}  // namespace canary::daemon
