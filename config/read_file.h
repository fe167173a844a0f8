// SPDX-License-Identifier: Apache-2.0
// Reads small regular files whole, with a limit.
// Thread: any but the loop's (blocks).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "config/result.h"

namespace canary::config {

struct ReadError {
  std::string text;
};

// The bytes of `path`. Errors are sentences: "can't read X: Permission denied". Anything but a
// regular file is refused, so a FIFO can't hang the start.
Result<std::string, ReadError> read_file(std::filesystem::path const& path, std::size_t limit);

// Why the regular file `path` can't be opened for reading; nothing when it can.
std::optional<std::string> why_unreadable(std::filesystem::path const& path);

}  // namespace canary::config
