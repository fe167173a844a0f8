// SPDX-License-Identifier: Apache-2.0
// Debian's nginx over a folder, by HTTP and by TLS, on free ports of 127.0.0.1.
// Thread: the test's main thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "tests/support/certificates.h"
#include "tests/support/child_process.h"

namespace canary::support {

class Nginx {
 public:
  static bool installed() { return std::filesystem::exists("/usr/sbin/nginx"); }

  // Serves `folder`/root, and keeps its own files in `folder`. `directives` stand in the server's
  // block. Waits until it listens; throws where it does not.
  Nginx(std::filesystem::path folder, Credentials const& tls, std::string const& directives = {});

  std::uint16_t port() const { return port_; }
  std::uint16_t tls_port() const { return tls_port_; }
  std::string url(std::string const& path) const;      // http
  std::string tls_url(std::string const& path) const;  // https

 private:
  std::filesystem::path folder_;
  std::uint16_t port_, tls_port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace canary::support
