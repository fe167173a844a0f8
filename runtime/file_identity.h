// SPDX-License-Identifier: Apache-2.0
// What tells whether a file has changed since it was read.
// Thread: any but the loop's (looks at files).
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>

namespace canary::runtime {

inline constexpr char kMissing[] = "missing;";

// Never empty; kMissing where there is no such file.
inline std::string identity_of(std::filesystem::path const& path) {
  struct ::stat status{};
  if (::stat(path.c_str(), &status) != 0) return kMissing;
  return std::to_string(status.st_dev) + "," + std::to_string(status.st_ino) + "," +
         std::to_string(status.st_size) + "," + std::to_string(status.st_mtim.tv_sec) + "," +
         std::to_string(status.st_mtim.tv_nsec) + ";";
}

}  // namespace canary::runtime
