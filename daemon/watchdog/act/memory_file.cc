// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/act/memory_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include "config/fnv.h"
#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

std::uint64_t checksum_of(StoredMemory const& stored) {
  constexpr std::size_t kFrom = offsetof(Memory, started_wall_ns);
  auto const* const bytes = reinterpret_cast<unsigned char const*>(&stored.memory);
  std::uint64_t const sum = fnv1a(bytes + kFrom, sizeof(Memory) - kFrom);
  return fnv1a(stored.culprits.data(), stored.culprits.size() * sizeof(Culprit), sum);
}

bool read_whole(int file, void* into, std::size_t size, std::size_t at) {
  return ::pread(file, into, size, static_cast<off_t>(at)) == static_cast<ssize_t>(size);
}

bool read_all(int file, StoredMemory& into) {
  Memory& memory = into.memory;
  if (!read_whole(file, &memory, sizeof memory, 0)) return false;
  if (memory.magic != Memory::kMagic || memory.bytes != sizeof memory) return false;
  if (memory.culprits > kCulprits) return false;
  into.culprits.resize(memory.culprits);
  std::size_t const size = into.culprits.size() * sizeof(Culprit);
  if (size > 0 && !read_whole(file, into.culprits.data(), size, sizeof memory)) return false;
  return memory.checksum == checksum_of(into);
}

}  // namespace

StoredMemory load_memory(std::filesystem::path const& file) {
  StoredMemory stored;
  int const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return {};
  bool const whole = read_all(descriptor, stored);
  ::close(descriptor);
  if (!whole) return {};
  // Texts end where they should, whoever wrote them.
  stored.memory.boot.back() = 0;
  stored.memory.stall.site.back() = 0;
  stored.memory.stall.incident.name.back() = 0;
  for (Culprit& each : stored.culprits) each.probe.back() = 0;
  return stored;
}

StoredMemory begin_memory(StoredMemory last, std::int64_t wall_ns, std::int32_t process,
                          std::string_view boot) {
  StoredMemory stored = std::move(last);
  Memory& memory = stored.memory;
  bool const known = memory.bytes != 0;
  bool const clean = memory.clean != 0;
  memory.bytes = sizeof memory;
  memory.started_wall_ns = memory.alive_wall_ns = wall_ns;
  memory.process = process;
  copy_text(memory.boot, boot);
  memory.unclean_restarts = known && !clean ? memory.unclean_restarts + 1 : 0;
  if (clean) stored.culprits.clear();
  memory.clean = 0;
  memory.hung = 0;
  return stored;
}

StoredMemory copy_of(MemoryBlock const& block) {
  StoredMemory stored;
  block.memory.load(stored.memory);
  stored.memory.alive_wall_ns = block.alive_wall_ns.load(std::memory_order_relaxed);
  stored.culprits.resize(block.culprits.count.load(std::memory_order_acquire));
  for (std::size_t i = 0; i < stored.culprits.size(); ++i) {
    block.culprits.places[i].load(stored.culprits[i]);
  }
  return stored;
}

void fill(MemoryBlock& block, StoredMemory const& from) {
  block.memory.store(from.memory);
  block.alive_wall_ns.store(from.memory.alive_wall_ns);
  for (std::size_t i = 0; i < from.culprits.size(); ++i) {
    block.culprits.places[i].store(from.culprits[i]);
  }
  block.culprits.count.store(static_cast<std::uint32_t>(from.culprits.size()));
  block.changes.fetch_add(1);
}

PreviousRun previous_run(Memory const& last, std::int64_t wall_ns, std::string_view boot,
                         CrashRecord const& words) {
  PreviousRun previous;
  previous.crash = words;
  if (words.known && !words.in_run) previous.end = End::orderly;
  previous.known = last.bytes != 0;
  if (!previous.known) return previous;
  previous.clean = last.clean != 0;
  previous.same_boot = std::string_view{last.boot.data()} == boot;
  if (previous.clean) {
    previous.end = End::orderly;
  } else if (last.hung != 0) {
    previous.end = End::aborted;
  } else {
    previous.end = previous.same_boot ? End::killed : End::unknown;
  }
  previous.started_wall_ns = last.started_wall_ns;
  previous.last_alive_wall_ns = last.alive_wall_ns;
  previous.blind_ns = wall_ns > last.alive_wall_ns ? wall_ns - last.alive_wall_ns : 0;
  previous.restarts = previous.clean ? 0 : last.unclean_restarts + 1;
  previous.has_stall = last.has_stall != 0;
  previous.stall = last.stall;
  return previous;
}

std::string MemoryFile::open(std::filesystem::path const& file) {
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  file_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) return file.string() + ": " + std::strerror(errno);
  // Its space is taken now, while there is some.
  int const reserved = ::posix_fallocate(file_, 0, sizeof(Memory));
  if (reserved != 0 && reserved != EOPNOTSUPP && reserved != EINVAL) {
    return file.string() + ": " + std::strerror(reserved);
  }
  return {};
}

void MemoryFile::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

bool MemoryFile::write(StoredMemory& memory) {
  if (file_ < 0) return true;
  memory.memory.culprits = static_cast<std::uint32_t>(memory.culprits.size());
  memory.memory.checksum = checksum_of(memory);
  std::vector<std::byte> bytes(sizeof(Memory) + memory.culprits.size() * sizeof(Culprit));
  std::memcpy(bytes.data(), &memory.memory, sizeof(Memory));
  if (!memory.culprits.empty()) {
    std::memcpy(bytes.data() + sizeof(Memory), memory.culprits.data(),
                memory.culprits.size() * sizeof(Culprit));
  }
  return ::pwrite(file_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
}

bool MemoryFile::write_alive(std::int64_t wall_ns) {
  return file_ < 0 || ::pwrite(file_, &wall_ns, sizeof wall_ns, offsetof(Memory, alive_wall_ns)) ==
                          static_cast<ssize_t>(sizeof wall_ns);
}

}  // namespace canary::watchdog
