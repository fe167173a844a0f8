// SPDX-License-Identifier: Apache-2.0
// A folder seen through a file system in user space that stops answering on command: whoever asks
// it for anything then waits uninterruptibly, as for a server of network files that is gone.
// Thread: the row's, which has mounts of its own; it serves on a thread of its own.
#pragma once

#include <filesystem>
#include <memory>

namespace canary::faults {

class FrozenFileSystem {
 public:
  // The folder `source` is seen at `where`, which is made where it is not there. Throws Unavailable
  // where nothing can be mounted.
  FrozenFileSystem(std::filesystem::path source, std::filesystem::path where);
  // What still waits gets an error.
  ~FrozenFileSystem();
  FrozenFileSystem(FrozenFileSystem const&) = delete;
  FrozenFileSystem& operator=(FrozenFileSystem const&) = delete;

  std::filesystem::path const& path() const;
  void freeze();
  // What waited is answered.
  void thaw();
  // Does anybody wait for it now?
  bool holds_somebody() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::faults
