// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/read/unread.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <system_error>
#include <vector>

#include "daemon/dump/read/redact.h"

namespace canary::dump {
namespace {

namespace fs = std::filesystem;

struct Raw {
  fs::file_time_type written;
  fs::path path;
};

std::vector<Raw> unread_in(std::string const& directory) {
  std::vector<Raw> found;
  std::error_code error;
  for (auto const& entry : fs::directory_iterator(directory, error)) {
    fs::path const& path = entry.path();
    if (path.extension() != ".raw" || path.filename().string().starts_with(".")) continue;
    std::error_code unknown;
    if (fs::exists(fs::path{path}.replace_extension(".json"), unknown)) continue;
    found.push_back({fs::last_write_time(path, unknown), path});
  }
  std::ranges::sort(found, {}, &Raw::written);
  return found;
}

// In place; its time stays, by which it is known as done.
bool forget_stacks_in(Raw const& raw) {
  std::fstream file{raw.path, std::ios::in | std::ios::out | std::ios::binary};
  std::vector<char> bytes{std::istreambuf_iterator<char>{file}, {}};
  std::vector<char> const before = bytes;
  forget_stacks(std::as_writable_bytes(std::span{bytes}));
  if (bytes == before) return false;
  file.clear();
  file.seekp(0);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code ignored;
  fs::last_write_time(raw.path, raw.written, ignored);
  return !file.fail();
}

}  // namespace

UnreadOutcome bound_unread_dumps(std::string const& directory, UnreadLimits limits) {
  UnreadOutcome outcome;
  auto const found = unread_in(directory);
  std::size_t const over = found.size() > limits.keep ? found.size() - limits.keep : 0;
  auto const old = fs::file_time_type::clock::now() - limits.stacks_for;
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::error_code error;
    if (i < over) {
      fs::path text = found[i].path;
      fs::remove(text.replace_extension(".txt"), error);  // the emergency text
      if (fs::remove(found[i].path, error)) ++outcome.removed;
    } else if (found[i].written < old && forget_stacks_in(found[i])) {
      ++outcome.without_stacks;
    }
  }
  return outcome;
}

}  // namespace canary::dump
