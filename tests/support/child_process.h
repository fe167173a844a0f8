// SPDX-License-Identifier: Apache-2.0
// A program as a child of the test: its output in memory, its end awaited with a limit, and gone
// with the test whatever happens.
// Thread: the test's main thread, which starts the child and must outlive it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace canary::support {

inline constexpr std::chrono::seconds kPatience{40};  // far more than anything needs

// Asks `condition` again and again until it holds; false when `limit` passes first.
bool eventually(std::function<bool()> const& condition, std::chrono::seconds limit = kPatience);

class ChildProcess {
 public:
  // `command` is the program's path and its arguments; `environment` adds to or replaces ours
  // ("NAME=value"). Signals are at their defaults, standard input is /dev/null.
  explicit ChildProcess(std::vector<std::string> command,
                        std::vector<std::string> const& environment = {});
  ~ChildProcess();  // kills it where it still runs
  ChildProcess(ChildProcess const&) = delete;
  ChildProcess& operator=(ChildProcess const&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Its exit code, 128 + N where signal N ended it; nothing when it still runs after `limit`.
  std::optional<int> exit_code(std::chrono::seconds limit = kPatience);
  std::string out() const;
  std::string err() const;
  // Waits until its standard error holds `text`; false when it does not come, or it has ended.
  bool says(std::string const& text, std::chrono::seconds limit = kPatience);
  // Descriptors that it has open now.
  std::size_t descriptors() const;

 private:
  bool ended();

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::optional<int> code_;
};

struct Ran {
  std::optional<int> code;  // nothing: it did not end
  std::string out, err;
};
// Runs a program to its end.
Ran run(std::vector<std::string> command, std::vector<std::string> const& environment = {});

}  // namespace canary::support
