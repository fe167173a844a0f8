// SPDX-License-Identifier: Apache-2.0
// `canaryd demo`: everything to watch in one value, as a configuration like any other.
// Thread: main, before the loop starts and after it has ended; blocks on files and the child.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/result.h"
#include "daemon/demo/demo_directory.h"
#include "daemon/demo/demo_repositories.h"
#include "daemon/demo/demo_server.h"

namespace canary::daemon {

inline constexpr std::string_view kDemoListenAddress = "127.0.0.1:9732";

class Demo {
 public:
  // Signs the repositories, writes them into a private directory and starts their server.
  // The directory and the child are gone with the Demo. `now` is what the clock says.
  static Result<Demo, std::string> start(tuf::Time now, DemoCommand const& server = {});

  std::filesystem::path const& directory() const { return directory_.path(); }
  std::vector<DemoRepository> const& repositories() const { return repositories_; }
  DemoPorts ports() const { return server_.ports(); }

  // A probe each and one of the key, every 10 s with short timeouts; state below directory(); no
  // proxy.
  config::Config config(std::string listen_address) const;
  // Tells a person where to look. `addresses` are those that canaryd listens on, "host:port".
  std::string banner(std::vector<std::string> const& addresses) const;

 private:
  Demo(DemoDirectory directory, std::vector<DemoRepository> repositories, DemoServer server)
      : directory_(std::move(directory)),
        repositories_(std::move(repositories)),
        server_(std::move(server)) {}

  DemoDirectory directory_;  // outlives the server, which reads it
  std::vector<DemoRepository> repositories_;
  DemoServer server_;
};

// `wanted`, an IPv4 "host:port", where that can be listened on now; else the same host with port 0,
// any free one. What is free now may be taken when it is used.
std::string free_listen_address(std::string_view wanted);

// The parts, as plain functions of values.
config::Config demo_config(std::vector<DemoRepository> const& repositories, DemoPorts ports,
                           std::filesystem::path const& directory);
std::string demo_banner(std::vector<DemoRepository> const& repositories,
                        std::filesystem::path const& directory,
                        std::vector<std::string> const& addresses);

}  // namespace canary::daemon
