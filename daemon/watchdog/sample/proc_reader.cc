// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/proc_reader.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "daemon/text/fixed_text.h"

namespace canary::watchdog {
namespace {

int open_of_thread(std::int32_t thread, std::string_view file) {
  ShortText<64> path;
  path.add("/proc/self/task/").number(static_cast<std::uint64_t>(thread)).add("/").add(file);
  return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

void close_one(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

std::string_view read_at_start(int descriptor, char* into, std::size_t size) {
  if (descriptor < 0) return {};
  auto const got = ::pread(descriptor, into, size, 0);
  return got > 0 ? std::string_view{into, static_cast<std::size_t>(got)} : std::string_view{};
}

std::int64_t take_number(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n')) {
    text.remove_prefix(1);
  }
  bool const negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::int64_t value = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  return negative ? -value : value;
}

std::string_view after(std::string_view text, std::string_view label) {
  for (std::size_t i = 0; i + label.size() <= text.size(); ++i) {
    if (__builtin_memcmp(text.data() + i, label.data(), label.size()) != 0) continue;
    text.remove_prefix(i + label.size());
    return text;
  }
  return {};
}

void read_stat(std::string_view text, ThreadSample& sample) {
  // The name in parentheses may itself hold parentheses: the last one ends it.
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.data()[i] == ')') end = i;
  }
  if (end == 0 || end + 2 >= text.size()) return;
  sample.state = text.data()[end + 2];
  sample.known = true;
}

void read_schedstat(std::string_view text, ThreadSample& sample) {
  sample.cpu_ns = take_number(text);
  sample.delay_ns = take_number(text);
}

std::int64_t cpu_clock_ns(std::int32_t thread) {
  // Beyond, the id would name another kind of clock.
  if (thread <= 0 || thread >= 1 << 28) return -1;
  // As pthread_getcpuclockid() makes it of a thread's id: bit 2 says "a thread", 2 "its CPU time".
  auto const clock = static_cast<clockid_t>((~static_cast<unsigned>(thread) << 3) | 6U);
  timespec now{};
  if (::clock_gettime(clock, &now) != 0) return -1;
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

std::int64_t read_system_call(std::string_view text) {
  // "running" on a CPU, or "-1 SP PC" where it sleeps outside of any call.
  if (text.empty() || text.front() < '0' || text.front() > '9') return -1;
  return take_number(text);
}

bool read_traced(std::string_view text) {
  std::string_view rest = after(text, "TracerPid:");
  return take_number(rest) != 0;
}

bool ThreadFiles::open(std::int32_t thread) {
  close();
  thread_ = thread;
  stat_ = open_of_thread(thread, "stat");
  schedstat_ = open_of_thread(thread, "schedstat");
  syscall_ = open_of_thread(thread, "syscall");
  status_ = open_of_thread(thread, "status");
  return stat_ >= 0;
}

void ThreadFiles::close() {
  close_one(stat_);
  close_one(schedstat_);
  close_one(syscall_);
  close_one(status_);
  thread_ = 0;
}

ThreadSample ThreadFiles::sample(Depth depth, std::int64_t now_ns) const {
  ThreadSample sample;
  sample.at_ns = now_ns;
  char bytes[2048];
  read_stat(read_at_start(stat_, bytes, sizeof bytes), sample);
  read_schedstat(read_at_start(schedstat_, bytes, sizeof bytes), sample);
  // The clock is exact for a thread that runs just now, and there where schedstat is not (gVisor, a
  // kernel without schedstats, no /proc).
  std::int64_t const clock = thread_ == 0 ? -1 : cpu_clock_ns(thread_);
  if (clock >= 0) sample.cpu_ns = clock;
  sample.timed = clock >= 0 || sample.cpu_ns > 0;
  if (depth == Depth::full) {
    sample.system_call = read_system_call(read_at_start(syscall_, bytes, sizeof bytes));
    sample.traced = read_traced(read_at_start(status_, bytes, sizeof bytes));
  }
  return sample;
}

}  // namespace canary::watchdog
