// SPDX-License-Identifier: Apache-2.0
// A secret: where it stands, and what it was when it was read.
// Thread: any but the loop's for read_secret() (blocks).
#pragma once

#include <filesystem>
#include <string>

#include "config/read_file.h"
#include "config/result.h"

namespace canary::config {

// From a file, which is read again when it changes, or from the environment. Its value is sent
// where it belongs and shown nowhere.
struct Secret {
  std::string value;
  std::filesystem::path file = {};  // empty: from the environment
  std::string variable = {};        // of the environment; empty: from a file
  friend bool operator==(Secret const&, Secret const&) = default;
};

// What `file` holds, without the line ends behind it. Errors are sentences that hold nothing of it:
// it cannot be read, is empty, or cannot be a header's value.
Result<std::string, ReadError> read_secret(std::filesystem::path const& file);

// What is wrong with a secret's value, without repeating it; empty where it can be sent.
std::string check_secret(std::string const& value);

}  // namespace canary::config
