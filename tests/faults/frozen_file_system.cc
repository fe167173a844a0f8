// SPDX-License-Identifier: Apache-2.0
// Source of the protocol: linux/fuse.h, and Documentation/filesystems/fuse.rst of the kernel.
#include "tests/faults/frozen_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/faults/rows.h"

namespace canary::faults {
namespace {

namespace fs = std::filesystem;

using Bytes = std::vector<char>;

template <class T>
Bytes bytes_of(T const& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

fuse_attr attributes(struct stat const& file, std::uint64_t node) {
  fuse_attr result{};
  result.ino = node;
  result.size = static_cast<std::uint64_t>(file.st_size);
  result.blocks = static_cast<std::uint64_t>(file.st_blocks);
  result.atime = static_cast<std::uint64_t>(file.st_atim.tv_sec);
  result.mtime = static_cast<std::uint64_t>(file.st_mtim.tv_sec);
  result.ctime = static_cast<std::uint64_t>(file.st_ctim.tv_sec);
  result.atimensec = static_cast<std::uint32_t>(file.st_atim.tv_nsec);
  result.mtimensec = static_cast<std::uint32_t>(file.st_mtim.tv_nsec);
  result.ctimensec = static_cast<std::uint32_t>(file.st_ctim.tv_nsec);
  result.mode = file.st_mode;
  result.nlink = static_cast<std::uint32_t>(file.st_nlink);
  result.uid = file.st_uid;
  result.gid = file.st_gid;
  result.blksize = 4'096;
  return result;
}

// One request: what it asks for, and what follows its head.
struct Request {
  fuse_in_header head{};
  Bytes body;
  template <class T>
  T as() const {
    T value{};
    std::memcpy(&value, body.data(), std::min(sizeof value, body.size()));
    return value;
  }
  // The n-th NUL-terminated text behind a T.
  template <class T>
  std::string text(int number = 0) const {
    std::size_t at = sizeof(T);
    for (int i = 0; i < number; ++i) at += std::strlen(body.data() + at) + 1;
    return body.data() + at;
  }
};
struct Nothing {};
template <>
std::string Request::text<Nothing>(int number) const {
  std::size_t at = 0;
  for (int i = 0; i < number; ++i) at += std::strlen(body.data() + at) + 1;
  return body.data() + at;
}

// Answers as the folder below does.
class Passing {
 public:
  explicit Passing(std::string root) { paths_[FUSE_ROOT_ID] = std::move(root); }

  // An error is negative; what is answered otherwise goes into `out`.
  int answer(Request const& request, Bytes& out) {
    switch (request.head.opcode) {
      case FUSE_LOOKUP:
        return entry(request, request.text<Nothing>(), out);
      case FUSE_GETATTR:
        return tell_attributes(request, out);
      case FUSE_SETATTR:
        return set_attributes(request, out);
      case FUSE_MKDIR:
        return made(::mkdir(below(request, request.text<fuse_mkdir_in>()).c_str(),
                            request.as<fuse_mkdir_in>().mode),
                    request, request.text<fuse_mkdir_in>(), out);
      case FUSE_MKNOD:
        return made(::mknod(below(request, request.text<fuse_mknod_in>()).c_str(),
                            request.as<fuse_mknod_in>().mode, request.as<fuse_mknod_in>().rdev),
                    request, request.text<fuse_mknod_in>(), out);
      case FUSE_UNLINK:
        return done(::unlink(below(request, request.text<Nothing>()).c_str()));
      case FUSE_RMDIR:
        return done(::rmdir(below(request, request.text<Nothing>()).c_str()));
      case FUSE_RENAME:
        return rename(request, request.as<fuse_rename_in>().newdir, request.text<fuse_rename_in>(),
                      request.text<fuse_rename_in>(1));
      case FUSE_RENAME2:
        return rename(request, request.as<fuse_rename2_in>().newdir,
                      request.text<fuse_rename2_in>(), request.text<fuse_rename2_in>(1));
      case FUSE_OPEN:
        return opened(::open(paths_[request.head.nodeid].c_str(),
                             static_cast<int>(request.as<fuse_open_in>().flags) & ~O_NOFOLLOW),
                      out);
      case FUSE_CREATE:
        return create(request, out);
      case FUSE_READ:
        return read(request, out);
      case FUSE_WRITE:
        return write(request, out);
      case FUSE_FSYNC:
        return done(::fsync(static_cast<int>(request.as<fuse_fsync_in>().fh)));
      case FUSE_RELEASE:
        return done(::close(static_cast<int>(request.as<fuse_release_in>().fh)));
      case FUSE_OPENDIR:
        return opened(::open(paths_[request.head.nodeid].c_str(), O_RDONLY | O_DIRECTORY), out);
      case FUSE_READDIR:
        return list(request, out);
      case FUSE_RELEASEDIR:
        return done(::close(static_cast<int>(request.as<fuse_release_in>().fh)));
      case FUSE_FLUSH:
      case FUSE_FSYNCDIR:
        return 0;
      case FUSE_STATFS:
        return tell_room(out);
      default:
        return -ENOSYS;
    }
  }

 private:
  static int done(int result) { return result < 0 ? -errno : 0; }
  std::string below(Request const& request, std::string const& name) {
    return paths_[request.head.nodeid] + "/" + name;
  }
  std::uint64_t node_of(std::string const& path) {
    auto const [at, fresh] = nodes_.try_emplace(path, next_);
    if (fresh) paths_[next_++] = path;
    return at->second;
  }
  int entry(Request const& request, std::string const& name, Bytes& out) {
    std::string const path = below(request, name);
    struct stat file{};
    if (::lstat(path.c_str(), &file) != 0) return -errno;
    fuse_entry_out found{};
    found.nodeid = node_of(path);
    found.attr = attributes(file, found.nodeid);
    out = bytes_of(found);
    return 0;
  }
  int made(int result, Request const& request, std::string const& name, Bytes& out) {
    return result < 0 ? -errno : entry(request, name, out);
  }
  int tell_attributes(Request const& request, Bytes& out) {
    struct stat file{};
    auto const in = request.as<fuse_getattr_in>();
    bool const by_handle = (in.getattr_flags & FUSE_GETATTR_FH) != 0;
    int const result = by_handle ? ::fstat(static_cast<int>(in.fh), &file)
                                 : ::lstat(paths_[request.head.nodeid].c_str(), &file);
    if (result != 0) return -errno;
    fuse_attr_out told{};
    told.attr = attributes(file, request.head.nodeid);
    out = bytes_of(told);
    return 0;
  }
  int set_attributes(Request const& request, Bytes& out) {
    auto const in = request.as<fuse_setattr_in>();
    char const* const path = paths_[request.head.nodeid].c_str();
    int result = 0;
    if ((in.valid & FATTR_MODE) != 0) result = ::chmod(path, in.mode & 07777);
    if (result == 0 && (in.valid & FATTR_SIZE) != 0) {
      result = ::truncate(path, static_cast<off_t>(in.size));
    }
    return result != 0 ? -errno : tell_attributes({request.head, Bytes(sizeof in)}, out);
  }
  int rename(Request const& request, std::uint64_t folder, std::string const& from,
             std::string const& to) {
    std::string const before = below(request, from);
    std::string const after = paths_[folder] + "/" + to;
    if (::rename(before.c_str(), after.c_str()) != 0) return -errno;
    // The node goes with the file; what was there before has none that can be looked up.
    auto const node = nodes_.find(before);
    if (node == nodes_.end()) return nodes_.erase(after), 0;
    std::uint64_t const number = node->second;
    nodes_.erase(node);
    nodes_[after] = number;
    paths_[number] = after;
    return 0;
  }
  static int opened(int fd, Bytes& out) {
    if (fd < 0) return -errno;
    fuse_open_out told{};
    told.fh = static_cast<std::uint64_t>(fd);
    out = bytes_of(told);
    return 0;
  }
  int create(Request const& request, Bytes& out) {
    auto const in = request.as<fuse_create_in>();
    std::string const name = request.text<fuse_create_in>();
    int const fd =
        ::open(below(request, name).c_str(), static_cast<int>(in.flags) | O_CREAT, in.mode);
    Bytes handle;
    if (int const failed = opened(fd, handle); failed != 0) return failed;
    int const failed = entry(request, name, out);
    out.insert(out.end(), handle.begin(), handle.end());
    return failed;
  }
  static int read(Request const& request, Bytes& out) {
    auto const in = request.as<fuse_read_in>();
    out.resize(in.size);
    auto const size =
        ::pread(static_cast<int>(in.fh), out.data(), in.size, static_cast<off_t>(in.offset));
    if (size < 0) return -errno;
    out.resize(static_cast<std::size_t>(size));
    return 0;
  }
  static int write(Request const& request, Bytes& out) {
    auto const in = request.as<fuse_write_in>();
    auto const size = ::pwrite(static_cast<int>(in.fh), request.body.data() + sizeof in, in.size,
                               static_cast<off_t>(in.offset));
    if (size < 0) return -errno;
    fuse_write_out told{};
    told.size = static_cast<std::uint32_t>(size);
    out = bytes_of(told);
    return 0;
  }
  // All of it at once: folders here are small.
  int list(Request const& request, Bytes& out) {
    auto const in = request.as<fuse_read_in>();
    if (in.offset != 0) return 0;
    std::uint64_t number = 0;
    for (auto const& each : fs::directory_iterator{paths_[request.head.nodeid]}) {
      std::string const name = each.path().filename().string();
      std::size_t const size = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + name.size());
      if (out.size() + size > in.size) break;
      fuse_dirent entry{};
      entry.ino = node_of(each.path().string());
      entry.off = ++number;
      entry.namelen = static_cast<std::uint32_t>(name.size());
      entry.type = each.is_directory() ? DT_DIR : DT_REG;
      std::size_t const at = out.size();
      out.resize(at + size);
      std::memcpy(out.data() + at, &entry, FUSE_NAME_OFFSET);
      std::memcpy(out.data() + at + FUSE_NAME_OFFSET, name.data(), name.size());
    }
    return 0;
  }
  int tell_room(Bytes& out) {
    struct statvfs room{};
    if (::statvfs(paths_[FUSE_ROOT_ID].c_str(), &room) != 0) return -errno;
    fuse_statfs_out told{};
    told.st.blocks = room.f_blocks;
    told.st.bfree = room.f_bfree;
    told.st.bavail = room.f_bavail;
    told.st.files = room.f_files;
    told.st.ffree = room.f_ffree;
    told.st.bsize = static_cast<std::uint32_t>(room.f_bsize);
    told.st.namelen = static_cast<std::uint32_t>(room.f_namemax);
    told.st.frsize = static_cast<std::uint32_t>(room.f_frsize);
    out = bytes_of(told);
    return 0;
  }

  std::map<std::uint64_t, std::string> paths_;
  std::map<std::string, std::uint64_t> nodes_;
  std::uint64_t next_ = FUSE_ROOT_ID + 1;
};

// Mounts from now on are seen by this thread and its children alone, and go with them.
void own_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) throw Unavailable{"no mount namespace: not root"};
  ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
}

}  // namespace

struct FrozenFileSystem::Impl {
  Impl(fs::path source, fs::path at) : where(std::move(at)), passing(source.string()) {
    own_mounts();
    fs::create_directories(where);
    device = ::open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (device < 0) throw Unavailable{"/dev/fuse cannot be opened"};
    std::string const options =
        "fd=" + std::to_string(device) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
    if (::mount("frozen", where.c_str(), "fuse", 0, options.c_str()) != 0) {
      ::close(device);
      throw Unavailable{"FUSE cannot be mounted"};
    }
    server = std::thread{[this] { serve(); }};
  }
  ~Impl() {
    stop = true;
    server.join();
    ::umount2(where.c_str(), MNT_DETACH);
  }
  Impl(Impl const&) = delete;
  Impl& operator=(Impl const&) = delete;

  // Closing the device ends every request with an error.
  void serve() {
    Bytes buffer(1 << 18);
    while (!stop) {
      if (!frozen) {
        while (!held.empty()) answer(held.front()), held.pop_front(), --holds;
      }
      pollfd wanted{.fd = device, .events = POLLIN, .revents = 0};
      if (::poll(&wanted, 1, 20) <= 0) continue;
      auto const size = ::read(device, buffer.data(), buffer.size());
      if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) continue;
      Request request;
      std::memcpy(&request.head, buffer.data(), sizeof request.head);
      request.body.assign(buffer.data() + sizeof request.head, buffer.data() + size);
      take(std::move(request));
    }
    ::close(device);
  }
  void take(Request request) {
    switch (request.head.opcode) {
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
        return;  // nobody waits for an answer
      case FUSE_INIT: {
        fuse_init_out init{};
        init.major = FUSE_KERNEL_VERSION;
        init.minor = 31;
        init.max_readahead = 1 << 16;
        init.flags = FUSE_BIG_WRITES;
        init.max_background = 12;
        init.congestion_threshold = 9;
        init.max_write = 1 << 16;
        init.time_gran = 1;
        return send(request.head.unique, 0, bytes_of(init));
      }
      case FUSE_INTERRUPT:  // from then on who waits cannot be interrupted
        return send(request.head.unique, -ENOSYS, {});
      default:
        break;
    }
    if (!frozen) return answer(request);
    held.push_back(std::move(request));
    ++holds;
  }
  void answer(Request const& request) {
    Bytes out;
    int const failed = passing.answer(request, out);
    send(request.head.unique, failed, failed != 0 ? Bytes{} : out);
  }
  void send(std::uint64_t unique, int error, Bytes const& body) const {
    fuse_out_header const head{.len = static_cast<std::uint32_t>(sizeof head + body.size()),
                               .error = error,
                               .unique = unique};
    Bytes all = bytes_of(head);
    all.insert(all.end(), body.begin(), body.end());
    [[maybe_unused]] auto const written = ::write(device, all.data(), all.size());
  }

  fs::path const where;
  Passing passing;
  int device = -1;
  std::atomic<bool> stop{false}, frozen{false};
  std::atomic<int> holds{0};
  std::deque<Request> held;
  std::thread server;  // last
};

FrozenFileSystem::FrozenFileSystem(fs::path source, fs::path where)
    : impl_(std::make_unique<Impl>(std::move(source), std::move(where))) {}
FrozenFileSystem::~FrozenFileSystem() = default;
fs::path const& FrozenFileSystem::path() const { return impl_->where; }
void FrozenFileSystem::freeze() { impl_->frozen = true; }
void FrozenFileSystem::thaw() { impl_->frozen = false; }
bool FrozenFileSystem::holds_somebody() const { return impl_->holds > 0; }

}  // namespace canary::faults
