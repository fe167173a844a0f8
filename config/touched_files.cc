// SPDX-License-Identifier: Apache-2.0
#include "config/touched_files.h"

#include <utility>

namespace canary::config {
namespace {

thread_local OnEachFile const* listener = nullptr;

}  // namespace

OnEachFile::OnEachFile(Told told)
    : told_(std::move(told)), before_(std::exchange(listener, this)) {}

OnEachFile::~OnEachFile() { listener = before_; }

void about_to_touch(std::filesystem::path const& file) {
  if (listener != nullptr) listener->told_(file);
}

}  // namespace canary::config
