// SPDX-License-Identifier: Apache-2.0
// A client under test with all it needs: a running loop, workers, a hostile server, a folder.
// Thread: the test's.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "probes/fetch/client.h"
#include "tests/runtime/running_loop.h"
#include "tests/support/hostile_server.h"

namespace canary::fetch {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "canary-http-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(TempFolder const&) = delete;
  TempFolder& operator=(TempFolder const&) = delete;
  std::filesystem::path const& path() const { return path_; }
  std::filesystem::path write(std::string const& name, std::string const& text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

// Every deadline is far away unless a test brings one near; retries are quick.
inline config::HttpSettings patient_settings() {
  config::HttpSettings settings;
  settings.resolve_timeout = settings.connect_timeout = settings.tls_timeout =
      settings.first_byte_timeout = settings.idle_timeout = std::chrono::seconds{30};
  settings.min_rate = 0;
  settings.max_attempts = 1;
  settings.backoff_first = std::chrono::milliseconds{1};
  settings.proxy_from_environment = false;
  return settings;
}

class ClientTest : public ::testing::Test {
 protected:
  config::Url url(std::string const& text) { return config::Url::parse(text).value(); }

  // One client per call, as one per run.
  Result<Response> get(std::string const& text, std::uint64_t max_bytes = 1 << 20) {
    return get(Request{url(text), max_bytes});
  }
  Result<Response> get(Request request) {
    auto const client = make_client();
    return get_with(*client, std::move(request));
  }
  Result<Response> get_with(Client& client, std::string const& text) {
    return get_with(client, Request{url(text), 1 << 20});
  }
  Result<Response> get_with(Client& client, Request request) {
    return running_.block_on(client.get(std::move(request), deadline_, {}));
  }

  // Used and destroyed on the test's thread while the loop has nothing of it to do.
  std::shared_ptr<Client> make_client() {
    return {new Client{running_.executor(), settings_, services_}, [this](Client* client) {
              auto const destroy = [](Client* one) -> runtime::Task<void> {
                delete one;
                co_return;
              };
              running_.block_on(destroy(client));
            }};
  }

  std::filesystem::path const& folder() const { return folder_.path(); }

  TempFolder folder_;
  config::HttpSettings settings_ = patient_settings();
  runtime::Deadline deadline_ = runtime::Deadline::after(std::chrono::seconds{50});
  runtime::RunningLoop running_;
  runtime::Workers cpu_{"cpu", 2};
  runtime::FileThreads files_;
  Services services_{cpu_, files_};
  support::HostileServer server_;
};

}  // namespace canary::fetch
