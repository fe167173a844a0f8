// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;

namespace canary::dump {
namespace {

std::string beside_this_program() {
  std::array<char, PATH_MAX> path{};
  ssize_t const size = ::readlink("/proc/self/exe", path.data(), path.size());
  std::string program(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return program.substr(0, program.rfind('/') + 1) + "canaryd-dump-helper";
}

std::string because(int error) { return std::generic_category().message(error); }

struct Pipes {
  std::array<int, 2> to{-1, -1}, from{-1, -1};
  Pipes() = default;
  ~Pipes() {
    for (int const end : {to[0], to[1], from[0], from[1]}) {
      if (end >= 0) ::close(end);
    }
  }
  Pipes(Pipes const&) = delete;
  Pipes& operator=(Pipes const&) = delete;
};

int spawn(HelperOptions const& options, std::string const& program, Pipes const& pipes,
          std::int32_t& process) {
  std::string const keep = std::to_string(options.keep);
  std::string const bytes = std::to_string(options.keep_bytes);
  std::vector<char const*> arguments{program.c_str(), "--runtime",  options.runtime.c_str(),
                                     "--keep",        keep.c_str(), "--keep-bytes",
                                     bytes.c_str()};
  if (!options.state.empty()) {
    arguments.push_back("--state");
    arguments.push_back(options.state.c_str());
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipes.to[0], 0);
  ::posix_spawn_file_actions_adddup2(&actions, pipes.from[1], 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // Its own process group: a Ctrl-C in a terminal is for the daemon, which then closes the pipe.
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  int const error = ::posix_spawn(&child, program.c_str(), &actions, &attributes,
                                  const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  process = child;
  return error;
}

}  // namespace

HelperProcess::~HelperProcess() {
  if (to_ >= 0) ::close(to_);
  if (from_ >= 0) ::close(from_);
}

std::string HelperProcess::start(HelperOptions const& options) {
  std::string const program = options.program.empty() ? beside_this_program() : options.program;
  Pipes pipes;
  if (::pipe2(pipes.to.data(), O_CLOEXEC) != 0 || ::pipe2(pipes.from.data(), O_CLOEXEC) != 0) {
    return "cannot make a pipe to the dump helper: " + because(errno);
  }
  if (int const error = spawn(options, program, pipes, process_); error != 0) {
    process_ = 0;
    return "cannot start the dump helper " + program + ": " + because(error);
  }
  to_ = std::exchange(pipes.to[1], -1);
  from_ = std::exchange(pipes.from[0], -1);
  ::fcntl(to_, F_SETFL, O_NONBLOCK);
  ::fcntl(from_, F_SETFL, O_NONBLOCK);
  // Where Yama guards processes, this one may be read by its helper; elsewhere it is not needed.
  ::prctl(PR_SET_PTRACER, process_, 0, 0, 0);
  return {};
}

bool HelperProcess::alive() {
  if (process_ == 0) return false;
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) == process_) process_ = 0;
  return process_ != 0;
}

}  // namespace canary::dump
