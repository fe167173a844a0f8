// SPDX-License-Identifier: Apache-2.0
// libmicrohttpd behind Routes; the only file that includes it.
#include "daemon/publish/server.h"

#include <microhttpd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <string_view>

#include "daemon/publish/listen_socket.h"

namespace canary::daemon {
namespace {

constexpr unsigned kThreadsPerAddress = 2;

struct StopDaemon {
  void operator()(MHD_Daemon* daemon) const { ::MHD_stop_daemon(daemon); }
};
using DaemonPointer = std::unique_ptr<MHD_Daemon, StopDaemon>;

struct DestroyResponse {
  void operator()(MHD_Response* response) const { ::MHD_destroy_response(response); }
};
using ResponsePointer = std::unique_ptr<MHD_Response, DestroyResponse>;

// Large bodies that clients have not read yet, of all addresses: clients that ask and don't read
// must not fill the memory. One is always let through, whatever its size.
constexpr std::size_t kSmallBody = std::size_t{64} << 10;
constexpr std::size_t kUnreadLimit = std::size_t{64} << 20;

// A body as long as libmicrohttpd needs it.
struct Body {
  std::string text;
  std::atomic<std::size_t>& unread;
  std::size_t counted;

  Body(std::string body, std::atomic<std::size_t>& counter)
      : text(std::move(body)),
        unread(counter),
        counted(text.size() > kSmallBody ? text.size() : 0) {
    unread.fetch_add(counted);
  }
  ~Body() { unread.fetch_sub(counted); }
  Body(Body const&) = delete;
  Body& operator=(Body const&) = delete;
};

void free_body(void* body) { delete static_cast<Body*>(body); }

ResponsePointer make_response(HttpAnswer answer, std::atomic<std::size_t>& unread) {
  auto body = std::make_unique<Body>(std::move(answer.body), unread);
  ResponsePointer response{::MHD_create_response_from_buffer_with_free_callback_cls(
      body->text.size(), body->text.data(), &free_body, body.get())};
  if (!response) return response;
  (void)body.release();  // the response frees it
  auto const header = [&](char const* name, char const* value) {
    ::MHD_add_response_header(response.get(), name, value);
  };
  header("Content-Type", std::string{answer.content_type}.c_str());
  header("Cache-Control", "no-store");
  header("X-Content-Type-Options", "nosniff");
  header("X-Frame-Options", "DENY");
  header("Referrer-Policy", "no-referrer");
  header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  if (answer.allow_header) header("Allow", "GET, HEAD");
  return response;
}

bool has_body(MHD_Connection* connection) {
  auto const header = [connection](char const* name) {
    char const* const value = ::MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
    return std::string_view{value == nullptr ? "" : value};
  };
  auto const length = header("Content-Length");
  return !header("Transfer-Encoding").empty() || (!length.empty() && length != "0");
}

// Over the AF_UNIX listener?
bool is_private(MHD_Connection* connection) {
  auto const* const info =
      ::MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  return info != nullptr && info->client_addr != nullptr && info->client_addr->sa_family == AF_UNIX;
}

// What all threads of a server share.
struct Shared {
  Routes routes;
  std::atomic<std::size_t> unread{0};
};

MHD_Result on_request(void* shared_pointer, MHD_Connection* connection, char const* path,
                      char const* method, char const*, char const*, std::size_t*,
                      void** called_before) {
  HttpRequest const request{method, path, has_body(connection), is_private(connection)};
  bool const refuse = request.has_body || (request.method != "GET" && request.method != "HEAD");
  // The first call comes before a body is read. An answer then closes the connection, which is
  // what a body that nobody wants deserves; an ordinary request is answered at the second.
  if (!refuse && *called_before == nullptr) {
    *called_before = shared_pointer;
    return MHD_YES;
  }
  auto& shared = *static_cast<Shared*>(shared_pointer);
  try {
    HttpAnswer answer = shared.routes.respond(request, shared.unread.load() > kUnreadLimit);
    auto const status = static_cast<unsigned>(answer.status);
    auto const response = make_response(std::move(answer), shared.unread);
    return response ? ::MHD_queue_response(connection, status, response.get()) : MHD_NO;
  } catch (std::exception const&) {
    return MHD_NO;  // out of memory, in practice: the connection is closed
  }
}

unsigned whole_seconds(std::chrono::milliseconds span) {
  return static_cast<unsigned>(
      std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(span).count()));
}

}  // namespace

struct Server::Impl {
  explicit Impl(Sources sources) : shared{Routes{std::move(sources)}} {}

  // Takes the listening socket over; false where no daemon could be started on it.
  bool serve(int socket, config::WebSettings const& settings) {
    // Each thread of the pool takes its share of the connections, so there must be one for each.
    auto const connections =
        std::max(static_cast<unsigned>(settings.max_connections), kThreadsPerAddress);
    DaemonPointer daemon{::MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &on_request, &shared,
        MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_THREAD_POOL_SIZE, kThreadsPerAddress,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_TIMEOUT,
        whole_seconds(settings.timeout), MHD_OPTION_END)};
    if (!daemon) {
      ::close(socket);
      return false;
    }
    daemons.push_back(std::move(daemon));
    sockets.push_back(socket);
    return true;
  }

  Shared shared;
  std::vector<std::string> addresses;
  std::vector<int> sockets;
  std::vector<DaemonPointer> daemons;  // last: stopped before what they use goes
};

Result<std::unique_ptr<Server>, std::string> Server::start(config::WebSettings const& settings,
                                                           Sources sources,
                                                           std::string const& private_socket) {
  auto impl = std::make_unique<Impl>(std::move(sources));
  for (auto const& address : settings.listen_addresses) {
    auto socket = listen_on(address);
    if (!socket) return std::move(socket).error();
    if (!impl->serve(socket.value().fd, settings)) {
      return "cannot serve HTTP on " + address + ": libmicrohttpd did not start";
    }
    impl->addresses.push_back(socket.value().address);
  }
  if (!private_socket.empty()) {
    auto socket = listen_privately(private_socket);
    if (!socket) return std::move(socket).error();
    if (!impl->serve(socket.value().fd, settings)) {
      return "cannot serve HTTP on " + private_socket + ": libmicrohttpd did not start";
    }
  }
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

void Server::stop() {
  impl_->daemons.clear();
  impl_->sockets.clear();
}

}  // namespace canary::daemon
