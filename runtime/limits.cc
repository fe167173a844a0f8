// SPDX-License-Identifier: Apache-2.0
#include "runtime/limits.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <system_error>

#include <boost/system/system_error.hpp>

#include "runtime/crash.h"

namespace canary::runtime {
namespace {

constexpr std::size_t kThreadStack = std::size_t{8} << 20;
constexpr std::size_t kSmallStack = std::size_t{2} << 20;  // which suffices, where room is scarce

// Opened the wrong way round, so that who uses it hears of it. Without /dev/null (an empty chroot)
// anything that neither reads nor writes will do.
bool hold(int descriptor) {
  int const mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
  int file = ::open("/dev/null", mode);
  if (file < 0) file = ::open("/", O_PATH | O_DIRECTORY);
  return file == descriptor;
}

void hold_standard_descriptors() {
  for (int const each : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(each, F_GETFD) < 0 && errno == EBADF) hold(each);
  }
}

// The thread may have no memory left: neither here nor in what is called.
void say(char const* text) noexcept {
  [[maybe_unused]] auto const ignored = ::write(STDERR_FILENO, text, std::strlen(text));
}

[[noreturn]] void end_of_uncaught() noexcept {
  say("canaryd: ended by an exception that nobody caught: ");
  try {
    if (auto const thrown = std::current_exception()) std::rethrow_exception(thrown);
    say("none, but a thread that was not joined or a broken promise");
  } catch (std::bad_alloc const&) {
    say("no memory; RLIMIT_AS, RLIMIT_DATA or memory.max limits it, or the machine has none");
  } catch (std::exception const& failed) {
    say(failed.what());
  } catch (...) {
    say("of a kind of its own");
  }
  say("\n");
  end_by_defect("an exception that nobody caught");
}

std::string limit(int resource, char const* name) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) != 0) return {};
  if (now.rlim_cur == RLIM_INFINITY) return {};
  return std::string{name} + " " + std::to_string(now.rlim_cur);
}

// Of this process's control group; nothing where there is none, or no limit.
std::string group_limit(char const* name) {
  std::ifstream groups{"/proc/self/cgroup"};
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue;
    std::ifstream file{"/sys/fs/cgroup" + line.substr(3) + "/" + name};
    std::string value;
    if (file >> value && value != "max") return std::string{name} + " " + value;
  }
  return {};
}

// " (RLIMIT_NPROC 12, pids.max 30)", of those that there are.
std::string in_brackets(std::initializer_list<std::string> limits) {
  std::string text;
  for (auto const& each : limits) {
    if (each.empty()) continue;
    text += (text.empty() ? " (" : ", ") + each;
  }
  return text.empty() ? text : text + ")";
}

std::string no_memory() {
  return "there is no more memory" +
         in_brackets({limit(RLIMIT_AS, "RLIMIT_AS"), limit(RLIMIT_DATA, "RLIMIT_DATA"),
                      limit(RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"), group_limit("memory.max")});
}

std::string lacking(int error) {
  switch (error) {
    case EAGAIN:  // of a thread whose stack finds no room, too
      return "no more threads or processes can be started" +
             in_brackets({limit(RLIMIT_NPROC, "RLIMIT_NPROC"), group_limit("pids.max"),
                          limit(RLIMIT_AS, "RLIMIT_AS"), limit(RLIMIT_DATA, "RLIMIT_DATA"),
                          group_limit("memory.max")});
    case EMFILE:
      return "no more descriptors may be open" +
             in_brackets({limit(RLIMIT_NOFILE, "RLIMIT_NOFILE")});
    case ENFILE:
      return "the machine has no more descriptors (fs.file-max)";
    case ENOMEM:
      return no_memory();
    case EFBIG:
      return "no file may grow further" + in_brackets({limit(RLIMIT_FSIZE, "RLIMIT_FSIZE")});
    default:
      return {};
  }
}

bool is_limited(int resource) {
  rlimit now{};
  return ::getrlimit(static_cast<__rlimit_resource_t>(resource), &now) == 0 &&
         now.rlim_cur != RLIM_INFINITY;
}

// Of threads that are started from now on. RLIMIT_STACK sets it otherwise: for a small one threads
// would run off their stacks, for a large one they would fill a limited address space.
void choose_thread_stacks() {
  pthread_attr_t attributes;
  if (::pthread_getattr_default_np(&attributes) != 0) return;
  std::size_t size = 0;
  ::pthread_attr_getstacksize(&attributes, &size);
  bool const scarce = is_limited(RLIMIT_AS) || is_limited(RLIMIT_DATA);
  std::size_t const wanted = scarce ? kSmallStack : kThreadStack;
  bool const fits = scarce ? size == wanted : size >= kSmallStack;
  if (!fits && ::pthread_attr_setstacksize(&attributes, wanted) == 0) {
    ::pthread_setattr_default_np(&attributes);
  }
  ::pthread_attr_destroy(&attributes);
}

// True where this thread's stack may grow to what is needed.
bool stack_suffices() {
  rlimit now{};
  if (::getrlimit(RLIMIT_STACK, &now) != 0 || now.rlim_cur >= kSmallStack) return true;
  rlimit const raised{.rlim_cur = now.rlim_max, .rlim_max = now.rlim_max};
  return now.rlim_max >= kSmallStack && ::setrlimit(RLIMIT_STACK, &raised) == 0;
}

struct Program {
  int (*body)(int, char**);
  int count;
  char** words;
  sigset_t signals;
  int code;
};

void* run_program(void* program_pointer) {
  auto& program = *static_cast<Program*>(program_pointer);
  ::pthread_sigmask(SIG_SETMASK, &program.signals, nullptr);
  program.code = program.body(program.count, program.words);
  return nullptr;
}

// On a stack of its own; every signal is for that thread, and whom it starts.
int run_elsewhere(Program program) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &program.signals);
  pthread_t thread{};
  int const error = ::pthread_create(&thread, nullptr, &run_program, &program);
  if (error != 0) {
    say("canaryd: RLIMIT_STACK is too small, and no thread with a larger stack can be started\n");
    return 1;
  }
  ::pthread_join(thread, nullptr);
  return program.code;
}

}  // namespace

int run_prepared(int (*body)(int, char**), int count, char** words) {
  hold_standard_descriptors();
  std::signal(SIGXFSZ, SIG_IGN);
  std::set_terminate(&end_of_uncaught);
  choose_thread_stacks();
  if (stack_suffices()) return body(count, words);
  return run_elsewhere({.body = body, .count = count, .words = words, .signals = {}, .code = 1});
}

std::size_t raise_descriptor_limit() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0) return 0;
  rlimit const raised{.rlim_cur = now.rlim_max, .rlim_max = now.rlim_max};
  if (now.rlim_cur < now.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) now = raised;
  return now.rlim_cur;
}

std::string explain(int error) {
  std::string const text = std::generic_category().message(error);
  std::string const what = lacking(error);
  return what.empty() ? text : text + ": " + what;
}

std::string explain(std::exception const& thrown) {
  if (dynamic_cast<std::bad_alloc const*>(&thrown) != nullptr) return no_memory();
  int error = 0;
  if (auto const* const failed = dynamic_cast<std::system_error const*>(&thrown)) {
    bool const plain = failed->code().category() == std::generic_category() ||
                       failed->code().category() == std::system_category();
    error = plain ? failed->code().value() : 0;
  } else if (auto const* const asios = dynamic_cast<boost::system::system_error const*>(&thrown)) {
    bool const plain = asios->code().category() == boost::system::system_category();
    error = plain ? asios->code().value() : 0;
  }
  std::string const what = lacking(error);
  return what.empty() ? thrown.what() : std::string{thrown.what()} + ": " + what;
}

}  // namespace canary::runtime
