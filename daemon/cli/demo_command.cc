// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "daemon/app/run_daemon.h"
#include "daemon/cli/commands.h"
#include "daemon/demo/demo.h"

namespace canary::daemon {
namespace {

int run_demo(std::string const& wanted) {
  auto const signals = block_daemon_signals();
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto started = Demo::start(now);
  if (!started) {
    std::fprintf(stderr, "canaryd demo: %s\n", started.error().c_str());
    return kExitFailure;
  }
  Demo const demo = std::move(started).value();
  auto const config = demo.config(free_listen_address(wanted));
  return run_daemon({.load = [config] { return LoadedConfig{config}; },
                     .config_file = "",
                     .started =
                         [&demo](std::vector<std::string> const& addresses) {
                           std::fputs(demo.banner(addresses).c_str(), stdout);
                           std::fflush(stdout);
                         }},
                    signals);
}

}  // namespace

void add_demo_command(CLI::App& app, Action& chosen) {
  auto* const command = app.add_subcommand(
      "demo", "Signs a few small repositories, serves them on loopback and monitors them");
  auto const address = std::make_shared<std::string>(kDemoListenAddress);
  auto const serve = std::make_shared<std::string>();
  command
      ->add_option("--web.listen-address", *address,
                   "Where metrics are served; another port where this one is taken")
      ->capture_default_str();
  command->add_option("--serve", *serve)->group("");  // what the demo's child is started with
  command->callback([address, serve, &chosen] {
    chosen = [address, serve] { return serve->empty() ? run_demo(*address) : serve_demo(*serve); };
  });
}

}  // namespace canary::daemon
