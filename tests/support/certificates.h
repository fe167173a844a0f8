// SPDX-License-Identifier: Apache-2.0
// A certificate authority for one test, made when it runs.
// Thread: any (one at a time).
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace canary::support {

// PEM files in a folder of the test's.
struct Credentials {
  std::filesystem::path certificate;  // with its chain
  std::filesystem::path key;
};

class CertificateAuthority {
 public:
  struct Wanted {
    std::string file_name = "server";         // <folder>/<file_name>.pem and .key
    std::vector<std::string> names = {};      // DNS names
    std::vector<std::string> addresses = {};  // IP addresses
    std::chrono::seconds begins{-3'600};      // from now
    std::chrono::seconds ends{30 * 86'400};
  };

  // Writes its certificate to <folder>/<name>.pem. Throws when something fails.
  CertificateAuthority(std::filesystem::path folder, std::string name);
  ~CertificateAuthority();

  Credentials issue(Wanted const& wanted) const;
  std::filesystem::path certificate() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::support
