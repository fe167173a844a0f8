// SPDX-License-Identifier: Apache-2.0
// Which file is about to be looked at, and that the reading goes on: for who waits while a
// configuration is read, and has to say on what it stands.
// Thread: each for itself.
#pragma once

#include <filesystem>
#include <functional>

namespace canary::config {

// While it lives, `on_file` is called on this thread before a file is opened or looked at, and
// `on_progress` again and again while a long one is gone through.
class OnEachFile {
 public:
  using OnFile = std::function<void(std::filesystem::path const& file)>;
  using OnProgress = std::function<void()>;
  explicit OnEachFile(OnFile on_file, OnProgress on_progress = {});
  ~OnEachFile();
  OnEachFile(OnEachFile const&) = delete;
  OnEachFile& operator=(OnEachFile const&) = delete;

 private:
  OnFile on_file_;
  OnProgress on_progress_;
  OnEachFile const* before_;
  friend void about_to_touch(std::filesystem::path const&);
  friend void reading_goes_on();
};

void about_to_touch(std::filesystem::path const& file);
void reading_goes_on();

}  // namespace canary::config
