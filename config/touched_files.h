// SPDX-License-Identifier: Apache-2.0
// Which file is about to be looked at: for who waits while a configuration is read, and has to say
// on what it stands.
// Thread: each for itself.
#pragma once

#include <filesystem>
#include <functional>

namespace canary::config {

// While it lives, `on_file` is called on this thread before a file is opened or looked at.
class OnEachFile {
 public:
  using OnFile = std::function<void(std::filesystem::path const& file)>;
  explicit OnEachFile(OnFile on_file);
  ~OnEachFile();
  OnEachFile(OnEachFile const&) = delete;
  OnEachFile& operator=(OnEachFile const&) = delete;

 private:
  OnFile on_file_;
  OnEachFile const* before_;
  friend void about_to_touch(std::filesystem::path const&);
};

void about_to_touch(std::filesystem::path const& file);

}  // namespace canary::config
