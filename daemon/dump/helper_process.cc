// SPDX-License-Identifier: Apache-2.0
#include "daemon/dump/helper_process.h"

#include <fcntl.h>
#include <signal.h>
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

#include "runtime/tables.h"

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

// By the descriptor `image` where there is one. The child keeps it: an interpreter, as qemu for a
// program of another architecture, is handed that name and opens it after exec.
int spawn(HelperOptions const& options, std::string const& program, int image, Pipes const& pipes,
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
  // Onto itself: no longer close-on-exec, in the child alone.
  if (image >= 0) ::posix_spawn_file_actions_adddup2(&actions, image, image);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // Its own process group: a Ctrl-C in a terminal is for the daemon, which then closes the pipe.
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::string const path = image < 0 ? program : "/proc/self/fd/" + std::to_string(image);
  pid_t child = 0;
  int const error = ::posix_spawn(&child, path.c_str(), &actions, &attributes,
                                  const_cast<char* const*>(arguments.data()), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  process = child;
  return error;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

HelperProcess::~HelperProcess() {
  for (int const descriptor : {to_, from_, image_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

std::string HelperProcess::start(HelperOptions const& options) {
  options_ = options;
  program_ = options.program.empty() ? beside_this_program() : options.program;
  image_ = ::open(program_.c_str(), O_PATH | O_CLOEXEC);
  started_ns_ = runtime::now_ns();
  return run();
}

std::string HelperProcess::run() {
  Pipes pipes;
  if (::pipe2(pipes.to.data(), O_CLOEXEC) != 0 || ::pipe2(pipes.from.data(), O_CLOEXEC) != 0) {
    return "cannot make a pipe to the dump helper: " + because(errno);
  }
  ::fcntl(pipes.to[1], F_SETFL, O_NONBLOCK);
  ::fcntl(pipes.from[0], F_SETFL, O_NONBLOCK);
  std::int32_t child = 0;
  int error = spawn(options_, program_, image_, pipes, child);
  // Where there is no /proc.
  if (error != 0 && image_ >= 0) error = spawn(options_, program_, -1, pipes, child);
  if (error != 0) return "cannot start the dump helper " + program_ + ": " + because(error);
  if (to_ < 0) {
    to_ = std::exchange(pipes.to[1], -1);
    from_ = std::exchange(pipes.from[0], -1);
  } else {
    ::dup3(pipes.to[1], to_, O_CLOEXEC);
    ::dup3(pipes.from[0], from_, O_CLOEXEC);
  }
  sent_.store(0);
  done_.store(0);
  process_.store(child);
  ever_ran_ = true;
  // Where Yama guards processes, this one may be read by its helper; elsewhere it is not needed.
  ::prctl(PR_SET_PTRACER, child, 0, 0, 0);
  return {};
}

bool HelperProcess::alive() {
  std::int32_t const process = process_.load();
  if (process == 0) return false;
  if (::waitpid(process, &status_, WNOHANG) == process) process_.store(0);
  return process_.load() != 0;
}

std::string HelperProcess::why_it_is_needed(std::int64_t now_ns) {
  if (!alive()) return ever_ran_ ? how_it_ended(status_) : "is not there";
  if (sent_.load() == done_.load() || now_ns - asked_ns_.load() < kHangsAfter) return {};
  // One in uninterruptible sleep ends later; what it may still write, a new one finds done.
  killed_ = process_.exchange(0);
  ::kill(killed_, SIGKILL);
  return "did not answer for " + std::to_string(kHangsAfter / 1'000'000'000) + " s and was killed";
}

bool HelperProcess::needs_care(std::int64_t now_ns) {
  if (killed_ != 0 && ::waitpid(killed_, nullptr, WNOHANG) == killed_) killed_ = 0;
  bool const well = alive() && sent_.load() == done_.load();
  return !well && now_ns - started_ns_ >= kRestartEvery;
}

std::string HelperProcess::look_after(std::int64_t now_ns) {
  if (!needs_care(now_ns)) return {};
  std::string const why = why_it_is_needed(now_ns);
  if (why.empty()) return {};
  started_ns_ = now_ns;
  std::string const failed = run();
  if (failed.empty()) restarts_.fetch_add(1);
  return "the dump helper " + why + "; " +
         (failed.empty() ? "started anew" : failed + ": dumps stay raw until it can be started");
}

}  // namespace canary::dump
