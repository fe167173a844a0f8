// SPDX-License-Identifier: Apache-2.0
// Where a black box comes from, and where it goes to.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>

#include "daemon/dump/black_box.h"
#include "daemon/dump/write/raw_format.h"
#include "daemon/dump/write/section_writer.h"
#include "daemon/text/fixed_text.h"
#include "daemon/watchdog/sample/stored_tables.h"

namespace canary::dump {
namespace {

constexpr int kFirstHandedOver = 3;  // SD_LISTEN_FDS_START
constexpr int kMostHandedOver = 4'096;
constexpr off_t kMostTables = 256 * 1024 * 1024;
constexpr std::size_t kAlignment = 64;

int number_in(char const* variable) {
  char const* const text = std::getenv(variable);
  if (text == nullptr) return 0;
  int value = 0;
  auto const* const end = text + std::strlen(text);
  auto const parsed = std::from_chars(text, end, value);
  return parsed.ptr == end ? value : 0;
}

// The name at the front of "a:b:c", which loses it.
std::string_view take_name(std::string_view& names) {
  auto const colon = names.find(':');
  auto const name = names.substr(0, colon);
  names.remove_prefix(colon == names.npos ? names.size() : colon + 1);
  return name;
}

std::string because(std::string const& what) {
  return what + ": " + std::generic_category().message(errno);
}

// Returns why not; empty where `into` has all of it.
std::string read_tables(int descriptor, TablesCopy& into) {
  struct stat about{};
  if (::fstat(descriptor, &about) != 0) return because("the tables that were kept cannot be read");
  if (!S_ISREG(about.st_mode) || about.st_size > kMostTables ||
      about.st_size < static_cast<off_t>(sizeof(runtime::TablesHeader))) {
    return "what was kept as tables is of " + std::to_string(about.st_size) +
           " bytes: none of ours";
  }
  TablesCopy copy{static_cast<std::size_t>(about.st_size)};
  auto rest = copy.bytes();
  off_t at = 0;
  while (!rest.empty()) {
    auto const got = ::pread(descriptor, rest.data(), rest.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return because("the tables that were kept cannot be read");
    at += got;
    rest = rest.subspan(static_cast<std::size_t>(got));
  }
  into = std::move(copy);
  return {};
}

bool listens(int descriptor) {
  int on = 0;
  socklen_t size = sizeof on;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0;
}

std::int64_t started(TablesCopy& copy) {
  runtime::TablesHeader header;
  std::memcpy(&header, copy.bytes().data(), sizeof header);
  return header.started_monotonic_ns;
}

int create_in(std::string const& directory, std::int32_t process, std::string& path) {
  std::string const stem = directory + "/post-mortem-" + std::to_string(process);
  for (int copy = 1; copy < 10; ++copy) {
    path = stem + (copy == 1 ? "" : "-" + std::to_string(copy)) + ".raw";
    int const file =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file >= 0 || errno != EEXIST) return file;
  }
  return -1;
}

AboutSection about_of(BlackBox const& box) {
  AboutSection about;
  about.process = box.executor.process;
  about.clock_ticks = static_cast<std::int32_t>(::sysconf(_SC_CLK_TCK));
  about.wall_ns = box.ended_wall_ns;
  about.monotonic_ns = box.ended_ns;
  about.decided_ns = box.wrote_ns;
  if (auto* const own = runtime::tables()) about.build_id = own->header().build_id;
  copy_text(about.reason, kPostMortem);
  [[maybe_unused]] auto const length =
      ::readlink("/proc/self/exe", about.program.data(), about.program.size() - 1);
  return about;
}

}  // namespace

std::span<std::byte> TablesCopy::bytes() {
  void* start = words_.data();
  std::size_t room = words_.size() * 8;
  if (std::align(kAlignment, bytes_, start, room) == nullptr) return {};
  return {static_cast<std::byte*>(start), bytes_};
}

HandedOver take_handed_over() {
  HandedOver result;
  bool const for_us = number_in("LISTEN_PID") == ::getpid();
  int const count = for_us ? std::min(number_in("LISTEN_FDS"), kMostHandedOver) : 0;
  char const* const announced = std::getenv("LISTEN_FDNAMES");
  std::string const all = announced == nullptr ? "" : announced;
  std::string_view names = all;
  for (int descriptor = kFirstHandedOver; descriptor < kFirstHandedOver + count; ++descriptor) {
    auto const name = take_name(names);
    if (name == watchdog::kStoredTables) {
      TablesCopy copy;
      auto trouble = read_tables(descriptor, copy);
      if (!trouble.empty()) {
        result.trouble = std::move(trouble);
      } else if (result.tables.empty() || started(copy) > started(result.tables)) {
        result.tables = std::move(copy);
      }
    } else if (listens(descriptor)) {
      ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
      result.listeners.push_back(descriptor);
      continue;
    } else {
      (result.unclaimed += result.unclaimed.empty() ? "" : ", ") += name;
    }
    ::close(descriptor);
  }
  for (char const* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::unsetenv(variable);
  }
  return result;
}

std::string write_post_mortem(BlackBox& box, HandedOver& handed_over, std::string const& directory,
                              std::string const& versions) {
  std::string path;
  int const file = create_in(directory, box.executor.process, path);
  if (file < 0) return because("cannot make " + path);
  std::array<std::byte, 16 * 1024> buffer{};
  SectionWriter out{file, buffer};
  AboutSection const about = about_of(box);
  out.begin(SectionType::about);
  out.bytes(&about, sizeof about);
  out.end();
  auto const block = handed_over.tables.bytes();
  out.begin(SectionType::tables);
  out.bytes(block.data(), block.size());
  out.end();
  out.begin(SectionType::texts);
  for (auto const& [offset, text] : box.texts) out.item(1, offset, text);
  out.end();
  out.begin(SectionType::versions);
  if (!box.texts.empty()) out.text(versions);  // of the same build alone they are the dead one's
  out.end();
  out.begin(SectionType::end);
  out.end();
  ::close(file);
  if (out.error() != 0) {
    ::unlink(path.c_str());
    errno = out.error();
    return because("cannot write " + path);
  }
  copy_text(box.words.dump, path);
  return {};
}

}  // namespace canary::dump
