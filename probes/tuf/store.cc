// SPDX-License-Identifier: Apache-2.0
// Files replaced as a whole, under a lock on their folder.
// Thread: loop; jobs on the disk worker.
#include "probes/tuf/store.h"

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

#include "probes/tuf/role_name.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kPartial = ".part";
constexpr std::string_view kLeftover = ".json.part";
constexpr std::string_view kPinFile = "pinned.sha256";
constexpr std::string_view kSightingsFile = "versions.seen";  // no role's file ends so
constexpr std::size_t kPinLimit = 256;

StoreFault fault(std::filesystem::path path, std::string doing, int error = errno) {
  return {std::move(path), std::move(doing), error};
}

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor const&) = delete;
  Descriptor& operator=(Descriptor const&) = delete;
  int get() const { return value_; }
  bool open() const { return value_ >= 0; }

 private:
  int value_;
};

StoreResult<void> sync_folder(std::filesystem::path const& folder) {
  std::filesystem::path const named = folder.empty() ? std::filesystem::path(".") : folder;
  Descriptor const directory{::open(named.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory.open()) return fault(named, "open");
  // Some file systems can't; what they can they have done.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) return fault(named, "sync");
  return outcome::success();
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
  int failed = 0;
  std::string doing = "sync";
  if (::fsync(descriptor) != 0) {
    failed = errno;
  } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
    failed = errno;
    doing = "rename";
  }
  if (failed != 0) {
    ::unlink(temporary.c_str());
    return fault(doing == "sync" ? temporary : path, doing, failed);
  }
  return sync_folder(path.parent_path());
}

StoreResult<void> replace_file(std::filesystem::path const& path, std::string_view bytes) {
  std::filesystem::path const temporary = temporary_name(path);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  Descriptor const file{::open(temporary.c_str(), kFlags, 0644)};
  if (!file.open()) return fault(path, "write");
  StoreResult<void> written = write_all(file.get(), path, bytes);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return publish_file(file.get(), temporary, path);
}

struct LocalStore::Folder {
  explicit Folder(std::filesystem::path at, int descriptor)
      : path(std::move(at)), lock(descriptor) {}
  std::filesystem::path path;
  Descriptor lock;

  static StoreResult<std::shared_ptr<Folder>> open(std::filesystem::path const& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) return fault(path, "create", error.value());
    int const descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) return fault(path, "open");
    auto folder = std::make_shared<Folder>(path, descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) return fault(path, "lock");
    sweep(path);
    return folder;
  }
};

LocalStore::LocalStore(std::filesystem::path folder, runtime::Workers& disk)
    : path_(std::move(folder)), disk_(disk) {}

LocalStore::~LocalStore() = default;

runtime::Task<StoreResult<void>> LocalStore::open(runtime::Trace trace) {
  runtime::require_loop_thread();
  if (path_.empty()) co_return outcome::success();
  auto job = [path = path_] { return Folder::open(path); };
  auto opened = co_await disk_.run(trace, "store.open", std::move(job));
  if (!opened) co_return opened.error();
  folder_ = std::move(opened).value();
  co_return outcome::success();
}

runtime::Task<StoreResult<std::optional<std::string>>> LocalStore::read_file(std::string name,
                                                                             std::size_t limit,
                                                                             runtime::Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return std::optional<std::string>{};
  auto job = [folder = folder_, name, limit] {
    return read_whole_file(folder->path / name, limit);
  };
  co_return co_await disk_.run(trace, "store.read", std::move(job));
}

runtime::Task<StoreResult<void>> LocalStore::write_file(std::string name,
                                                        std::shared_ptr<std::string const> bytes,
                                                        runtime::Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return outcome::success();
  auto job = [folder = folder_, name, bytes = std::move(bytes)]() -> StoreResult<void> {
    std::filesystem::path const path = folder->path / name;
    auto const stored = read_whole_file(path, bytes->size());
    if (stored && stored.value() == *bytes) return outcome::success();
    return replace_file(path, *bytes);
  };
  co_return co_await disk_.run(trace, "store.write", std::move(job));
}

runtime::Task<StoreResult<std::optional<std::string>>> LocalStore::read(std::string role,
                                                                        std::size_t limit,
                                                                        runtime::Trace trace) {
  co_return co_await read_file(metadata_file(role), limit, trace);
}

runtime::Task<StoreResult<void>> LocalStore::write(std::string role,
                                                   std::shared_ptr<std::string const> bytes,
                                                   runtime::Trace trace) {
  co_return co_await write_file(metadata_file(role), std::move(bytes), trace);
}

runtime::Task<StoreResult<void>> LocalStore::forget(std::string role, runtime::Trace trace) {
  runtime::require_loop_thread();
  if (folder_ == nullptr) co_return outcome::success();
  auto job = [folder = folder_, name = metadata_file(role)]() -> StoreResult<void> {
    std::filesystem::path const path = folder->path / name;
    if (::unlink(path.c_str()) == 0) return sync_folder(folder->path);
    if (errno == ENOENT) return outcome::success();
    return fault(path, "remove");
  };
  co_return co_await disk_.run(trace, "store.forget", std::move(job));
}

runtime::Task<StoreResult<std::optional<std::string>>> LocalStore::read_pin(runtime::Trace trace) {
  co_return co_await read_file(std::string(kPinFile), kPinLimit, trace);
}

runtime::Task<StoreResult<void>> LocalStore::write_pin(std::string sha256_hex,
                                                       runtime::Trace trace) {
  auto bytes = std::make_shared<std::string const>(std::move(sha256_hex));
  co_return co_await write_file(std::string(kPinFile), std::move(bytes), trace);
}

runtime::Task<StoreResult<LocalStore::Seen>> LocalStore::read_sightings(std::string pin, Time now,
                                                                        runtime::Trace trace) {
  if (folder_ == nullptr) co_return Seen{};
  auto job = [folder = folder_, pin = std::move(pin), now]() -> StoreResult<Seen> {
    auto const file = read_whole_file(folder->path / kSightingsFile, Sightings::kLongestText);
    if (!file && file.error().error != EFBIG) return file.error();
    if (file && !file.value()) return Seen{};
    auto parsed = file ? Sightings::parse(*file.value(), pin, now) : std::nullopt;
    if (!parsed) return Seen{.damaged = true};
    return Seen{.sightings = std::move(*parsed)};
  };
  co_return co_await disk_.run(trace, "store.read_sightings", std::move(job));
}

runtime::Task<StoreResult<void>> LocalStore::write_sightings(Sightings sightings, std::string pin,
                                                             runtime::Trace trace) {
  if (folder_ == nullptr) co_return outcome::success();
  auto job = [folder = folder_, sightings = std::move(sightings), pin = std::move(pin)] {
    return replace_file(folder->path / kSightingsFile, sightings.text(pin));
  };
  co_return co_await disk_.run(trace, "store.write_sightings", std::move(job));
}

std::filesystem::path LocalStore::sightings_file() const { return path_ / kSightingsFile; }

}  // namespace canary::tuf
