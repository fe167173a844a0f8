// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper/held_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <sstream>

namespace canary::dump {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// "start-end perms offset device inode path" -> the path and the inode of mapped code.
struct Mapping {
  std::string path;
  std::uint64_t inode = 0;
};

Mapping mapped_code(std::string const& line) {
  std::istringstream fields{line};
  std::string range, permissions, offset, device;
  Mapping mapping;
  fields >> range >> permissions >> offset >> device >> mapping.inode >> std::ws;
  std::getline(fields, mapping.path);
  bool const code = permissions.size() >= 3 && permissions[2] == 'x';
  if (!code || !mapping.path.starts_with('/')) mapping.path.clear();
  return mapping;
}

}  // namespace

HeldFiles::~HeldFiles() { release(); }

void HeldFiles::release() {
  for (auto const& [path, file] : files_) ::close(file);
  files_.clear();
}

void HeldFiles::hold(std::int32_t process) {
  if (process != process_) release();
  process_ = process;
  std::ifstream maps{"/proc/" + std::to_string(process) + "/maps"};
  for (std::string line; std::getline(maps, line);) {
    auto const [path, inode] = mapped_code(line);
    if (path.empty() || files_.contains(path)) continue;
    int const file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct ::stat status{};
    if (file >= 0 && ::fstat(file, &status) == 0 && status.st_ino == inode) {
      files_.emplace(path, file);
    } else if (file >= 0) {
      ::close(file);  // replaced already
    }
  }
}

int HeldFiles::open(std::string_view name) const {
  if (name.ends_with(kDeleted)) name.remove_suffix(kDeleted.size());
  auto const found = files_.find(name);
  return found == files_.end() ? -1 : ::fcntl(found->second, F_DUPFD_CLOEXEC, 0);
}

}  // namespace canary::dump
