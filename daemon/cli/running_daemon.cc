// SPDX-License-Identifier: Apache-2.0
#include "daemon/cli/running_daemon.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <thread>

#include <CLI/CLI.hpp>
#include <boost/json/parse.hpp>

#include "config/state_directory.h"
#include "daemon/app/state_lock.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
constexpr int kAnswersWithin = 10;  // seconds
constexpr int kNotWell = 503;       // HTTP's, of /-/healthy and /-/live

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

// `why`, and what to do where it is this user who may not.
std::string with_advice(std::string why) {
  bool const denied = why.find(std::generic_category().message(EACCES)) != std::string::npos;
  if (denied && ::geteuid() != 0) why += "; ask as root (sudo) or as the user that canaryd runs as";
  return why;
}

PrivateAnswer no_answer(RunningDaemon const& daemon, std::string const& why) {
  std::string const who = daemon.process == 0
                              ? "the canaryd that owns "
                              : "canaryd process " + std::to_string(daemon.process) + " owns ";
  return {0, who + daemon.places.state.string() +
                 (daemon.process == 0 ? " does not answer at " : " and does not answer at ") +
                 daemon.places.socket().string() + ": " + with_advice(why)};
}

// What a look at the folder's lock told.
std::string what_is_seen(fs::path const& folder, Ownership const& seen) {
  if (seen.kind == Ownership::Kind::unknown) return seen.why;
  if (seen.kind == Ownership::Kind::nobody) return "nobody holds the lock of " + folder.string();
  std::string text = folder.string() + " is held by ";
  text += seen.owner.process == 0 ? "a process that wrote nothing down"
                                  : "process " + std::to_string(seen.owner.process);
  if (!seen.owner.state.empty()) text += ", which runs on " + seen.owner.state.string();
  return text;
}

PrivateAnswer split(RunningDaemon const& daemon, std::string const& reply) {
  auto const end = reply.find("\r\n\r\n");
  auto const space = reply.find(' ');
  int status = 0;
  if (end == std::string::npos || space == std::string::npos) {
    return no_answer(daemon, "it closed the connection");
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

Result<Places, std::string> find_places(DaemonFlags const& flags) {
  std::error_code ignored;
  auto const as_the_daemon_has_it = [&](fs::path const& state) {
    return places(fs::absolute(state, ignored).lexically_normal());
  };
  if (!flags.state_directory.empty()) return as_the_daemon_has_it(flags.state_directory);
  auto const named = config::load_state_directory(flags.config);
  if (named) return as_the_daemon_has_it(named.value());
  std::string text;
  for (auto const& problem : named.error()) text += to_text(problem) + "\n";
  return text +
         "give the running daemon's configuration (--config FILE) or its state directory "
         "(--state-directory DIR)";
}

Result<RunningDaemon, std::string> find_daemon(Places const& usual, runtime::Stage& stage) {
  fs::path const& state = usual.state;
  stage.enter("looking for the owner of " + state.string());
  auto const held = look_at_owner(state);
  // Where no lock can be had, what is written there is all there is to go by.
  if (held.kind != Ownership::Kind::nobody && !held.owner.runtime.empty()) {
    return RunningDaemon{{state, held.owner.runtime}, held.owner.process};
  }
  std::string tried = what_is_seen(state, held);
  if (held.kind == Ownership::Kind::nobody) return "no canaryd runs: " + tried;
  // It could not write down where it is, or its state directory could not be made.
  for (fs::path const& runtime : {usual.runtime, fs::path{"/run/canaryd"}}) {
    stage.enter("looking for the owner of " + runtime.string());
    auto const there = look_at_owner(runtime);
    if (there.kind == Ownership::Kind::somebody && there.owner.state == state) {
      return RunningDaemon{{state, runtime}, there.owner.process};
    }
    tried += "; " + what_is_seen(runtime, there);
  }
  return with_advice("no canaryd was found; tried: " + tried);
}

Result<RunningDaemon, std::string> find_daemon(DaemonFlags const& flags, runtime::Stage& stage) {
  auto const usual = find_places(flags);
  if (usual) return find_daemon(usual.value(), stage);
  char const* const named = std::getenv("RUNTIME_DIRECTORY");
  fs::path const runtime = named != nullptr ? named : "/run/canaryd";
  stage.enter("looking for the owner of " + runtime.string());
  auto const held = look_at_owner(runtime);
  if (held.kind != Ownership::Kind::somebody || held.owner.state.empty()) return usual.error();
  return RunningDaemon{{held.owner.state, runtime}, held.owner.process};
}

PrivateAnswer ask_daemon(RunningDaemon const& daemon, std::string const& path,
                         runtime::Stage& stage, std::string const& method) {
  auto const where = daemon.places.socket();
  stage.enter("asking " + where.string() + " for " + path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string const text = where.string();
  if (text.size() >= sizeof address.sun_path) return no_answer(daemon, "the path is too long");
  text.copy(address.sun_path, text.size());
  Socket const socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  timeval const limit{kAnswersWithin, 0};
  ::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(socket.fd, reinterpret_cast<sockaddr const*>(&address), sizeof address) != 0) {
    return no_answer(daemon, std::generic_category().message(errno));
  }
  std::string const request = method + " " + path + " HTTP/1.0\r\nHost: canaryd\r\n\r\n";
  if (::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return no_answer(daemon, std::generic_category().message(errno));
  }
  std::string reply;
  std::array<char, 65536> piece{};
  while (true) {
    ssize_t const got = ::recv(socket.fd, piece.data(), piece.size(), 0);
    if (got < 0) return no_answer(daemon, std::generic_category().message(errno));
    if (got == 0) break;
    reply.append(piece.data(), static_cast<std::size_t>(got));
  }
  return split(daemon, reply);
}

std::optional<std::string> not_well(RunningDaemon const& daemon, std::string const& path,
                                    runtime::Stage& stage) {
  auto answer = ask_daemon(daemon, path, stage);
  if (answer.status != kNotWell) return std::nullopt;
  while (answer.body.ends_with('\n')) answer.body.pop_back();
  return std::move(answer.body);
}

namespace {

// Looks now and then whether who is waited for hangs.
class Patience {
 public:
  Patience(RunningDaemon const& daemon, std::string const& command)
      : daemon_(daemon), command_(command) {}

  // Why there is no use in waiting; "": go on.
  std::string lost() {
    auto const now = std::chrono::steady_clock::now();
    if (now - looked_ < kLooks) return {};
    looked_ = now;
    runtime::Stage aside;  // what the command is at stays what it is
    if (auto const why = not_well(daemon_, "/-/live", aside)) {
      return "canaryd hangs: " + *why + "; if it turns again, it may still do what it was asked";
    }
    if (told_) return {};
    if (auto const why = not_well(daemon_, "/-/healthy", aside)) {
      std::fprintf(stderr, "%s: %s; waiting\n", command_.c_str(), why->c_str());
      told_ = true;
    }
    return {};
  }

 private:
  static constexpr std::chrono::seconds kLooks{1};

  RunningDaemon const& daemon_;
  std::string const& command_;
  std::chrono::steady_clock::time_point looked_ = std::chrono::steady_clock::now();
  bool told_ = false;
};

}  // namespace

Result<boost::json::value, PrivateAnswer> ask_until_done(RunningDaemon const& daemon,
                                                         LongRequest const& request,
                                                         runtime::Stage& stage) {
  using namespace std::chrono_literals;
  auto answer = ask_daemon(daemon, request.post, stage, "POST");
  if (answer.status != 200) return answer;
  auto told = boost::json::parse(answer.body);
  std::string const where = request.where +
                            std::to_string(told.at(request.number).to_number<std::int64_t>()) +
                            (request.query.empty() ? "" : "?" + request.query);
  stage.enter("waiting for canaryd to carry " + request.post + " out");
  Patience patience{daemon, request.command};
  for (auto pause = 20ms; !told.at("done").as_bool(); pause = std::min(pause * 2, 250ms)) {
    std::this_thread::sleep_for(pause);
    if (auto why = patience.lost(); !why.empty()) return PrivateAnswer{0, std::move(why)};
    runtime::Stage aside;
    answer = ask_daemon(daemon, where, aside);
    if (answer.status != 200) return answer;
    told = boost::json::parse(answer.body);
  }
  return told;
}

}  // namespace canary::daemon
