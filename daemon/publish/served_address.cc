// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/served_address.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/publish/request.h"
#include "daemon/publish/tls_sessions.h"
#include "runtime/tables.h"
#include "runtime/thread_row.h"

namespace canary::daemon {
namespace {

// Of all addresses: clients that ask and don't read must not fill the memory. One is always let
// through, whatever its size.
constexpr std::size_t kUnreadLimit = std::size_t{64} << 20;

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
  std::shared_ptr<TlsServer const> tls;  // that its session uses
  enum class Entry : std::uint8_t { unknown, in, out };
  Entry entry = Entry::unknown;     // of the request that is being answered
  bool waited = false;              // for a dump: put aside, and called again
  DumpAnswers::Text dump;           // set by whoever lets it go on
  std::optional<HttpAnswer> later;  // likewise
};

int socket_of(MHD_Connection* connection) {
  auto const* const info = ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info == nullptr ? -1 : info->connect_fd;
}

// Over the private listener, or from the watchdog.
bool is_from_here(Address const& address, MHD_Connection* connection) {
  return address.is_private || address.shared.asked.has(socket_of(connection));
}

Connected* connected_of(MHD_Connection* connection) {
  auto const* const info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : static_cast<Connected*>(info->socket_context);
}

// Without a session of its own it is served with no certificate, and so not at all.
std::shared_ptr<TlsServer const> begin_tls(Address const& address, MHD_Connection* connection) {
  auto const* const session = session_of(connection);
  auto tls = address.gate->access()->tls;
  if (session == nullptr || tls == nullptr || !tls->put_on(session_of(connection))) return nullptr;
  return tls;
}

void on_connection(void* address_pointer, MHD_Connection* connection, void** kept,
                   MHD_ConnectionNotificationCode what) {
  auto& address = *static_cast<Address*>(address_pointer);
  auto& shared = address.shared;
  auto& clients = address.clients;
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
      if (address.tls) answer_questions_on(session_of(connection));
      return;  // no client: it makes room for nobody
    }
    auto connected = std::make_unique<Connected>();
    connected->client = clients.came(info->connect_fd, runtime::now_ns());
    if (address.tls) connected->tls = begin_tls(address, connection);
    *kept = connected.release();
  } catch (...) {
    return;  // no memory to know it by: it is served all the same, where anybody is
  }
}

void on_completed(void* address_pointer, MHD_Connection* connection, void**,
                  MHD_RequestTerminationCode) {
  if (auto* const connected = connected_of(connection)) {
    connected->entry = Connected::Entry::unknown;
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

// Whoever is let in, nothing; else the answer, or none where the connection is put aside and called
// again.
struct Refusal {
  std::optional<HttpAnswer> answer;
};
std::optional<Refusal> refuse_entry(Address& address, MHD_Connection* connection,
                                    Connected* connected, HttpRequest& request) {
  if (address.gate == nullptr || address.shared.asked.has(socket_of(connection))) {
    return std::nullopt;
  }
  if (connected == nullptr) throw std::bad_alloc{};  // it cannot be told who it is
  auto const access = address.gate->access();
  request.authenticated =
      !access->users.empty() || (connected->tls != nullptr && connected->tls->knows_clients());
  if (access->users.empty() || connected->entry == Connected::Entry::in) return std::nullopt;
  if (std::exchange(connected->entry, Connected::Entry::unknown) == Connected::Entry::out) {
    return Refusal{unauthorized()};
  }
  // It would be read before it is known whose it is.
  if (request.has_body) {
    return Refusal{HttpAnswer{413, "text/plain; charset=utf-8", "A body was not expected.\n"}};
  }
  auto const put_aside = [&] {
    address.clients.waits(connected->client);
    ::MHD_suspend_connection(connection);
  };
  auto const go_on = [connected, connection](bool right) {
    connected->entry = right ? Connected::Entry::in : Connected::Entry::out;
    ::MHD_resume_connection(connection);
  };
  auto const entry =
      address.gate->enter(*access, request.header("Authorization").value_or(""), put_aside, go_on);
  if (!entry) return Refusal{too_many_passwords()};
  if (*entry == WebGate::Entry::out) return Refusal{unauthorized()};
  if (*entry == WebGate::Entry::asks) return Refusal{};
  connected->entry = Connected::Entry::in;
  return std::nullopt;
}

// Nothing where it is put aside.
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

std::optional<HttpAnswer> answer_or_refuse(Address& address, MHD_Connection* connection,
                                           Connected* connected, HttpRequest& request) {
  auto& routes = address.shared.routes;
  if (auto refused = refuse_entry(address, connection, connected, request)) {
    if (!refused->answer) return std::nullopt;
    return routes.finish(request, std::move(*refused->answer));
  }
  auto answer = routes.enter(request);
  return answer ? std::move(answer) : answer_to(address, connection, connected, request);
}

std::vector<config::WebHeader> headers_of(Address const& address) {
  return address.gate == nullptr ? std::vector<config::WebHeader>{}
                                 : address.gate->access()->headers;
}

// What is thrown here would end in libmicrohttpd, which knows nothing of exceptions.
MHD_Result on_request(void* address_pointer, MHD_Connection* connection, char const* path,
                      char const* method, char const*, char const*, std::size_t*,
                      void** called_before) noexcept {
  auto& address = *static_cast<Address*>(address_pointer);
  auto& shared = address.shared;
  auto* const connected = connected_of(connection);
  try {
    HttpRequest request = request_of(connection, method, path, is_from_here(address, connection));
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
    auto answer = answer_or_refuse(address, connection, connected, request);
    if (!answer) return MHD_YES;
    auto const status = static_cast<unsigned>(answer->status);
    auto const response = make_response(std::move(*answer), shared.unread, headers_of(address));
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

DaemonPointer serve(Address& address, int socket, ServedHow const& how) {
  // With epoll, 0.9.75 computes without end while a client is half way through a handshake.
  unsigned const flags =
      (address.tls ? MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS : MHD_USE_EPOLL_INTERNAL_THREAD) |
      MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME;
  // An option that it would call an error where there is no TLS, and an end where there is.
  MHD_OptionItem tls[] = {
      {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&TlsServer::no_certificate)},
      {MHD_OPTION_END, 0, nullptr}};
  return DaemonPointer{::MHD_start_daemon(
      flags, 0, nullptr, nullptr, &on_request, &address, MHD_OPTION_LISTEN_SOCKET, socket,
      MHD_OPTION_THREAD_POOL_SIZE, how.threads, MHD_OPTION_CONNECTION_LIMIT,
      how.connections * how.threads, MHD_OPTION_NOTIFY_CONNECTION, &on_connection, &address,
      MHD_OPTION_NOTIFY_COMPLETED, &on_completed, &address, MHD_OPTION_CONNECTION_TIMEOUT,
      whole_seconds(how.timeout), MHD_OPTION_ARRAY, address.tls ? tls : tls + 1, MHD_OPTION_END)};
}

}  // namespace canary::daemon
