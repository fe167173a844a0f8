// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/running_daemon.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <CLI/CLI.hpp>

#include "config/config.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
constexpr int kAnswersWithin = 10;  // seconds

// Closes what it holds.
struct Socket {
  explicit Socket(int fd) : fd(fd) {}
  ~Socket() {
    if (fd >= 0) ::close(fd);
  }
  Socket(Socket const&) = delete;
  Socket& operator=(Socket const&) = delete;
  int fd;
};

PrivateAnswer no_answer(fs::path const& socket, std::string const& why) {
  return {0, "no canaryd answers at " + socket.string() + ": " + why};
}

PrivateAnswer split(fs::path const& socket, std::string const& reply) {
  auto const end = reply.find("\r\n\r\n");
  auto const space = reply.find(' ');
  int status = 0;
  if (end == std::string::npos || space == std::string::npos) {
    return no_answer(socket, "it closed the connection");
  }
  std::from_chars(reply.data() + space + 1, reply.data() + end, status);
  return {status, reply.substr(end + 4)};
}

}  // namespace

void add_daemon_flags(CLI::App& command, DaemonFlags& flags) {
  command.add_option("--config", flags.config, "The running daemon's configuration")
      ->capture_default_str();
  command.add_option("--state-directory", flags.state_directory,
                     "Its state directory, instead of the configuration's");
}

Places find_places(DaemonFlags const& flags) {
  fs::path state = flags.state_directory;
  if (state.empty()) {
    auto const loaded = config::load(flags.config, config::process_environment());
    state = loaded ? loaded.value().state_directory : config::Config{}.state_directory;
  }
  Places const own = places(state);
  std::error_code ignored;
  if (fs::exists(own.socket(), ignored)) return own;
  Places const unit{state, "/run/canaryd"};
  return fs::exists(unit.socket(), ignored) ? unit : own;
}

PrivateAnswer ask_daemon(Places const& places, std::string const& path) {
  auto const where = places.socket();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string const text = where.string();
  if (text.size() >= sizeof address.sun_path) return no_answer(where, "the path is too long");
  text.copy(address.sun_path, text.size());
  Socket const socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  timeval const limit{kAnswersWithin, 0};
  ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(socket.fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    return no_answer(where, std::generic_category().message(errno));
  }
  std::string const request = "GET " + path + " HTTP/1.0\r\nHost: canaryd\r\n\r\n";
  if (::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return no_answer(where, std::generic_category().message(errno));
  }
  std::string reply;
  std::array<char, 65536> piece{};
  while (true) {
    ssize_t const got = ::recv(socket.fd, piece.data(), piece.size(), 0);
    if (got < 0) return no_answer(where, std::generic_category().message(errno));
    if (got == 0) break;
    reply.append(piece.data(), static_cast<std::size_t>(got));
  }
  return split(where, reply);
}

}  // namespace canary::daemon
