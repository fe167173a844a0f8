// SPDX-License-Identifier: Apache-2.0
// Which file is about to be looked at: for who waits while a configuration is read, and has to say
// on what it stands.
// Thread: each for itself.
#pragma once

#include <filesystem>
#include <functional>

namespace canary::config {

// While it lives, `told` is called on this thread before a file is opened or looked at.
class OnEachFile {
 public:
  using Told = std::function<void(std::filesystem::path const& file)>;
  explicit OnEachFile(Told told);
  ~OnEachFile();
  OnEachFile(OnEachFile const&) = delete;
  OnEachFile& operator=(OnEachFile const&) = delete;

 private:
  Told told_;
  OnEachFile const* before_;
  friend void about_to_touch(std::filesystem::path const&);
};

void about_to_touch(std::filesystem::path const& file);

}  // namespace canary::config
