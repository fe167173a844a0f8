// SPDX-License-Identifier: Apache-2.0
#include "tests/support/hostile_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <openssl/ssl.h>

namespace canary::support {
namespace {

constexpr auto kPatience = std::chrono::seconds{10};

void check(bool good, char const* what) {
  if (!good) throw std::runtime_error(std::string{what} + ": " + std::strerror(errno));
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

Address make_address(std::string const& text, std::uint16_t port) {
  Address address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof(sockaddr_in);
  } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof(sockaddr_in6);
  } else {
    throw std::runtime_error("no address: " + text);
  }
  return address;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

ServedRequest parse_request(std::string_view head) {
  ServedRequest request;
  auto const line = head.substr(0, head.find("\r\n"));
  auto const first = line.find(' ');
  auto const last = line.rfind(' ');
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  while (true) {
    head.remove_prefix(head.find("\r\n") + 2);
    auto const end = head.find("\r\n");
    if (end == 0 || end == std::string_view::npos) return request;
    auto const colon = head.find(':');
    auto value = head.substr(colon + 1, end - colon - 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    request.headers[lower(std::string{head.substr(0, colon)})] = value;
  }
}

// One connection: a socket, perhaps with TLS on it, and a descriptor that says "stop".
class SocketPeer final : public Peer {
 public:
  SocketPeer(int fd, int stop, SSL_CTX* tls) : fd_(fd), stop_(stop) {
    int const on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    if (tls == nullptr) return;
    ssl_ = ::SSL_new(tls);
    ::SSL_set_fd(ssl_, fd_);
    ::SSL_set_mode(ssl_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  ~SocketPeer() override {
    close();
    if (ssl_ != nullptr) ::SSL_free(ssl_);
  }
  SocketPeer(SocketPeer const&) = delete;
  SocketPeer& operator=(SocketPeer const&) = delete;

  bool accept_tls() {
    while (ssl_ != nullptr) {
      int const result = ::SSL_accept(ssl_);
      if (result == 1) break;
      if (!wait_tls(result)) return false;
    }
    return true;
  }

  bool send(std::string_view bytes) override {
    while (!bytes.empty()) {
      if (fd_ < 0) return false;
      ssize_t sent = 0;
      if (ssl_ != nullptr) {
        sent = ::SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        if (sent <= 0 && !wait_tls(static_cast<int>(sent))) return false;
      } else {
        sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        bool const full = sent < 0 && errno == EAGAIN;
        if (sent <= 0 && (!full || !wait(POLLOUT, kPatience))) return false;
      }
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void close() override {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  void reset() override {
    if (fd_ < 0) return;
    linger const now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  bool wait_for_end(std::chrono::milliseconds span) override {
    auto const until = std::chrono::steady_clock::now() + span;
    char buffer[4096];
    while (fd_ >= 0) {
      auto const left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      bool const ready = wait(POLLIN, left);
      if (stopped_) return true;
      if (!ready) return false;
      ssize_t const size = ::recv(fd_, buffer, sizeof buffer, 0);
      if (size == 0 || (size < 0 && errno != EAGAIN)) return true;
    }
    return true;
  }

  // Up to and with the empty line; nothing at the client's end.
  std::optional<std::string> read_head() {
    while (true) {
      auto const end = input_.find("\r\n\r\n");
      if (end != std::string::npos) {
        auto head = input_.substr(0, end + 4);
        input_.erase(0, end + 4);
        return head;
      }
      if (!read_more()) return std::nullopt;
    }
  }

  std::string read_body(std::size_t size) {
    while (input_.size() < size && read_more()) {
    }
    auto body = input_.substr(0, size);
    input_.erase(0, body.size());
    return body;
  }

  void tunnel(std::uint16_t port) override;
  bool is_open() const { return fd_ >= 0; }

 private:
  bool read_more() {
    char buffer[4096];
    while (fd_ >= 0) {
      ssize_t const size = ssl_ != nullptr ? ::SSL_read(ssl_, buffer, sizeof buffer)
                                           : ::recv(fd_, buffer, sizeof buffer, 0);
      if (size > 0) {
        input_.append(buffer, static_cast<std::size_t>(size));
        return true;
      }
      bool const again = ssl_ != nullptr
                             ? wait_tls(static_cast<int>(size))
                             : size < 0 && errno == EAGAIN && wait(POLLIN, std::chrono::hours{1});
      if (!again) return false;
    }
    return false;
  }

  bool wait_tls(int result) {
    int const error = ::SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ) return wait(POLLIN, std::chrono::hours{1});
    if (error == SSL_ERROR_WANT_WRITE) return wait(POLLOUT, kPatience);
    return false;
  }

  // True when the socket is ready, false when the server stops or the time is over.
  bool wait(short events, std::chrono::milliseconds span) {
    pollfd waits[2] = {{fd_, events, 0}, {stop_, POLLIN, 0}};
    int const ready = ::poll(waits, 2, static_cast<int>(span.count()));
    stopped_ = stopped_ || waits[1].revents != 0;
    return ready > 0 && !stopped_;
  }

  int fd_;
  int stop_;
  SSL* ssl_ = nullptr;
  std::string input_;
  bool stopped_ = false;
};

void SocketPeer::tunnel(std::uint16_t port) {
  auto target = make_address("127.0.0.1", port);
  int const other = ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool open = ::connect(other, target.get(), target.size) == 0;
  char buffer[16 * 1024];
  while (open) {
    pollfd waits[3] = {{fd_, POLLIN, 0}, {other, POLLIN, 0}, {stop_, POLLIN, 0}};
    if (::poll(waits, 3, -1) < 0 || waits[2].revents != 0) break;
    for (int i = 0; i < 2 && open; ++i) {
      if (waits[i].revents == 0) continue;
      ssize_t const size = ::recv(waits[i].fd, buffer, sizeof buffer, 0);
      open = size > 0 &&
             ::send(waits[1 - i].fd, buffer, static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
    }
  }
  ::close(other);
  close();
}

}  // namespace

struct HostileServer::Impl {
  Options options;
  int listener = -1;
  int stop = -1;
  std::uint16_t port = 0;
  std::unique_ptr<SSL_CTX, decltype(&::SSL_CTX_free)> tls{nullptr, &::SSL_CTX_free};
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  std::map<std::string, Script> scripts;
  Script any;
  std::vector<ServedRequest> requests;
  std::vector<std::thread> threads;
  int accepted = 0;
  int open = 0;
  std::thread acceptor;

  void start();
  void start_tls();
  void accept();
  void serve(int fd, int number);
  void answer(SocketPeer& peer, int number);
  Script script_for(std::string const& target) const;
};

void HostileServer::Impl::start() {
  auto address = make_address(options.address, 0);
  listener = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  check(listener >= 0, "socket");
  check(::bind(listener, address.get(), address.size) == 0, "bind");
  check(::listen(listener, 128) == 0, "listen");
  check(::getsockname(listener, address.get(), &address.size) == 0, "getsockname");
  // Both families keep the port in the same place.
  port = ntohs(reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port);
  stop = ::eventfd(0, EFD_CLOEXEC);
  check(stop >= 0, "eventfd");
  if (options.tls) start_tls();
  acceptor = std::thread{[this] { accept(); }};
}

void HostileServer::Impl::start_tls() {
  tls.reset(::SSL_CTX_new(::TLS_server_method()));
  auto* const context = tls.get();
  bool good =
      ::SSL_CTX_use_certificate_chain_file(context, options.tls->certificate.c_str()) == 1 &&
      ::SSL_CTX_use_PrivateKey_file(context, options.tls->key.c_str(), SSL_FILETYPE_PEM) == 1;
  if (options.client_ca) {
    good = good && ::SSL_CTX_load_verify_file(context, options.client_ca->c_str()) == 1;
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  check(good, "TLS certificates of the server");
  // SSL_write has no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
}

void HostileServer::Impl::accept() {
  while (true) {
    pollfd waits[2] = {{listener, POLLIN, 0}, {stop, POLLIN, 0}};
    ::poll(waits, 2, -1);
    if (waits[1].revents != 0) return;
    int const fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    std::lock_guard const lock{mutex};
    ++open;
    threads.emplace_back([this, fd, number = ++accepted] { serve(fd, number); });
    changed.notify_all();
  }
}

void HostileServer::Impl::serve(int fd, int number) {
  {
    SocketPeer peer{fd, stop, tls.get()};
    if (options.on_accept) {
      options.on_accept(peer, {});
    } else if (peer.accept_tls()) {
      answer(peer, number);
    }
  }
  std::lock_guard const lock{mutex};
  --open;
  changed.notify_all();
}

void HostileServer::Impl::answer(SocketPeer& peer, int number) {
  for (int count = 1; peer.is_open(); ++count) {
    auto const head = peer.read_head();
    if (!head) return;
    auto request = parse_request(*head);
    request.connection = number;
    request.on_connection = count;
    if (auto const length = request.headers.find("content-length");
        length != request.headers.end()) {
      request.body = peer.read_body(std::stoul(length->second));
    }
    Script script;
    {
      std::lock_guard const lock{mutex};
      requests.push_back(request);
      script = script_for(request.target);
      changed.notify_all();
    }
    script(peer, request);
  }
}

Script HostileServer::Impl::script_for(std::string const& target) const {
  auto const found = scripts.find(target);
  if (found != scripts.end()) return found->second;
  return any ? any : respond(404, "no such thing");
}

HostileServer::HostileServer() : HostileServer(Options{}) {}

HostileServer::HostileServer(Options options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->start();
}

HostileServer::~HostileServer() {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const written = ::write(impl_->stop, &one, sizeof one);
  impl_->acceptor.join();
  for (auto& thread : impl_->threads) thread.join();
  ::close(impl_->listener);
  ::close(impl_->stop);
}

void HostileServer::on(std::string target, Script script) {
  std::lock_guard const lock{impl_->mutex};
  impl_->scripts[std::move(target)] = std::move(script);
}

void HostileServer::on_any(Script script) {
  std::lock_guard const lock{impl_->mutex};
  impl_->any = std::move(script);
}

std::uint16_t HostileServer::port() const { return impl_->port; }

std::string HostileServer::url(std::string_view target, std::string_view host) const {
  auto const& address = impl_->options.address;
  std::string const own = address.find(':') == std::string::npos ? address : "[" + address + "]";
  return (impl_->options.tls ? "https://" : "http://") + (host.empty() ? own : std::string{host}) +
         ":" + std::to_string(port()) + std::string{target};
}

std::vector<ServedRequest> HostileServer::requests() const {
  std::lock_guard const lock{impl_->mutex};
  return impl_->requests;
}

int HostileServer::connections() const {
  std::lock_guard const lock{impl_->mutex};
  return impl_->accepted;
}

int HostileServer::open_connections() const {
  std::lock_guard const lock{impl_->mutex};
  return impl_->open;
}

bool HostileServer::wait_until_idle() const {
  std::unique_lock lock{impl_->mutex};
  return impl_->changed.wait_for(lock, kPatience, [this] { return impl_->open == 0; });
}

bool HostileServer::wait_for_requests(std::size_t count) const {
  std::unique_lock lock{impl_->mutex};
  return impl_->changed.wait_for(lock, kPatience, [&] { return impl_->requests.size() >= count; });
}

}  // namespace canary::support
