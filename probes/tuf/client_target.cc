// SPDX-License-Identifier: Apache-2.0
// Files of targets.
// Thread: disk worker.
#include "probes/tuf/client_target.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "probes/tuf/role_name.h"
#include "probes/tuf/target_file.h"

namespace canary::tuf {
namespace {

// '=' is percent-encoded in the name of every target.
constexpr std::string_view kTemporary = "=part.";
constexpr std::size_t kReadBytes = std::size_t{1} << 20U;

// The process whose temporary file this is, in its name, is gone.
bool is_leftover(std::string_view name) {
  if (!name.starts_with(kTemporary)) return false;
  name.remove_prefix(kTemporary.size());
  pid_t process = 0;
  std::from_chars(name.data(), name.data() + name.size(), process);
  return process <= 0 || (::kill(process, 0) != 0 && errno == ESRCH);
}

void sweep(std::filesystem::path const& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at{folder, error}, end; !error && at != end;
       at.increment(error)) {
    if (is_leftover(at->path().filename().string())) ::unlink(at->path().c_str());
  }
}

}  // namespace

std::filesystem::path target_file_name(std::filesystem::path const& folder, std::string_view path) {
  return folder / quote_role(path);
}

bool is_same_target(std::filesystem::path const& file, std::string_view path,
                    TargetFile const& listed) {
  int const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  TargetDigest digest{std::string(path), listed};
  struct stat status{};
  bool same = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
              static_cast<std::uint64_t>(status.st_size) == listed.length;
  std::vector<char> buffer(same ? kReadBytes : 0);
  while (same) {
    ssize_t const count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count == 0) break;
    same = count > 0 && digest.update({buffer.data(), static_cast<std::size_t>(count)}).has_value();
  }
  ::close(descriptor);
  return same && digest.finish().has_value();
}

StoreResult<std::shared_ptr<TargetWriter>> TargetWriter::open(std::filesystem::path const& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return StoreFault{folder, "create", error.value()};
  sweep(folder);
  std::string pattern = (folder / kTemporary).string() + std::to_string(::getpid()) + ".XXXXXX";
  int const descriptor = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor < 0) return StoreFault{folder, "write into", errno};
  ::fchmod(descriptor, 0644);
  return std::shared_ptr<TargetWriter>(new TargetWriter(pattern, descriptor));
}

TargetWriter::~TargetWriter() {
  ::close(descriptor_);
  if (!published_) ::unlink(temporary_.c_str());
}

bool TargetWriter::take(std::string_view piece) {
  while (!piece.empty()) {
    ssize_t const written = ::write(descriptor_, piece.data(), piece.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      fault_ = StoreFault{temporary_, "write", errno};
      return false;
    }
    piece.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void TargetWriter::restart() {
  fault_.reset();
  if (::ftruncate(descriptor_, 0) != 0 || ::lseek(descriptor_, 0, SEEK_SET) != 0) {
    fault_ = StoreFault{temporary_, "empty", errno};
  }
}

StoreResult<void> TargetWriter::publish(std::filesystem::path const& file) {
  if (fault_) return *fault_;
  published_ = true;  // or removed
  return publish_file(descriptor_, temporary_, file);
}

}  // namespace canary::tuf
