// SPDX-License-Identifier: Apache-2.0
// The part that runs before the watchdog's thread: ordinary code that may allocate and block.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/watchdog/fixed_text.h"
#include "daemon/watchdog/last_stall.h"

namespace canary::watchdog {

Memory load_memory(std::filesystem::path const& file) {
  Memory memory;
  int const descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return {};
  auto const got = ::pread(descriptor, &memory, sizeof memory, 0);
  ::close(descriptor);
  bool const whole = got == static_cast<ssize_t>(sizeof memory) && memory.magic == Memory::kMagic &&
                     memory.bytes == sizeof memory && memory.checksum == checksum_of(memory);
  if (!whole) return {};
  // Texts end where they should, whoever wrote them.
  memory.boot.back() = 0;
  memory.stall.site.back() = 0;
  memory.stall.episode.name.back() = 0;
  for (Culprit& each : memory.culprits) each.probe.back() = 0;
  return memory;
}

Memory begin_memory(Memory const& last, std::int64_t wall_ns, std::int32_t process,
                    std::string_view boot) {
  Memory memory = last;
  bool const known = last.bytes != 0;
  memory.bytes = sizeof memory;
  memory.started_wall_ns = memory.alive_wall_ns = wall_ns;
  memory.process = process;
  copy_text(memory.boot, boot);
  memory.unclean_restarts = known && last.clean == 0 ? last.unclean_restarts + 1 : 0;
  if (known && last.clean != 0) memory.culprits = {};
  memory.clean = 0;
  memory.hung = 0;
  memory.checksum = checksum_of(memory);
  return memory;
}

std::string_view to_text(End end) {
  switch (end) {
    case End::unknown:
      return "unknown";
    case End::orderly:
      return "orderly";
    case End::aborted:
      return "aborted";
    case End::killed:
      return "killed";
  }
  return "unknown";
}

PreviousRun previous_run(Memory const& last, std::int64_t wall_ns, std::string_view boot,
                         LastWords const& words) {
  PreviousRun previous;
  previous.last_words = words;
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

}  // namespace canary::watchdog
