// SPDX-License-Identifier: Apache-2.0
// What the preloaded library of power_cut.h notes down before each change under a folder: enough to
// take the change back. One file, records one after another, each followed by its names and bytes.
#pragma once

#include <cstdint>

namespace canary::support {

enum class Change : std::uint32_t {
  content,       // of `inode`, `length` bytes at `offset`: what stood there; it was `size` long
  cut,           // of `inode`: likewise, where the file ends at `offset` from then on
  content_kept,  // `inode` was synced: of the records before `offset` its content stays
  created,       // `path`: a file or a folder
  removed,       // `path` named `inode`
  renamed,       // `path` became `other`, which named `inode` before (0: nothing)
  names_kept     // the folder `path` was synced: of the records before `offset` its names stay
};

struct ChangeHeader {
  Change change{};
  std::uint32_t path_length = 0;
  std::uint32_t other_length = 0;
  std::uint32_t bytes_length = 0;
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint64_t size = 0;
};

// In the environment of the program.
inline constexpr char kPowerFolder[] = "POWER_CUT_FOLDER";  // what is watched
inline constexpr char kPowerAside[] = "POWER_CUT_ASIDE";  // `journal`, and each inode by its number
inline constexpr char kPowerNoSync[] = "POWER_CUT_WITHOUT_SYNC";  // set: syncs count for nothing

}  // namespace canary::support
