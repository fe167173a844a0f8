// SPDX-License-Identifier: Apache-2.0
// Files on disk as maps, for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/read_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {

using support::read_file;
using support::TemporaryFolder;

// Every file below `folder`, by its path from there.
inline Files read_folder(std::filesystem::path const& folder) {
  Files files;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files.emplace(std::filesystem::relative(entry.path(), folder).string(),
                  read_file(entry.path()));
  }
  return files;
}

inline void write_folder(std::filesystem::path const& folder, Files const& files) {
  for (auto const& [name, content] : files) {
    std::filesystem::path const file = folder / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }
}

}  // namespace canary::tuf
