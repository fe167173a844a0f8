// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd behind Routes.
#include "daemon/publish/server.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
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
#include "daemon/publish/request.h"
#include "daemon/publish/response.h"
#include "runtime/crash.h"
#include "runtime/limits.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

constexpr unsigned kThreadsPerAddress = 2;
constexpr std::chrono::milliseconds kLookEvery{250};
constexpr std::chrono::milliseconds kLookForNobody{1'000};

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { ::MHD_stop_daemon(daemon); }
};
using DaemonPointer = std::unique_ptr<MHD_Daemon, StopDaemon>;

// Of all addresses: clients that ask and don't read must not fill the memory. One is always let
// through, whatever its size.
constexpr std::size_t kUnreadLimit = std::size_t{64} << 20;

constexpr std::string_view kFull =
    "canaryd's HTTP server is full: every connection is being answered. Try again.\n";
constexpr std::string_view kNoMemory = "canaryd has no memory for this answer. Try again.\n";

// What all threads of a server share.
struct Shared {
  Routes routes;
  AskedThreads asked;
  LaterAnswers later{};
  std::atomic<bool> stopping{false};
  std::atomic<std::size_t> unread{0};
  StandingAnswer full{kFull}, no_memory{kNoMemory};
};

// What the threads of one address share.
struct Address {
  Address(Shared& with, std::string name, std::size_t most, Clients::ToldFull told_full)
      : shared(with), clients(std::move(name), most, std::move(told_full)) {}
  Shared& shared;
  Clients clients;
};

// The row of one of libmicrohttpd's threads, from its first callback on. Each has one soon: the
// watchdog asks it.
runtime::ThreadRow& row_of_this_thread(std::atomic<bool> const& stopping) {
  struct Row {
    explicit Row(std::atomic<bool> const& server_stops) : stopping(server_stops) {}
    ~Row() {
      if (stopping) row.leave();
    }
    Row(Row const&) = delete;
    Row& operator=(Row const&) = delete;
    std::atomic<bool> const& stopping;  // of the server, which waits for its threads
    runtime::ThreadRow row{runtime::ThreadRecord::server, "http"};
  };
  thread_local Row row{stopping};
  return row.row;
}

// What libmicrohttpd keeps for a connection.
struct Connected {
  Clients::Place client;
  bool waited = false;              // for a dump: put aside, and called again
  DumpAnswers::Text dump;           // set by whoever lets it go on
  std::optional<HttpAnswer> later;  // likewise
};

Connected* connected_of(MHD_Connection* connection) {
  auto const* const info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connected*>(info->socket_context);
}

void on_connection(void* address_pointer, MHD_Connection* connection, void** kept,
                   MHD_ConnectionNotificationCode what) {
  auto& shared = static_cast<Address*>(address_pointer)->shared;
  auto& clients = static_cast<Address*>(address_pointer)->clients;
  auto const* const info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
    if (info != nullptr) shared.asked.left(info->connect_fd);
    auto* const connected = static_cast<Connected*>(*kept);
    if (connected == nullptr) return;
    clients.left(connected->client);
    delete connected;
    *kept = nullptr;
    return;
  }
  if (info == nullptr) return;
  try {
    row_of_this_thread(shared.stopping);
    if (shared.asked.has(info->connect_fd)) {
      ::MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
      return;  // no client: it makes room for nobody
    }
    auto connected = std::make_unique<Connected>();
    connected->client = clients.came(info->connect_fd, runtime::now_ns());
    *kept = connected.release();
  } catch (...) {
    return;  // no memory to know it by: it is served all the same
  }
}

void on_completed(void* address_pointer, MHD_Connection* connection, void**,
                  MHD_RequestTerminationCode) {
  if (auto* const connected = connected_of(connection)) {
    connected->waited = false;
    connected->dump.reset();
    connected->later.reset();
    static_cast<Address*>(address_pointer)->clients.answered(connected->client, runtime::now_ns());
  }
}

// Nothing where the connection is put aside: it is called again once the dump is there.
std::optional<HttpAnswer> dump_answer(Address& address, MHD_Connection* connection,
                                      Connected& connected) {
  auto& routes = address.shared.routes;
  if (std::exchange(connected.waited, false)) {
    return routes.dump_answer(std::exchange(connected.dump, nullptr));
  }
  auto const put_aside = [&] {
    connected.waited = true;
    address.clients.waits(connected.client);
    ::MHD_suspend_connection(connection);
  };
  auto const go_on = [&connected, connection](DumpAnswers::Text text) {
    connected.dump = std::move(text);
    ::MHD_resume_connection(connection);
  };
  auto const taken = routes.dumps()->ask(put_aside, go_on, runtime::Clock::now());
  if (taken == DumpAnswers::Taken::waits) return std::nullopt;
  return routes.dump_refusal(taken);
}

constexpr std::string_view kManyWait =
    "Too many clients wait for an answer that takes its time. Try again.\n";

// Nothing where the connection is put aside: it is called again once the answer is there.
std::optional<HttpAnswer> later_answer(Address& address, MHD_Connection* connection,
                                       Connected& connected, Later later) {
  auto const put_aside = [&] {
    address.clients.waits(connected.client);
    ::MHD_suspend_connection(connection);
  };
  auto const go_on = [&connected, connection](HttpAnswer answer) {
    connected.later = std::move(answer);
    ::MHD_resume_connection(connection);
  };
  auto& all = address.shared.later;
  if (all.ask(std::move(later), put_aside, go_on, runtime::Clock::now())) return std::nullopt;
  return HttpAnswer{.status = 503,
                    .content_type = "text/plain; charset=utf-8",
                    .body = std::string{kManyWait},
                    .retry_after = std::chrono::seconds{1}};
}

std::optional<HttpAnswer> answer_to(Address& address, MHD_Connection* connection,
                                    Connected* connected, HttpRequest const& request) {
  auto& shared = address.shared;
  if (connected != nullptr && connected->later) {
    return shared.routes.finish(request, *std::exchange(connected->later, std::nullopt));
  }
  bool const overloaded = shared.unread.load() > kUnreadLimit;
  if (connected == nullptr || overloaded) return shared.routes.respond(request, overloaded);
  if (shared.routes.asks_for_dump(request)) return dump_answer(address, connection, *connected);
  if (auto later = shared.routes.later(request)) {
    return later_answer(address, connection, *connected, std::move(*later));
  }
  return shared.routes.respond(request);
}

// What is thrown here would end in libmicrohttpd, which knows nothing of exceptions.
MHD_Result on_request(void* address_pointer, MHD_Connection* connection, char const* path,
                      char const* method, char const*, char const*, std::size_t*,
                      void** called_before) noexcept {
  auto& address = *static_cast<Address*>(address_pointer);
  auto& shared = address.shared;
  auto* const connected = connected_of(connection);
  try {
    HttpRequest request = request_of(connection, method, path);
    bool const known =
        request.method == "GET" || request.method == "HEAD" || request.method == "POST";
    // The first call comes before a body is read. An answer then closes the connection, which is
    // what a body that nobody wants deserves; an ordinary request is answered at the second.
    if (!request.has_body && known && *called_before == nullptr) {
      *called_before = address_pointer;
      return MHD_YES;
    }
    if (connected != nullptr) {
      address.clients.asks(connected->client, runtime::now_ns());
      if (connected->client->refused) return shared.full.send(connection);
    }
    auto answer = shared.routes.enter(request);
    if (!answer) answer = answer_to(address, connection, connected, request);
    if (!answer) return MHD_YES;
    auto const status = static_cast<unsigned>(answer->status);
    auto const response = make_response(std::move(*answer), shared.unread);
    if (response) return ::MHD_queue_response(connection, status, response.get());
  } catch (...) {
    return shared.no_memory.send(connection);  // of that, in practice
  }
  return shared.no_memory.send(connection);
}

unsigned whole_seconds(std::chrono::milliseconds span) {
  return static_cast<unsigned>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(span).count()));
}

}  // namespace

// Looks after the clients of all addresses while there are any.
class Server::Impl {
 public:
  explicit Impl(Sources const& sources)
      : told_full_(sources.told_full),
        shared_{.routes = Routes{with_clients(sources)}, .asked = AskedThreads{sources.asking}} {}
  ~Impl() { stop(); }
  Impl(Impl const&) = delete;
  Impl& operator=(Impl const&) = delete;

  // Takes the listening socket over; false, with an errno, where no daemon could be started on it.
  bool serve(ListenSocket const& socket, config::WebSettings const& settings) {
    auto const most = static_cast<std::size_t>(settings.max_connections);
    // Room is made by Clients; libmicrohttpd has its share per thread, any of which may have all.
    // and one is the watchdog's.
    auto const each_thread = static_cast<unsigned>(most + Server::kConnectionsLeaving + 1);
    auto& address = hold(socket.address, most);
    DaemonPointer daemon{::MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0, nullptr, nullptr,
        &on_request, &address, MHD_OPTION_LISTEN_SOCKET, socket.fd, MHD_OPTION_THREAD_POOL_SIZE,
        kThreadsPerAddress, MHD_OPTION_CONNECTION_LIMIT, each_thread * kThreadsPerAddress,
        MHD_OPTION_NOTIFY_CONNECTION, &on_connection, &address, MHD_OPTION_NOTIFY_COMPLETED,
        &on_completed, &address, MHD_OPTION_CONNECTION_TIMEOUT, whole_seconds(settings.timeout),
        MHD_OPTION_END)};
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
    shared_.later.close();
    shared_.stopping = true;
    daemons_.clear();
    sockets.clear();
  }

  std::vector<std::string> addresses;
  std::vector<int> sockets;

 private:
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

  Address& hold(std::string const& name, std::size_t most) {
    auto address = std::make_unique<Address>(shared_, name, most, told_full_);
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
                                                           std::string const& private_socket) {
  ::MHD_set_panic_func([](void*, char const*, unsigned,
                          char const*) { runtime::end_by_defect("libmicrohttpd cannot go on"); },
                       nullptr);
  auto impl = std::make_unique<Impl>(sources);
  for (auto const& address : settings.listen_addresses) {
    auto socket = listen_on(address);
    if (!socket) return std::move(socket).error();
    if (!impl->serve(socket.value(), settings)) {
      return "cannot serve HTTP on " + address + ": " + runtime::explain(errno);
    }
    impl->addresses.push_back(socket.value().address);
  }
  if (!private_socket.empty()) {
    auto socket = listen_privately(private_socket);
    if (!socket) return std::move(socket).error();
    auto few = settings;
    few.max_connections = kPrivateConnections;
    if (!impl->serve(socket.value(), few)) {
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
