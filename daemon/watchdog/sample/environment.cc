// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/environment.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sample/proc_reader.h"

namespace canary::watchdog {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

bool contains_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    std::size_t end = 0;
    while (end < list.size() && list.data()[end] != ',') ++end;
    if (std::string_view{list.data(), end} == word) return true;
    list.remove_prefix(end < list.size() ? end + 1 : end);
  }
  return false;
}

std::string_view take_until(std::string_view& text, char stop) {
  std::size_t end = 0;
  while (end < text.size() && text.data()[end] != stop) ++end;
  std::string_view const taken{text.data(), end};
  text.remove_prefix(end < text.size() ? end + 1 : end);
  return taken;
}

int open_read(char const* path) { return ::open(path, O_RDONLY | O_CLOEXEC); }

int open_cpu_stat() {
  char bytes[4096];
  int const file = open_read("/proc/self/cgroup");
  std::string_view const text = read_at_start(file, bytes, sizeof bytes);
  if (file >= 0) ::close(file);
  bool version2 = false;
  std::string_view const path = cpu_cgroup(text, version2);
  // The path is the host's where the cgroup's namespace is not ours: then the mount's root is us.
  for (std::string_view const base :
       {std::string_view{"/sys/fs/cgroup"}, std::string_view{"/sys/fs/cgroup/cpu"},
        std::string_view{"/sys/fs/cgroup/cpu,cpuacct"},
        std::string_view{"/sys/fs/cgroup/unified"}}) {
    for (std::string_view const inside : {path, std::string_view{}}) {
      ShortText<512> name;
      name.add(base).add(inside).add("/cpu.stat");
      int const stat = open_read(name.c_str());
      if (stat < 0) continue;
      char content[2048];
      if (!after(read_at_start(stat, content, sizeof content), "throttled_").empty()) return stat;
      ::close(stat);
    }
  }
  return -1;
}

}  // namespace

std::int64_t read_throttled(std::string_view text) {
  // Version 1 has nanoseconds, version 2 microseconds.
  std::string_view rest = after(text, "throttled_usec ");
  if (!rest.empty()) return take_number(rest) * 1'000;
  rest = after(text, "throttled_time ");
  return take_number(rest);
}

std::string_view cpu_cgroup(std::string_view text, bool& version2) {
  std::string_view unified;
  version2 = false;
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    std::string_view const hierarchy = take_until(line, ':');
    std::string_view const controllers = take_until(line, ':');
    if (line == "/") line = {};
    if (contains_word(controllers, "cpu")) return line;
    if (hierarchy == "0" && controllers.empty()) {
      unified = line;
      version2 = true;
    }
  }
  return unified;
}

void EnvironmentReader::open(int processors) {
  close();
  schedstat_ = open_read("/proc/thread-self/schedstat");
  stat_ = open_read("/proc/stat");
  throttle_ = open_cpu_stat();
  processors_ = processors > 0 ? processors : 1;
  last_ = {};
  last_ = read(true);
}

void EnvironmentReader::close() {
  for (int* const file : {&schedstat_, &stat_, &throttle_}) {
    if (*file >= 0) ::close(*file);
    *file = -1;
  }
}

Surroundings EnvironmentReader::read(bool costly) {
  last_.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
  last_.boot_ns = clock_ns(CLOCK_BOOTTIME);
  last_.wall_ns = clock_ns(CLOCK_REALTIME);
  if (!costly) return last_;
  char bytes[4096];
  ThreadSample own;
  read_schedstat(read_at_start(schedstat_, bytes, sizeof bytes), own);
  last_.own_delay_ns = own.delay_ns;
  last_.throttled_ns = read_throttled(read_at_start(throttle_, bytes, sizeof bytes));
  std::string_view cpu = read_at_start(stat_, bytes, sizeof bytes);
  cpu = after(cpu, "cpu ");
  std::int64_t steal = 0;
  for (int column = 0; column < 8; ++column) steal = take_number(cpu);
  constexpr std::int64_t kTicksPerSecond = 100;  // USER_HZ
  last_.steal_ns = steal * (kSecond / kTicksPerSecond) / processors_;
  return last_;
}

}  // namespace canary::watchdog
