// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/capture/process_sample.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"

namespace canary::dump {
namespace {

constexpr std::size_t kDescriptorsShown = 1'024;

int open_quietly(char const* path, int flags = O_RDONLY) { return ::open(path, flags | O_CLOEXEC); }

// Calls `each(number)` for every entry of the directory that is a number.
template <class Each>
void for_each_number(int directory, std::span<char> buffer, Each each) {
  struct Entry {  // linux_dirent64
    std::uint64_t inode;
    std::int64_t offset;
    std::uint16_t length;
    std::uint8_t type;
    char name[1];
  };
  if (directory < 0 || ::lseek(directory, 0, SEEK_SET) != 0) return;
  for (;;) {
    long const size = ::syscall(SYS_getdents64, directory, buffer.data(), buffer.size());
    if (size <= 0) return;
    for (long at = 0; at < size;) {
      auto const* entry = reinterpret_cast<Entry const*>(buffer.data() + at);
      at += entry->length;
      std::int32_t number = 0;
      char const* digit = entry->name;
      for (; *digit >= '0' && *digit <= '9'; ++digit) number = number * 10 + (*digit - '0');
      if (digit != entry->name && *digit == '\0') each(number);
    }
  }
}

void put_address(FixedText& out, sockaddr_storage const& address, socklen_t size) {
  if (address.ss_family == AF_INET) {
    auto const& v4 = reinterpret_cast<sockaddr_in const&>(address);
    auto const host = ntohl(v4.sin_addr.s_addr);
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.natural(host >> shift & 255);
      if (shift > 0) out.put('.');
    }
    (out << ":").natural(ntohs(v4.sin_port));
  } else if (address.ss_family == AF_INET6) {
    auto const& v6 = reinterpret_cast<sockaddr_in6 const&>(address);
    out << "[";
    for (int i = 0; i < 16; i += 2) {
      unsigned const group = v6.sin6_addr.s6_addr[i] * 256U + v6.sin6_addr.s6_addr[i + 1];
      bool leading = true;
      for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned const digit = group >> shift & 15;
        leading = leading && digit == 0 && shift > 0;
        if (!leading) out.put("0123456789abcdef"[digit]);
      }
      if (i < 14) out.put(':');
    }
    (out << "]:").natural(ntohs(v6.sin6_port));
  } else if (address.ss_family == AF_UNIX) {
    auto const& local = reinterpret_cast<sockaddr_un const&>(address);
    std::size_t const length =
        size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
    out << "unix";
    for (std::size_t i = 0; i < length; ++i) {
      char const each = local.sun_path[i];
      if (each == '\0' && i > 0) break;
      if (i == 0) out.put(':');
      out.plain(each == '\0' ? "@" : std::string_view{&each, 1});
    }
  }
}

std::string_view tcp_state(int socket) {
  static constexpr std::string_view kNames[] = {
      "",          "established", "syn_sent",   "syn_recv", "fin_wait1", "fin_wait2",
      "time_wait", "close",       "close_wait", "last_ack", "listen",    "closing"};
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return "";
  return info.tcpi_state < std::size(kNames) ? kNames[info.tcpi_state] : std::string_view{};
}

// As starts_with, which could throw for all that the linker knows.
bool begins_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() &&
         __builtin_memcmp(text.data(), start.data(), start.size()) == 0;
}

// "target\tlocal\tpeer\tstate\tin\tout"; what does not apply is empty.
void describe(FixedText& out, int directory, std::int32_t descriptor) {
  ShortText<16> name;
  name.number(descriptor);
  char target[256];
  ssize_t const length = ::readlinkat(directory, name.c_str(), target, sizeof target);
  if (length <= 0) return;
  std::string_view const what{target, static_cast<std::size_t>(length)};
  out.plain(what);
  // The name tells the kind; fstat could wait for a file system that does not answer.
  int queued = 0;
  if (begins_with(what, "pipe:")) {
    out << "\t\t\t\t";
    if (::ioctl(descriptor, FIONREAD, &queued) == 0) out.number(queued);
    out << "\t";
    return;
  }
  if (!begins_with(what, "socket:")) return;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  out << "\t";
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    put_address(out, address, size);
  }
  out << "\t";
  size = sizeof address;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    put_address(out, address, size);
  }
  out << "\t" << tcp_state(descriptor) << "\t";
  if (::ioctl(descriptor, SIOCINQ, &queued) == 0) out.number(queued);
  out << "\t";
  if (::ioctl(descriptor, SIOCOUTQ, &queued) == 0) out.number(queued);
}

}  // namespace

// Gives up the reserved descriptor for as long as files are opened.
class ProcessSample::Room {
 public:
  explicit Room(ProcessSample& owner) : owner_(owner) {
    if (owner_.reserve_ >= 0) ::close(owner_.reserve_);
    owner_.reserve_ = -1;
  }
  ~Room() { owner_.reserve_ = open_quietly("/dev/null"); }
  Room(Room const&) = delete;
  Room& operator=(Room const&) = delete;

 private:
  ProcessSample& owner_;
};

ProcessSample::ProcessSample()
    : task_(open_quietly("/proc/self/task", O_RDONLY | O_DIRECTORY)),
      descriptor_(open_quietly("/proc/self/fd", O_RDONLY | O_DIRECTORY)),
      maps_(open_quietly("/proc/self/maps")),
      statm_(open_quietly("/proc/self/statm")),
      pressure_{open_quietly("/proc/pressure/cpu"), open_quietly("/proc/pressure/memory"),
                open_quietly("/proc/pressure/io")},
      reserve_(open_quietly("/dev/null")) {}

ProcessSample::~ProcessSample() {
  for (int const file :
       {task_, descriptor_, maps_, statm_, pressure_[0], pressure_[1], pressure_[2], reserve_}) {
    if (file >= 0) ::close(file);
  }
}

std::size_t ProcessSample::thread_ids(std::span<std::int32_t> into) {
  std::size_t count = 0;
  for_each_number(task_, buffer_, [&](std::int32_t id) {
    if (count < into.size()) into[count] = id;
    ++count;
  });
  return count;
}

void ProcessSample::maps(SectionWriter& out) {
  out.begin(SectionType::maps);
  if (maps_ >= 0 && ::lseek(maps_, 0, SEEK_SET) == 0) {
    for (;;) {
      ssize_t const size = ::read(maps_, buffer_.data(), buffer_.size());
      if (size <= 0) break;
      out.bytes(buffer_.data(), static_cast<std::size_t>(size));
    }
  }
  out.end();
}

void ProcessSample::file_item(SectionWriter& out, std::uint32_t kind, std::uint32_t tag, int file) {
  if (file < 0) return;
  ssize_t const size = ::pread(file, buffer_.data(), 4'096, 0);
  if (size > 0) out.item(kind, tag, {buffer_.data(), static_cast<std::size_t>(size)});
}

void ProcessSample::threads(SectionWriter& out, std::span<std::int32_t const> ids) {
  static constexpr char const* kFiles[] = {"stat", "status", "wchan", "syscall", "schedstat"};
  Room const room{*this};
  out.begin(SectionType::threads);
  for (std::int32_t const id : ids) {
    for (std::uint32_t i = 0; i < std::size(kFiles); ++i) {
      ShortText<48> path;
      path.number(id) << "/" << kFiles[i];
      int const file = ::openat(task_, path.c_str(), O_RDONLY | O_CLOEXEC);
      file_item(out, i + 1, static_cast<std::uint32_t>(id), file);
      if (file >= 0) ::close(file);
    }
  }
  out.end();
}

void ProcessSample::descriptors(SectionWriter& out) {
  out.begin(SectionType::descriptors);
  std::size_t count = 0;
  for_each_number(descriptor_, buffer_, [&](std::int32_t descriptor) {
    if (++count > kDescriptorsShown) return;
    ShortText<768> line;
    describe(line, descriptor_, descriptor);
    out.item(1, static_cast<std::uint32_t>(descriptor), line.view());
  });
  // How many there are, those not shown included.
  out.item(2, static_cast<std::uint32_t>(count), {});
  out.end();
}

void ProcessSample::memory(SectionWriter& out) {
  out.begin(SectionType::memory);
  file_item(out, static_cast<std::uint32_t>(MemoryItem::statm), 0, statm_);
  for (std::uint32_t i = 0; i < pressure_.size(); ++i) {
    file_item(out, static_cast<std::uint32_t>(MemoryItem::pressure_cpu) + i, 0, pressure_[i]);
  }
  out.end();
}

}  // namespace canary::dump
