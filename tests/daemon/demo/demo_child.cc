// SPDX-License-Identifier: Apache-2.0
// `demo_child --serve ROOT` is the demo's server; `demo_child --hold ROOT` starts one, prints its
// port and waits to be killed.
// Thread: main.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "daemon/demo/demo_server.h"

int main(int argc, char** argv) {
  using canary::daemon::DemoServer;
  std::string_view const mode = argc == 3 ? argv[1] : "";
  if (mode == "--serve") return canary::daemon::serve_demo(argv[2]);
  if (mode != "--hold") return 2;
  auto const server = DemoServer::start({.arguments = {"demo_child", "--serve"}}, argv[2]);
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().c_str());
    return 1;
  }
  std::printf("%u %d\n", server.value().ports().serving, static_cast<int>(::getpid()));
  std::fflush(stdout);
  while (true) ::pause();
}
