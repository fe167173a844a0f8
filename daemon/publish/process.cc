// SPDX-License-Identifier: Apache-2.0
// Reads /proc/self with plain system calls.
// Source: proc(5).
#include "daemon/publish/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace canary::daemon {
namespace {

std::string contents(char const* path) {
  std::ifstream file{path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  return value;
}

// The fields of /proc/self/stat from the third on: the second, the name, may hold blanks.
std::vector<std::string_view> fields_after_name(std::string_view stat) {
  std::vector<std::string_view> fields;
  auto const name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return fields;
  stat.remove_prefix(name_end + 1);
  while (!stat.empty()) {
    auto const start = stat.find_first_not_of(" \n");
    if (start == std::string_view::npos) break;
    stat.remove_prefix(start);
    auto const end = std::min(stat.find_first_of(" \n"), stat.size());
    fields.push_back(stat.substr(0, end));
    stat.remove_prefix(end);
  }
  return fields;
}

std::optional<std::uint64_t> boot_time() {
  std::string const stat = contents("/proc/stat");
  auto const at = stat.find("\nbtime ");
  if (at == std::string::npos) return std::nullopt;
  return number(std::string_view{stat}.substr(at + 7));
}

std::optional<std::uint64_t> count_open_fds() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  std::uint64_t count = 0;
  while (dirent const* const entry = ::readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  ::closedir(directory);
  return count - 1;  // without the one that counted
}

}  // namespace

ProcessFacts process_facts() {
  ProcessFacts facts;
  std::string const stat = contents("/proc/self/stat");
  auto const fields = fields_after_name(stat);
  // Numbers as in proc(5), whose first is 1; our first is its third.
  auto const field = [&fields](std::size_t n) -> std::optional<std::uint64_t> {
    return n - 3 < fields.size() ? number(fields[n - 3]) : std::nullopt;
  };
  auto const ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  if (auto const user = field(14), system = field(15); user && system) {
    facts.cpu_seconds = static_cast<double>(*user + *system) / ticks;
  }
  facts.threads = field(20);
  if (auto const start = field(22), boot = boot_time(); start && boot) {
    facts.start_time = static_cast<double>(*boot) + static_cast<double>(*start) / ticks;
  }
  facts.virtual_bytes = field(23);
  if (auto const pages = field(24)) {
    facts.resident_bytes = *pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  facts.open_fds = count_open_fds();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = limit.rlim_cur;
  return facts;
}

}  // namespace canary::daemon
