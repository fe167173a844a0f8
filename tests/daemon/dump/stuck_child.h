// SPDX-License-Identifier: Apache-2.0
// A child process that hangs on purpose (stuck_program.cc), ended with the object.
// Thread: one (the test's).
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace canary::dump {

// A fresh directory, on tmpfs or wherever TMPDIR is.
class TempDirectory {
 public:
  TempDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "canary-dump-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TempDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TempDirectory(TempDirectory const&) = delete;
  TempDirectory& operator=(TempDirectory const&) = delete;
  std::string const& path() const { return path_; }

 private:
  std::string path_;
};

class StuckChild {
 public:
  explicit StuckChild(std::vector<std::string> arguments) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::vector<char*> words;
    for (auto& each : arguments) words.push_back(each.data());
    words.push_back(nullptr);
    if (::posix_spawn(&process_, words[0], &actions, nullptr, words.data(), environ) != 0) {
      process_ = 0;
    }
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    from_ = ends[0];
  }
  ~StuckChild() {
    if (process_ > 0) {
      ::kill(process_, SIGKILL);
      ::waitpid(process_, nullptr, 0);
    }
    if (from_ >= 0) ::close(from_);
  }
  StuckChild(StuckChild const&) = delete;
  StuckChild& operator=(StuckChild const&) = delete;

  // "NAME value" lines up to the one named `last`; waits for at most a minute.
  std::map<std::string, std::string> read_until(std::string const& last) {
    std::map<std::string, std::string> values;
    std::string text;
    while (values.find(last) == values.end()) {
      pollfd ready{from_, POLLIN, 0};
      char part[512];
      if (::poll(&ready, 1, 60'000) <= 0) break;
      ssize_t const size = ::read(from_, part, sizeof part);
      if (size <= 0) break;
      text.append(part, static_cast<std::size_t>(size));
      std::istringstream lines{text.substr(0, text.rfind('\n') + 1)};
      for (std::string line; std::getline(lines, line);) {
        auto const blank = line.find(' ');
        values[line.substr(0, blank)] = line.substr(blank + 1);
      }
    }
    return values;
  }
  pid_t process() const { return process_; }

 private:
  pid_t process_ = 0;
  int from_ = -1;
};

}  // namespace canary::dump
