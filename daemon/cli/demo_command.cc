// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "daemon/app/run_daemon.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/output.h"
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

// Leaves the repositories in `folder` for whoever wants to serve, break and mend them.
int sign_into(std::string const& folder) {
  auto const now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  auto const repositories = sign_demo_repositories(now);
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  auto const written = write_demo_repositories(folder, repositories);
  if (!written) {
    std::fprintf(stderr, "canaryd demo: %s\n", written.error().c_str());
    return kExitFailure;
  }
  for (auto const& each : repositories) {
    put(each.name + ": " + (served_directory(folder) / each.name).string() + ", root " +
        pinned_root(folder, each.name).string() + "\n");
  }
  return kExitClean;
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
  auto const sign = std::make_shared<std::string>();
  command->add_option("--sign", *sign,
                      "Only sign the repositories into this folder, and say where they are");
  command->callback([address, serve, sign, &chosen] {
    chosen = [address, serve, sign] {
      if (!sign->empty()) return sign_into(*sign);
      return serve->empty() ? run_demo(*address) : serve_demo(*serve);
    };
  });
}

}  // namespace canary::daemon
