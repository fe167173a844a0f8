// SPDX-License-Identifier: Apache-2.0
#include "tests/support/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <thread>
#include <utility>

namespace canary::support {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooks{5};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (auto& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> whole_environment(std::vector<std::string> const& more) {
  std::vector<std::string> result;
  auto const replaced = [&more](std::string const& ours) {
    return std::ranges::any_of(more, [&ours](std::string const& theirs) {
      return theirs.starts_with(ours.substr(0, ours.find('=') + 1));
    });
  };
  for (char** each = environ; *each != nullptr; ++each) {
    if (!replaced(*each)) result.emplace_back(*each);
  }
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::string whole(int fd) {
  std::string text;
  char bytes[16'384];
  ssize_t size = 0;
  while ((size = ::pread(fd, bytes, sizeof bytes, static_cast<off_t>(text.size()))) > 0) {
    text.append(bytes, static_cast<std::size_t>(size));
  }
  return text;
}

}  // namespace

bool eventually(std::function<bool()> const& condition, std::chrono::seconds limit) {
  auto const until = steady_clock::now() + limit;
  while (!condition()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return true;
}

ChildProcess::ChildProcess(std::vector<std::string> command,
                           std::vector<std::string> const& environment)
    : out_(::memfd_create("child-out", MFD_CLOEXEC)),
      err_(::memfd_create("child-err", MFD_CLOEXEC)) {
  auto words = whole_environment(environment);
  auto const arguments = pointers(command);
  auto const variables = pointers(words);
  pid_t const parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ > 0) return;
  // Only what may be called between fork and exec beside other threads.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(out_, STDOUT_FILENO);
  ::dup2(err_, STDERR_FILENO);
  ::execve(arguments.front(), arguments.data(), variables.data());
  ::_exit(127);
}

ChildProcess::~ChildProcess() {
  if (!ended()) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(out_);
  ::close(err_);
}

void ChildProcess::signal(int number) const {
  if (!code_) ::kill(pid_, number);
}

bool ChildProcess::ended() {
  int status = 0;
  if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_.has_value();
}

std::optional<int> ChildProcess::exit_code(std::chrono::seconds limit) {
  eventually([this] { return ended(); }, limit);
  return code_;
}

std::string ChildProcess::out() const { return whole(out_); }
std::string ChildProcess::err() const { return whole(err_); }

bool ChildProcess::says(std::string const& text, std::chrono::seconds limit) {
  bool said = false;
  eventually(
      [&] {
        bool const over = ended();  // before looking: nothing comes after it
        said = err().find(text) != std::string::npos;
        return said || over;
      },
      limit);
  return said;
}

std::size_t ChildProcess::descriptors() const {
  std::filesystem::path const folder = "/proc/" + std::to_string(pid_) + "/fd";
  std::filesystem::directory_iterator const files{folder};
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

Ran run(std::vector<std::string> command, std::vector<std::string> const& environment) {
  ChildProcess child{std::move(command), environment};
  auto const code = child.exit_code();
  return {.code = code, .out = child.out(), .err = child.err()};
}

}  // namespace canary::support
