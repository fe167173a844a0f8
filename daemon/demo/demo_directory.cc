// SPDX-License-Identifier: Apache-2.0
// Makes and removes the demo's directory.
// Thread: none.
#include "daemon/demo/demo_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace canary::daemon {

Result<DemoDirectory, std::string> DemoDirectory::create() {
  char const* const given = std::getenv("TMPDIR");
  std::filesystem::path const parent = given != nullptr && *given != '\0' ? given : "/tmp";
  std::string pattern = (parent / "canaryd-demo.XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return "cannot create a directory below " + parent.string() + ": " + std::strerror(errno);
  }
  return DemoDirectory(std::filesystem::path(pattern));
}

DemoDirectory::DemoDirectory(DemoDirectory&& other) noexcept
    : path_(std::exchange(other.path_, std::filesystem::path())) {}

DemoDirectory& DemoDirectory::operator=(DemoDirectory&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::exchange(other.path_, std::filesystem::path());
  }
  return *this;
}

DemoDirectory::~DemoDirectory() { remove(); }

void DemoDirectory::remove() noexcept {
  if (path_.empty()) return;
  std::error_code ignored;  // a leftover below /tmp is no reason to fail at the end
  std::filesystem::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace canary::daemon
