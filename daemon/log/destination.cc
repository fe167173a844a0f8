// SPDX-License-Identifier: Apache-2.0
#include "daemon/log/destination.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "daemon/log/line_format.h"

namespace canary::daemon {
namespace {

// The priorities of syslog(3), as sd-daemon(3) has them.
std::string_view priority(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return "<7>";
    case config::LogLevel::info:
      return "<6>";
    case config::LogLevel::warn:
      return "<4>";
    case config::LogLevel::error:
      return "<3>";
  }
  return "<3>";
}

std::string_view colour(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return "\033[2m";
    case config::LogLevel::info:
      return "";
    case config::LogLevel::warn:
      return "\033[33m";
    case config::LogLevel::error:
      return "\033[1;31m";
  }
  return "";
}

std::string variable(char const* name) {
  char const* const value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

Destination destination_of(int fd, char const* journal_stream, bool colour) {
  struct stat file{};
  bool const known = ::fstat(fd, &file) == 0;
  if (known && journal_stream != nullptr &&
      std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == journal_stream) {
    return Destination::journal;
  }
  return colour && ::isatty(fd) == 1 ? Destination::terminal : Destination::plain;
}

Destination destination_of(int fd) {
  bool const colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return destination_of(fd, std::getenv("JOURNAL_STREAM"), colour);
}

void write_for(Destination destination, config::LogLevel level, std::string_view line,
               std::string& out) {
  if (destination == Destination::journal) {
    out = priority(level);
    out += line;
    return;
  }
  out = line;
  if (destination != Destination::terminal || colour(level).empty()) return;
  // The first of these words is the line's own: only the time stands before it.
  std::string const word = "level=" + std::string{to_text(level)};
  auto const at = out.find(word);
  if (at == std::string::npos) return;  // JSON is for programs
  out.insert(at + word.size(), "\033[0m");
  out.insert(at, colour(level));
}

}  // namespace canary::daemon
