// SPDX-License-Identifier: Apache-2.0
// Spawns, greets and ends the demo's child process; and what that process does.
// Thread: none.
#include "daemon/demo/demo_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <utility>

#include "config/descriptor.h"
#include "daemon/demo/demo_repositories.h"
#include "daemon/demo/file_server.h"

extern char** environ;

namespace canary::daemon {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kStartTimeout{10};
constexpr std::chrono::seconds kStopTimeout{2};

struct Pipe {
  Descriptor read, write;
};

std::string error_text(std::string_view doing, int error = errno) {
  return std::string(doing) + ": " + std::strerror(error);
}

// Both ends above the standard descriptors, so that the child can take those in any order.
Result<Pipe, std::string> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_text("cannot make a pipe");
  Descriptor const low_read(ends[0]), low_write(ends[1]);
  Pipe pipe{.read = Descriptor(::fcntl(low_read.get(), F_DUPFD_CLOEXEC, 3)),
            .write = Descriptor(::fcntl(low_write.get(), F_DUPFD_CLOEXEC, 3))};
  if (pipe.read.get() < 0 || pipe.write.get() < 0) return error_text("cannot make a pipe");
  return pipe;
}

// A socket bound to a free port of 127.0.0.1, and that port.
Result<std::pair<Descriptor, std::uint16_t>, std::string> bind_loopback() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return error_text("cannot make a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket.get(), generic, length) != 0 ||
      ::getsockname(socket.get(), generic, &length) != 0) {
    return error_text("cannot bind to 127.0.0.1");
  }
  return std::pair{std::move(socket), ntohs(address.sin_port)};
}

int complain(std::string const& sentence) {
  std::fprintf(stderr, "canaryd demo: the server of the repositories: %s\n", sentence.c_str());
  return 1;
}

// The child lives as long as its parent: Ctrl-C reaches the whole process group, and is the
// parent's business.
void live_with_the_parent() {
  for (int const ignored : {SIGINT, SIGHUP, SIGPIPE}) ::signal(ignored, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // beside the end of the lifeline, which is never missed
  ::prctl(PR_SET_NAME, "canaryd-demo");
}

// Signals as a program expects them at its start: the parent blocks them everywhere.
Result<pid_t, std::string> spawn(DemoCommand const& command, std::filesystem::path const& root,
                                 Pipe const& lifeline, Pipe const& output) {
  std::vector<std::string> arguments = command.arguments;
  arguments.push_back(root.string());
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, lifeline.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, output.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t process = -1;
  int const error =
      ::posix_spawn(&process, command.program.c_str(), &files, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) return error_text("cannot start " + command.program.string(), error);
  return process;
}

// Waits until there is something to read or the other end hangs up; false after `limit`.
bool wait_readable(int descriptor, Clock::time_point limit) {
  while (true) {
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()).count();
    pollfd polled{descriptor, POLLIN, 0};
    int const ready = ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

// The child's line: "PORT REFUSING\n".
Result<DemoPorts, std::string> read_ports(int output) {
  auto const limit = Clock::now() + kStartTimeout;
  std::string line;
  while (!line.ends_with('\n')) {
    if (!wait_readable(output, limit)) return "the demo's server does not say where it listens";
    char c = 0;
    ssize_t const got = ::read(output, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return "the demo's server ended before it listened";
    line += c;
    if (line.size() > 100) break;
  }
  DemoPorts ports;
  if (std::sscanf(line.c_str(), "%hu %hu", &ports.serving, &ports.refusing) != 2) {
    return "the demo's server says \"" + line + "\" instead of its ports";
  }
  return ports;
}

}  // namespace

int serve_demo(std::filesystem::path root) {
  live_with_the_parent();
  auto listening = bind_loopback();
  auto refusing = bind_loopback();  // bound, never listening: nobody else can answer there
  if (!listening) return complain(listening.error());
  if (!refusing) return complain(refusing.error());
  if (::listen(listening.value().first.get(), SOMAXCONN) != 0)
    return complain(error_text("cannot listen"));
  if (std::printf("%u %u\n", listening.value().second, refusing.value().second) < 0 ||
      std::fflush(stdout) != 0) {
    return complain(error_text("cannot tell where it listens"));
  }
  FileServerSettings settings{.listener = listening.value().first.release(),
                              .lifeline = STDIN_FILENO,
                              .root = std::move(root)};
  settings.trickling = kTricklingName;
  return serve_files(std::move(settings)) ? 0 : complain(error_text("cannot serve"));
}

Result<DemoServer, std::string> DemoServer::start(DemoCommand const& command,
                                                  std::filesystem::path const& root) {
  DemoServer server;
  {
    BOOST_OUTCOME_TRY(Pipe lifeline, make_pipe());
    BOOST_OUTCOME_TRY(Pipe output, make_pipe());
    BOOST_OUTCOME_TRY(server.process_, spawn(command, root, lifeline, output));
    server.lifeline_ = lifeline.write.release();
    server.output_ = output.read.release();
  }  // the child's ends are the child's alone now
  BOOST_OUTCOME_TRY(server.ports_, read_ports(server.output_));
  return server;
}

DemoServer::DemoServer(DemoServer&& other) noexcept
    : process_(std::exchange(other.process_, -1)),
      lifeline_(std::exchange(other.lifeline_, -1)),
      output_(std::exchange(other.output_, -1)),
      ports_(other.ports_) {}

DemoServer& DemoServer::operator=(DemoServer&& other) noexcept {
  if (this != &other) {
    stop();
    process_ = std::exchange(other.process_, -1);
    lifeline_ = std::exchange(other.lifeline_, -1);
    output_ = std::exchange(other.output_, -1);
    ports_ = other.ports_;
  }
  return *this;
}

void DemoServer::stop() noexcept {
  if (process_ < 0) return;
  ::close(std::exchange(lifeline_, -1));
  // It says nothing more, so that what comes is its end.
  if (!wait_readable(output_, Clock::now() + kStopTimeout)) ::kill(process_, SIGKILL);
  ::close(std::exchange(output_, -1));
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

}  // namespace canary::daemon
