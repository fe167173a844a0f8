// SPDX-License-Identifier: Apache-2.0
// A file's text, for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace canary::support {

// All of the file that can be read: nothing of one that is missing, and of a file of /proc what
// there was before its process ended. (A stream's iterator would throw at a failed read; operator<<
// ends there.)
inline std::string read_file(std::filesystem::path const& file) {
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  return text.str();
}

}  // namespace canary::support
