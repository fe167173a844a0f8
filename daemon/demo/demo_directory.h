// SPDX-License-Identifier: Apache-2.0
// A private temporary directory (mode 0700) that is gone with its owner.
// Thread: none; blocks on files.
#pragma once

#include <filesystem>
#include <string>

#include "config/result.h"

namespace canary::daemon {

class DemoDirectory {
 public:
  // Below TMPDIR, or /tmp where that is not set. The error says where and why.
  static Result<DemoDirectory, std::string> create();
  DemoDirectory(DemoDirectory&& other) noexcept;
  DemoDirectory& operator=(DemoDirectory&& other) noexcept;
  ~DemoDirectory();  // removes it with all that is in it

  std::filesystem::path const& path() const { return path_; }

 private:
  explicit DemoDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  void remove() noexcept;

  std::filesystem::path path_;  // empty once moved from
};

}  // namespace canary::daemon
