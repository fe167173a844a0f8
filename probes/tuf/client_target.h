// SPDX-License-Identifier: Apache-2.0
// A target on its way to a file: written beside the hashing, visible only once it is verified.
// Thread: named at each.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "probes/fetch/body_sink.h"
#include "probes/tuf/metadata.h"
#include "probes/tuf/store.h"

namespace canary::tuf {

// "folder/dir%2Ffile": one file per target, never outside of the folder.
std::filesystem::path target_file_name(std::filesystem::path const& folder, std::string_view path);

// Is the file there with exactly the listed length and hashes? Blocks: for the disk worker.
bool is_same_target(std::filesystem::path const& file, std::string_view path,
                    TargetFile const& listed);

// Writes a body to a temporary file that nobody mistakes for a target; its destructor removes it.
// Thread: one at a time; every call blocks: for the disk worker.
class TargetWriter final : public fetch::BodyConsumer {
 public:
  // Also makes `folder`, and removes what earlier processes left there half written.
  static StoreResult<std::shared_ptr<TargetWriter>> open(std::filesystem::path const& folder);
  ~TargetWriter() override;

  bool take(std::string_view piece) override;
  void restart() override;
  // Makes what was written appear as `file`, on disk for good.
  StoreResult<void> publish(std::filesystem::path const& file);
  // Why take() wanted no more.
  std::optional<StoreFault> const& fault() const { return fault_; }

 private:
  TargetWriter(std::filesystem::path temporary, int descriptor)
      : temporary_(std::move(temporary)), descriptor_(descriptor) {}
  std::filesystem::path temporary_;
  int descriptor_;
  bool published_ = false;
  std::optional<StoreFault> fault_;
};

}  // namespace canary::tuf
