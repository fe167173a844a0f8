// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/store_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "config/descriptor.h"
#include "runtime/file_identity.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kPartial = ".part";
constexpr std::string_view kLeftover = ".json.part";

StoreFault fault(std::filesystem::path path, std::string doing, int error = errno) {
  return {std::move(path), std::move(doing), error};
}

StoreResult<void> write_all(int descriptor, std::filesystem::path const& path,
                            std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t const written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fault(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return outcome::success();
}

StoreResult<std::string> read_up_to(int descriptor, std::filesystem::path const& path,
                                    std::size_t limit) {
  std::string bytes;
  std::vector<char> buffer(std::size_t{64} << 10U);
  while (true) {
    ssize_t const count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fault(path, "read");
    if (count == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(count) > limit) return fault(path, "read", EFBIG);
    bytes.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

// The temporary file is gone where that fails.
StoreResult<void> sync_temporary(int descriptor, std::filesystem::path const& temporary) {
  if (::fsync(descriptor) == 0) return outcome::success();
  StoreFault why = fault(temporary, "sync");
  ::unlink(temporary.c_str());
  return why;
}

StoreResult<void> give_name(std::filesystem::path const& temporary,
                            std::filesystem::path const& path) {
  if (::rename(temporary.c_str(), path.c_str()) == 0) return outcome::success();
  StoreFault why = fault(path, "rename");
  ::unlink(temporary.c_str());
  return why;
}

// On the disk, but without its name `path`; gone where that fails.
StoreResult<void> write_temporary(std::filesystem::path const& temporary,
                                  std::filesystem::path const& path, std::string_view bytes) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  Descriptor const file{::open(temporary.c_str(), kFlags, 0644)};
  if (!file.open()) return fault(path, "write");
  StoreResult<void> written = write_all(file.get(), path, bytes);
  if (written) return sync_temporary(file.get(), temporary);
  ::unlink(temporary.c_str());
  return written;
}

// Half-written files of a process that ended in the middle. What can't be removed is in nobody's
// way until something is written, and says so then.
void sweep(std::filesystem::path const& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at{folder, error}, end; !error && at != end;
       at.increment(error)) {
    std::string const name = at->path().filename().string();
    if (std::string_view(name).ends_with(kLeftover)) ::unlink(at->path().c_str());
  }
}

}  // namespace

StoreResult<void> sync_folder(std::filesystem::path const& folder) {
  std::filesystem::path const named = folder.empty() ? std::filesystem::path(".") : folder;
  Descriptor const directory{::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.open()) return fault(named, "open");
  // Some file systems can't; what they can they have done.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return fault(named, "sync");
  return outcome::success();
}

StoreResult<void> make_folders(std::filesystem::path const& path) {
  if (::mkdir(path.c_str(), 0777) == 0) return sync_folder(path.parent_path());
  if (errno == EEXIST) return outcome::success();  // what it is will show
  if (errno != ENOENT || !path.has_parent_path()) return fault(path, "create");
  BOOST_OUTCOME_TRYV(make_folders(path.parent_path()));
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return fault(path, "create");
  return sync_folder(path.parent_path());
}

std::string sentence(StoreFault const& fault) {
  std::string text = "cannot " + fault.doing + " " + fault.path.string() + ": ";
  if (fault.doing == "lock" && fault.error == EWOULDBLOCK) {
    return text + "another process is using this folder";
  }
  return text + std::generic_category().message(fault.error);
}

std::filesystem::path temporary_name(std::filesystem::path const& path) {
  return path.string().append(kPartial);
}

StoreResult<std::optional<std::string>> read_whole_file(std::filesystem::path const& path,
                                                        std::size_t limit) {
  // Without waiting for a writer, should it be a pipe.
  Descriptor const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!file.open()) {
    if (errno == ENOENT) return std::optional<std::string>{};
    return fault(path, "open");
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fault(path, "examine");
  if (S_ISDIR(status.st_mode)) return fault(path, "read", EISDIR);
  if (!S_ISREG(status.st_mode)) return fault(path, "read", EINVAL);
  if (static_cast<std::uintmax_t>(status.st_size) > limit) return fault(path, "read", EFBIG);
  BOOST_OUTCOME_TRY(auto bytes, read_up_to(file.get(), path, limit));
  return std::optional<std::string>{std::move(bytes)};
}

StoreResult<void> publish_file(int descriptor, std::filesystem::path const& temporary,
                               std::filesystem::path const& path) {
  BOOST_OUTCOME_TRYV(sync_temporary(descriptor, temporary));
  BOOST_OUTCOME_TRYV(give_name(temporary, path));
  return sync_folder(path.parent_path());
}

StoreResult<void> replace_file(std::filesystem::path const& path, std::string_view bytes) {
  std::filesystem::path const temporary = temporary_name(path);
  BOOST_OUTCOME_TRYV(write_temporary(temporary, path, bytes));
  BOOST_OUTCOME_TRYV(give_name(temporary, path));
  return sync_folder(path.parent_path());
}

StoreFolder::StoreFolder(std::filesystem::path path, int lock)
    : path_(std::move(path)), lock_(lock) {}

StoreFolder::~StoreFolder() { ::close(lock_); }

StoreResult<std::shared_ptr<StoreFolder>> StoreFolder::open(std::filesystem::path const& path) {
  BOOST_OUTCOME_TRYV(make_folders(path));
  int const descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return fault(path, "open");
  std::shared_ptr<StoreFolder> folder{new StoreFolder{path, descriptor}};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return fault(path, "lock");
  sweep(path);
  return folder;
}

StoreResult<std::optional<std::string>> StoreFolder::read(std::string const& name,
                                                          std::size_t limit) const {
  return read_whole_file(path_ / name, limit);
}

std::vector<StoreResult<void>> StoreFolder::apply(std::vector<Change> const& changes) const {
  std::vector<StoreResult<void>> outcomes(changes.size(), outcome::success());
  for (std::size_t from = 0; from < changes.size();) {
    bool const writes = changes[from].bytes != nullptr;
    std::size_t to = from + 1;
    while (to < changes.size() && (changes[to].bytes != nullptr) == writes) ++to;
    auto const some = Span{changes}.subspan(from, to - from);
    auto const theirs = Outcomes{outcomes}.subspan(from, to - from);
    if (writes) {
      write_together(some, theirs);
    } else {
      remove_together(some, theirs);
    }
    from = to;
  }
  return outcomes;
}

void StoreFolder::write_together(Span changes, Outcomes outcomes) const {
  std::vector<std::size_t> named;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto const path = path_ / changes[i].name;
    auto const stored = read_whole_file(path, changes[i].bytes->size());
    if (stored && stored.value() == *changes[i].bytes) continue;
    outcomes[i] = write_temporary(temporary_name(path), path, *changes[i].bytes);
    if (outcomes[i]) named.push_back(i);
  }
  for (std::size_t const i : named) {
    auto const path = path_ / changes[i].name;
    outcomes[i] = give_name(temporary_name(path), path);
  }
  if (named.empty()) return;
  auto const synced = sync_folder(path_);
  for (std::size_t const i : named) {
    if (outcomes[i]) outcomes[i] = synced;
  }
}

void StoreFolder::remove_together(Span changes, Outcomes outcomes) const {
  bool any = false;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    auto const path = path_ / changes[i].name;
    if (::unlink(path.c_str()) == 0) {
      any = true;
    } else if (errno != ENOENT) {
      outcomes[i] = fault(path, "remove");
    }
  }
  if (!any) return;
  auto const synced = sync_folder(path_);
  for (auto& each : outcomes) {
    if (each) each = synced;
  }
}

StoreResult<void> StoreFolder::write(std::string const& name, std::string const& bytes) const {
  return apply({{name, &bytes}}).front();
}

StoreResult<void> StoreFolder::remove(std::string const& name) const {
  return apply({{name, nullptr}}).front();
}

std::string StoreFolder::identity(std::string const& name) const {
  return runtime::identity_of(path_ / name);
}

}  // namespace canary::tuf
