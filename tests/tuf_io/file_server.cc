// SPDX-License-Identifier: Apache-2.0
// One thread per connection, one answer after another.
// Thread: any.
#include "tests/tuf_io/file_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string_view>
#include <utility>

namespace canary::tuf {
namespace {

int bound_socket(std::uint16_t& port) {
  int const descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return descriptor;
}

bool readable(int descriptor, std::atomic<bool> const& stopping) {
  while (!stopping) {
    pollfd wanted{descriptor, POLLIN, 0};
    if (::poll(&wanted, 1, 20) > 0) return true;
  }
  return false;
}

bool send_all(int connection, std::string_view text) {
  while (!text.empty()) {
    ssize_t const sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

FileServer::FileServer() {
  listener_ = bound_socket(port_);
  EXPECT_EQ(::listen(listener_, 64), 0);
  thread_ = std::thread{[this] { run(); }};
}

FileServer::~FileServer() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

std::string FileServer::url(std::string const& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/" + path;
}

void FileServer::serve(std::string const& path, std::string content) {
  std::lock_guard const lock{mutex_};
  files_[path] = std::move(content);
  statuses_.erase(path);
}

void FileServer::answer(std::string const& path, int status) {
  std::lock_guard const lock{mutex_};
  statuses_[path] = status;
}

void FileServer::last_modified(std::string http_date) {
  std::lock_guard const lock{mutex_};
  last_modified_ = "Last-Modified: " + std::move(http_date) + "\r\n";
}

void FileServer::hang(std::string const& prefix) {
  std::lock_guard const lock{mutex_};
  hanging_ = prefix;
}

void FileServer::replace(Files files) {
  std::lock_guard const lock{mutex_};
  files_ = std::move(files);
  statuses_.clear();
}

void FileServer::send_date(std::string date) {
  std::lock_guard const lock{mutex_};
  date_ = std::move(date);
}

void FileServer::take_time(std::chrono::milliseconds before) { time_ms_ = before.count(); }

std::vector<std::string> FileServer::take_requests() {
  std::lock_guard const lock{mutex_};
  return std::exchange(requests_, {});
}

void FileServer::run() {
  while (readable(listener_, stopping_)) {
    int const connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) connections_.emplace_back([this, connection] { handle(connection); });
  }
  for (std::thread& connection : connections_) connection.join();
}

void FileServer::handle(int connection) {
  std::string pending;
  bool open = true;
  while (open && readable(connection, stopping_)) {
    char buffer[4096];
    ssize_t const size = ::recv(connection, buffer, sizeof buffer, 0);
    if (size <= 0) break;
    pending.append(buffer, static_cast<std::size_t>(size));
    std::size_t const end = pending.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    std::string const line = pending.substr(0, pending.find("\r\n"));
    pending.erase(0, end + 4);
    // Behind the '/'; as a proxy it is asked for a whole URL.
    std::size_t const target = line.find(' ') + 1;
    bool const whole = line.compare(target, 7, "http://") == 0;
    std::size_t const begin = whole ? line.find('/', target + 7) + 1 : target + 1;
    int const now = ++at_once_;
    for (int most = most_at_once_; most < now && !most_at_once_.compare_exchange_weak(most, now);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{time_ms_});
    --at_once_;
    open = send_all(connection, response_to(line.substr(begin, line.find(' ', begin) - begin)));
  }
  ::close(connection);
}

std::string FileServer::response_to(std::string const& path) {
  std::lock_guard const lock{mutex_};
  requests_.push_back(path);
  if (path.starts_with(hanging_)) return {};
  auto const file = files_.find(path);
  auto const wanted = statuses_.find(path);
  int const status = wanted != statuses_.end() ? wanted->second : file != files_.end() ? 200 : 404;
  std::string const body = status == 200 ? file->second : "no";
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" +
         (date_.empty() ? "" : "Date: " + date_ + "\r\n") + (status == 200 ? last_modified_ : "") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

ClosedPort::ClosedPort() { socket_ = bound_socket(port_); }
ClosedPort::~ClosedPort() { ::close(socket_); }

}  // namespace canary::tuf
