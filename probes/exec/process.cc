// SPDX-License-Identifier: Apache-2.0
#include "probes/exec/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>

namespace canary::exec {
namespace {

struct Leftovers {
  std::mutex mutex;
  std::vector<pid_t> pids;
};
Leftovers& leftovers() {
  static Leftovers all;
  return all;
}

struct Pipe {
  Descriptor read, write;
};
std::optional<Pipe> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::nullopt;
  Pipe pipe{Descriptor{ends[0]}, Descriptor{ends[1]}};
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(FileActions const&) = delete;
  FileActions& operator=(FileActions const&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(Attributes const&) = delete;
  Attributes& operator=(Attributes const&) = delete;
  posix_spawnattr_t const* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers(std::vector<std::string> const& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (auto const& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  int const result = ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT);
  return result == 0 ? info.si_pid == pid : errno == ECHILD;
}

}  // namespace

Result<Process, Process::Refusal> Process::spawn(Command const& command) {
  auto const refused = [&](int error, std::string const& what) {
    return Refusal{error, what + ": " + std::generic_category().message(error)};
  };
  auto out = make_pipe();
  auto err = make_pipe();
  if (!out || !err) return refused(errno, "a pipe for its output cannot be made");
  FileActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), out->write.get(), 1);
  ::posix_spawn_file_actions_adddup2(actions.get(), err->write.get(), 2);
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), 3);
  ::posix_spawn_file_actions_addchdir_np(actions.get(), command.directory.c_str());
  Attributes const attributes;
  auto const words = pointers(command.words);
  auto const environment = pointers(command.environment);
  pid_t pid = -1;
  int const error = ::posix_spawn(&pid, words.front(), actions.get(), attributes.get(),
                                  words.data(), environment.data());
  if (error != 0) return refused(error, command.words.front() + " cannot be started");
  Process process{pid};
  process.ended = Descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  process.out = std::move(out->read);
  process.err = std::move(err->read);
  return process;
}

Process::Process(Process&& other) noexcept
    : out(std::move(other.out)),
      err(std::move(other.err)),
      ended(std::move(other.ended)),
      pid_(std::exchange(other.pid_, -1)) {}

Process::~Process() {
  if (pid_ < 0) return;
  signal(SIGKILL);
  if (reap()) return;
  std::lock_guard const lock{leftovers().mutex};
  leftovers().pids.push_back(pid_);
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(-pid_, number);
}

// The group has its leader's number: it must not be free for others while it is still used here.
std::optional<int> Process::reap() {
  if (pid_ < 0 || !has_ended(pid_)) return std::nullopt;
  signal(SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, WNOHANG);
  pid_ = -1;
  return status;
}

std::size_t unreaped_processes() {
  std::lock_guard const lock{leftovers().mutex};
  auto& pids = leftovers().pids;
  std::erase_if(pids, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
  return pids.size();
}

}  // namespace canary::exec
