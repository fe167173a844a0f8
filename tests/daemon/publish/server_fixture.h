// SPDX-License-Identifier: Apache-2.0
// canaryd's own HTTP server over real sockets, with one probe.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/publish/server.h"
#include "probes/tuf/declaration.h"
#include "tests/daemon/publish/plain_client.h"

namespace canary::daemon {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

using tests::Client;

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    store_.configure({{.name = "demo",
                       .repository = "repo",
                       .kind = &tuf::kDeclaration,
                       .enabled = true,
                       .interval = 60s,
                       .timeout = 30s}});
    settings_.listen_addresses = {"127.0.0.1:0"};
  }
  Sources sources() {
    return {.store = store_,
            .healthy = [this] { return dead_ ? Health{false, "the loop hangs"} : Health{}; },
            .live = [this] { return gone_ ? Health{false, "loop hung for 12 s: lock"} : Health{}; },
            .log_lines_dropped = [] { return std::uint64_t{0}; },
            .wall_clock = [] { return SysTime{1'790'000'000s}; }};
  }
  Server& start() {
    auto started = Server::start(settings_, sources());
    EXPECT_TRUE(started) << (started ? "" : started.error());
    server_ = std::move(started).value();
    return *server_;
  }
  std::string address(std::size_t i = 0) { return server_->addresses().at(i); }

  Sources with_reloads() {
    auto all = sources();
    all.reloads = &reloads_;
    return all;
  }
  std::atomic<bool> dead_{false}, gone_{false};
  std::atomic<int> reloads_wanted_{0};
  Reloads reloads_{[this] {
    ++reloads_wanted_;
    reloads_wanted_.notify_one();
  }};
  ResultStore store_{
      DaemonFacts{.version = "", .revision = "", .started = SysTime{1'790'000'000s}}};
  config::WebSettings settings_;
  std::unique_ptr<Server> server_;
};

}  // namespace canary::daemon
