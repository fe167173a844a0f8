// SPDX-License-Identifier: Apache-2.0
// Who is served how, as --web.config.file and the files that it names said when they were read.
// Thread: any (a value that nobody changes); read_web_access() blocks on files.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "config/problem.h"
#include "config/result.h"
#include "config/web_file.h"
#include "daemon/publish/tls_server.h"

namespace canary::daemon {

struct WebAccess {
  std::shared_ptr<TlsServer const> tls = {};      // null: plain HTTP
  std::vector<config::WebHeader> headers = {};    // over those that canaryd sends
  std::vector<config::WebUser> users = {};        // empty: no password is asked for
  std::vector<std::filesystem::path> files = {};  // that it was made of
  std::string identity = {};                      // of those, as they were read

  // May an answer go out without TLS, or to whoever asks?
  bool is_open() const { return tls == nullptr && users.empty(); }
};
using WebAccessPointer = std::shared_ptr<WebAccess const>;

Result<WebAccessPointer, std::vector<config::Problem>> read_web_access(
    std::filesystem::path const& file);

// What `identity` would be now.
std::string identity_now(WebAccess const& access);

}  // namespace canary::daemon
