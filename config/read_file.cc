// SPDX-License-Identifier: Apache-2.0
// Bounded reading of regular files.
// Thread: any but the loop's (blocks).
#include "config/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "config/descriptor.h"
#include "config/touched_files.h"

namespace canary::config {
namespace {

ReadError because(std::filesystem::path const& path, int error) {
  return {"can't read " + path.string() + ": " + std::generic_category().message(error)};
}

Result<Descriptor, ReadError> open_regular(std::filesystem::path const& path) {
  about_to_touch(path);
  // O_NONBLOCK: opening a FIFO without a writer would wait for one.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return because(path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return because(path, errno);
  if (S_ISDIR(status.st_mode)) return because(path, EISDIR);
  if (!S_ISREG(status.st_mode)) {
    return ReadError{"can't read " + path.string() + ": not a regular file"};
  }
  return file;
}

}  // namespace

Result<std::string, ReadError> read_file(std::filesystem::path const& path, std::size_t limit) {
  BOOST_OUTCOME_TRY(auto const file, open_regular(path));
  std::string bytes;
  char buffer[64 * 1024];
  for (;;) {
    auto const count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return because(path, errno);
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(count));
    if (bytes.size() > limit) {
      return ReadError{path.string() + " is longer than " + std::to_string(limit) + " bytes"};
    }
  }
}

std::optional<std::string> why_unreadable(std::filesystem::path const& path) {
  auto const file = open_regular(path);
  if (file) return std::nullopt;
  return file.error().text;
}

}  // namespace canary::config
