// SPDX-License-Identifier: Apache-2.0
// A file on a disk that does not answer: whoever opens it stays there, until it is let go. It is a
// named pipe that nobody writes to, so that it needs neither root nor a file system of its own.
// Thread: any.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

namespace canary::support {

class FrozenFile {
 public:
  FrozenFile() : FrozenFile(folder_of_our_own()) {}
  // In place of what was at `path`.
  static FrozenFile at(std::filesystem::path path) { return FrozenFile{std::move(path), {}}; }
  ~FrozenFile() {
    let_go();
    ::close(writer_);
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  FrozenFile(FrozenFile const&) = delete;
  FrozenFile& operator=(FrozenFile const&) = delete;

  std::filesystem::path const& path() const { return path_; }
  // Whoever is in open(2) returns, and so does whoever comes later.
  void let_go() {
    if (writer_ < 0) writer_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  }

 private:
  explicit FrozenFile(std::filesystem::path folder) : FrozenFile(folder / "file", folder) {}
  FrozenFile(std::filesystem::path path, std::filesystem::path folder)
      : folder_(std::move(folder)), path_(std::move(path)) {
    ::unlink(path_.c_str());
    ::mkfifo(path_.c_str(), 0600);
  }
  static std::filesystem::path folder_of_our_own() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "canary-frozen-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }

  std::filesystem::path folder_, path_;
  int writer_ = -1;
};

}  // namespace canary::support
