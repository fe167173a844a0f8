// SPDX-License-Identifier: Apache-2.0
// A disk that stops answering under another program, and answers again: by a library that is
// preloaded into it (frozen_disk_preload.cc), so that it needs neither root nor a file system.
// Thread: the test's.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"

namespace canary::support {

class FrozenDisk {
 public:
  // `folder`: for its own files, which never freeze.
  explicit FrozenDisk(std::filesystem::path const& folder) : control_(folder / "frozen-disk") {}

  // For the program that is to have the disk.
  std::vector<std::string> environment() const {
    return {std::string{"LD_PRELOAD="} + FROZEN_DISK_PRELOAD, "FROZEN_DISK=" + control_.string()};
  }
  // `command` in that environment.
  std::vector<std::string> around(std::vector<std::string> const& command) const {
    std::vector<std::string> words{"/usr/bin/env"};
    for (auto const& each : environment()) words.push_back(each);
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }

  // Everything whose path begins so, and nothing else, from now on.
  void freeze(std::filesystem::path const& path) const {
    auto const aside = control_.string() + ".new";  // it is never seen half
    std::ofstream{aside} << path.string() << "\n";
    std::filesystem::rename(aside, control_);
  }
  void thaw() const { std::filesystem::remove(control_); }
  // Waits until somebody stands still there.
  bool holds_somebody() const {
    return eventually([this] { return std::filesystem::exists(control_.string() + ".began"); });
  }

 private:
  std::filesystem::path control_;
};

}  // namespace canary::support
