// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd behind Routes.
#include "daemon/publish/server.h"

#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "daemon/publish/asked_threads.h"
#include "daemon/publish/clients.h"
#include "daemon/publish/later_answers.h"
#include "daemon/publish/listen_socket.h"
#include "daemon/publish/served_address.h"
#include "runtime/crash.h"
#include "runtime/limits.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

constexpr unsigned kThreadsPerAddress = 2;
constexpr std::chrono::milliseconds kLookEvery{250};
constexpr std::chrono::milliseconds kLookForNobody{1'000};

constexpr std::string_view kFull =
    "canaryd's HTTP server is full: every connection is being answered. Try again.\n";
constexpr std::string_view kNoMemory = "canaryd has no memory for this answer. Try again.\n";

}  // namespace

// Looks after the clients of all addresses while there are any.
class Server::Impl {
 public:
  explicit Impl(Sources const& sources)
      : told_full_(sources.told_full),
        shared_{.routes = Routes{with_clients(sources)},
                .gate = sources.gate,
                .asked = AskedThreads{sources.asking},
                .full = StandingAnswer{kFull},
                .no_memory = StandingAnswer{kNoMemory}} {}
  ~Impl() { stop(); }
  Impl(Impl const&) = delete;
  Impl& operator=(Impl const&) = delete;

  // Takes the listening socket over; false, with an errno, where no daemon could be started on it.
  bool serve_on(ListenSocket const& socket, config::WebSettings const& settings, bool is_private) {
    auto const most = static_cast<std::size_t>(settings.max_connections);
    auto& address = hold(socket.address, most, is_private);
    // Room is made by Clients; libmicrohttpd has its share per thread, any of which may have all.
    // and one is the watchdog's.
    auto daemon =
        serve(address, socket.fd,
              {.threads = kThreadsPerAddress,
               .connections = static_cast<unsigned>(most + Server::kConnectionsLeaving + 1),
               .timeout = settings.timeout});
    if (!daemon) {
      int const error = errno;
      ::close(socket.fd);
      errno = error;
      return false;
    }
    shared_.asked.add(daemon.get(), kThreadsPerAddress);
    daemons_.push_back(std::move(daemon));
    sockets.push_back(socket.fd);
    return true;
  }

  // Once all addresses are served.
  void look_after_clients() {
    shared_.asked.renew();
    keeper_ = std::thread{[this] {
      ::pthread_setname_np(::pthread_self(), "http-clients");
      runtime::ThreadRow row{runtime::ThreadRecord::server, "http-clients"};
      row.beat();
      std::unique_lock lock{mutex_};
      bool anybody = false;
      auto const stopping = [this] { return stopping_; };
      while (!stopped_.wait_for(lock, anybody ? kLookEvery : kLookForNobody, stopping)) {
        row.beat();
        shared_.asked.renew();
        if (keeps_somebody_waiting()) shared_.asked.wake();
        if (auto* const dumps = shared_.routes.dumps()) dumps->look(runtime::Clock::now());
        shared_.later.look(runtime::Clock::now());
        anybody = false;
        for (auto& address : addresses_) {
          anybody = address->clients.look(runtime::now_ns()) || anybody;
        }
      }
      row.leave();
    }};
  }

  // The keeper first: it adds connections to the daemons.
  void stop() {
    {
      std::lock_guard const lock{mutex_};
      stopping_ = true;
    }
    stopped_.notify_all();
    if (keeper_.joinable()) keeper_.join();
    // libmicrohttpd cannot stop while it has connections that are put aside.
    if (auto* const dumps = shared_.routes.dumps()) dumps->close();
    if (shared_.gate != nullptr) shared_.gate->close();
    shared_.later.close();
    shared_.stopping = true;
    leave_inherited();
    daemons_.clear();
    sockets.clear();
  }

  std::vector<std::string> addresses;
  std::vector<int> sockets;
  std::size_t inherited = 0;  // the first so many of them listen for somebody else as well

 private:
  // libmicrohttpd shuts a listening socket down before it closes it, whoever else listens there:
  // its number leads to nothing by then.
  void leave_inherited() {
    if (inherited == 0) return;
    int const nothing = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (std::size_t i = 0; i < inherited && i < sockets.size(); ++i) {
      ::dup3(nothing, sockets[i], O_CLOEXEC);
    }
    ::close(nothing);
    inherited = 0;
  }

  // Has a connection waited to be accepted at two looks in a row?
  bool keeps_somebody_waiting() {
    waited_.resize(sockets.size());
    bool long_enough = false;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
      pollfd listener{.fd = sockets[i], .events = POLLIN, .revents = 0};
      bool const waits = ::poll(&listener, 1, 0) == 1 && (listener.revents & POLLIN) != 0;
      long_enough = long_enough || (waits && waited_[i]);
      waited_[i] = waits;
    }
    return long_enough;
  }

  Address& hold(std::string const& name, std::size_t most, bool is_private) {
    auto address = std::make_unique<Address>(shared_, name, most, told_full_, is_private);
    std::lock_guard const lock{mutex_};
    addresses_.push_back(std::move(address));
    return *addresses_.back();
  }
  Sources with_clients(Sources sources) {
    sources.clients = [this] {
      std::vector<ClientCounts> all;
      std::lock_guard const lock{mutex_};
      all.reserve(addresses_.size());
      for (auto const& each : addresses_) all.push_back(each->clients.counts());
      return all;
    };
    return sources;
  }

  Clients::ToldFull told_full_;
  Shared shared_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Address>> addresses_;
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::vector<bool> waited_;  // by listener; the keeper's
  std::thread keeper_;
  std::vector<DaemonPointer> daemons_;  // last: stopped before what they use goes
};

Result<std::unique_ptr<Server>, std::string> Server::start(config::WebSettings const& settings,
                                                           Sources const& sources,
                                                           std::string const& private_socket,
                                                           std::vector<int> const& inherited) {
  ::MHD_set_panic_func([](void*, char const*, unsigned,
                          char const*) { runtime::end_by_defect("libmicrohttpd cannot go on"); },
                       nullptr);
  auto impl = std::make_unique<Impl>(sources);
  impl->inherited = inherited.size();
  // The error; "" where all is well.
  auto const serve_outside = [&](Result<ListenSocket, std::string> socket) -> std::string {
    if (!socket) return std::move(socket).error();
    auto const& address = socket.value().address;
    if (!impl->serve_on(socket.value(), settings, false)) {
      return "cannot serve HTTP on " + address + ": " + runtime::explain(errno);
    }
    impl->addresses.push_back(address);
    return {};
  };
  for (int const each : inherited) {
    if (auto wrong = serve_outside(take_over(each)); !wrong.empty()) return wrong;
  }
  for (auto const& address : settings.listen_addresses) {
    if (!inherited.empty()) break;
    if (auto wrong = serve_outside(listen_on(address)); !wrong.empty()) return wrong;
  }
  if (!private_socket.empty()) {
    auto socket = listen_privately(private_socket);
    if (!socket) return std::move(socket).error();
    auto few = settings;
    few.max_connections = kPrivateConnections;
    if (!impl->serve_on(socket.value(), few, true)) {
      return "cannot serve HTTP on " + private_socket + ": " + runtime::explain(errno);
    }
  }
  impl->look_after_clients();
  return std::unique_ptr<Server>{new Server{std::move(impl)}};
}

std::string Server::private_socket_trouble(std::string const& path) {
  auto socket = listen_privately(path);
  if (!socket) return std::move(socket).error();
  ::close(socket.value().fd);  // start() replaces it
  return {};
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::vector<std::string> const& Server::addresses() const { return impl_->addresses; }

std::vector<int> const& Server::sockets() const { return impl_->sockets; }

void Server::stop() { impl_->stop(); }

}  // namespace canary::daemon
