// SPDX-License-Identifier: Apache-2.0
#include "config/touched_files.h"

#include <utility>

namespace canary::config {
namespace {

thread_local OnEachFile const* listener = nullptr;

}  // namespace

OnEachFile::OnEachFile(OnFile on_file, OnProgress on_progress)
    : on_file_(std::move(on_file)),
      on_progress_(std::move(on_progress)),
      before_(std::exchange(listener, this)) {}

OnEachFile::~OnEachFile() { listener = before_; }

void about_to_touch(std::filesystem::path const& file) {
  if (listener != nullptr) listener->on_file_(file);
}

void reading_goes_on() {
  if (listener != nullptr && listener->on_progress_) listener->on_progress_();
}

}  // namespace canary::config
