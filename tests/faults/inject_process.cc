// SPDX-License-Identifier: Apache-2.0
// What befalls the whole process: clocks that jump, descriptors and disk space that run out, a
// fork. Also the clock itself: this program's own clock_gettime, which all libraries use.
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "daemon/log/log.h"
#include "runtime/event.h"
#include "tests/faults/inject.h"

namespace {

// Seconds by which the clocks are ahead.
std::atomic<std::int64_t> wall_ahead{0}, monotonic_ahead{0}, boot_ahead{0};

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" [[gnu::visibility("default")]] int clock_gettime(clockid_t clock,
                                                            timespec* time) noexcept {
  int const result = static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result != 0) return result;
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      time->tv_sec += wall_ahead.load(std::memory_order_relaxed);
      break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_MONOTONIC_RAW:
      time->tv_sec += monotonic_ahead.load(std::memory_order_relaxed);
      break;
    case CLOCK_BOOTTIME:
      time->tv_sec += boot_ahead.load(std::memory_order_relaxed);
      break;
    default:
      break;
  }
  return 0;
}
#endif

namespace canary::faults {
namespace {

using namespace std::chrono_literals;
using runtime::Task;

void steps_the_clock_forward(Hands const&) {
  begins();
  wall_ahead += 3'600;
}

void steps_the_clock_back(Hands const&) {
  begins();
  wall_ahead -= 3'600;
}

// The machine slept for an hour: the monotonic clock stood still meanwhile.
void suspends(Hands const&) {
  begins();
  boot_ahead += 3'600;
  wall_ahead += 3'600;
}

// As some kernels do in s2idle, and as it looks when a virtual machine is paused.
void suspends_with_the_clock_running(Hands const&) {
  begins();
  monotonic_ahead += 120;
  boot_ahead += 120;
  wall_ahead += 120;
}

Task<void> exhausts_the_descriptors(Hands hands) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit const few{.rlim_cur = 128, .rlim_max = before.rlim_max};
  std::vector<int> taken;
  begins();  // needs one
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
  auto const end = end_of(hands);
  while (std::chrono::steady_clock::now() < end) {
    co_await runtime::sleep_until(hands.trace, "fault.descriptors", runtime::Deadline::after(50ms));
    hands.trace.progress();
  }
  for (int const fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

// Without a free descriptor, and then the loop hangs: the dump must not need one.
[[gnu::noinline]] void hangs_without_descriptors(Hands const& hands) {
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit const few{.rlim_cur = 128, .rlim_max = before.rlim_max};
  std::vector<int> taken;
  begins();
  ::setrlimit(RLIMIT_NOFILE, &few);
  for (int fd = 0; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
  auto const end = end_of(hands);
  while (std::chrono::steady_clock::now() < end) {
    timespec const nap{.tv_sec = 0, .tv_nsec = 300'000'000};
    ::nanosleep(&nap, nullptr);
  }
  for (int const fd : taken) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

// CANARY_FAULT_PATH is a file on the state directory's small file system.
[[gnu::noinline]] void hangs_on_a_full_disk(Hands const& hands) {
  int const file = ::open(hands.path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  std::string const zeros(65'536, '\0');
  while (::write(file, zeros.data(), zeros.size()) > 0) {
  }
  for (char const zero : zeros.substr(0, 8'192)) {
    if (::write(file, &zero, 1) < 0) break;
  }
  begins();
  auto const end = end_of(hands);
  while (std::chrono::steady_clock::now() < end) {
    timespec const nap{.tv_sec = 0, .tv_nsec = 300'000'000};
    ::nanosleep(&nap, nullptr);
  }
  ::ftruncate(file, 0) == 0 ? ::close(file) : -1;
}

// The child keeps everything that it inherited, for a while.
void forks(Hands const& hands) {
  begins();
  if (::fork() != 0) return;
  timespec const nap{.tv_sec = hands.span.count() / 1'000, .tv_nsec = 0};
  ::nanosleep(&nap, nullptr);
  ::_exit(0);
}

// Far more lines than anybody reads.
void logs_without_end(Hands const& hands) {
  begins();
  for (int i = 0; i < 5'000; ++i) {
    hands.parts.log.info("a line among many", {{"number", i}, {"filling", std::string(200, 'x')}});
  }
}

}  // namespace

void add_process_faults(std::map<std::string, Fault>& faults) {
  faults["clock-forward"] = steps_the_clock_forward;
  faults["clock-back"] = steps_the_clock_back;
  faults["suspend"] = suspends;
  faults["suspend-s2idle"] = suspends_with_the_clock_running;
  faults["no-descriptors"] = exhausts_the_descriptors;
  faults["no-descriptors-hang"] = hangs_without_descriptors;
  faults["full-disk"] = hangs_on_a_full_disk;
  faults["fork"] = forks;
  faults["full-pipe"] = logs_without_end;
}

}  // namespace canary::faults
