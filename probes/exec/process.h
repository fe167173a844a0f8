// SPDX-License-Identifier: Apache-2.0
// A program in a session, and so a process group, of its own.
// By posix_spawn: it copies neither memory nor locks of this process' threads, and nothing of ours
// runs between it and the program. Boost.Process 1.81 forks, and waits by SIGCHLD or a thread.
// Thread: spawn() on a thread that may block, the rest anywhere.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/descriptor.h"
#include "config/result.h"

namespace canary::exec {

struct Command {
  std::vector<std::string> words;        // the program's path first
  std::vector<std::string> environment;  // "NAME=VALUE"
  std::filesystem::path directory;
};

class Process {
 public:
  struct Refusal {
    int error = 0;  // errno
    std::string why;
  };
  // Its input is /dev/null, its output pipes; it has no other descriptor, no blocked or ignored
  // signal, and no environment but its own. May block: the file may be on a disk that does not
  // answer.
  static Result<Process, Refusal> spawn(Command const& command);

  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  // Where it was not reaped: kills its group, and sees to it that it is reaped some time.
  ~Process();

  // To all of its group. No effect once reaped.
  void signal(int number) const;
  // Nothing: it still runs. Once it has ended, what is left of its group is killed, and its status
  // (see waitpid(2)) is given.
  std::optional<int> reap();

  // Not blocking. `ended` becomes readable with its end; -1 where the kernel has no such thing.
  Descriptor out, err, ended;

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_;  // -1: reaped, or moved from
};

// Processes that outlived SIGKILL so far, in a disk's wait; those that have ended meanwhile are
// reaped.
std::size_t unreaped_processes();

}  // namespace canary::exec
