// SPDX-License-Identifier: Apache-2.0
#include "tests/support/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace canary::support {
namespace {

constexpr int kTypeA = 1;
constexpr int kTypeAaaa = 28;
constexpr std::size_t kHeader = 12;

std::string two(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

struct Question {
  std::string name;
  int type = 0;
  std::string bytes;  // as it was sent, for the answer
};

std::optional<Question> parse_question(std::string_view query) {
  Question question;
  std::size_t at = kHeader;
  while (at < query.size() && query[at] != 0) {
    auto const size = static_cast<std::size_t>(static_cast<unsigned char>(query[at]));
    if (at + 1 + size >= query.size()) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    question.name += query.substr(at + 1, size);
    at += 1 + size;
  }
  if (at + 5 > query.size()) return std::nullopt;
  question.type = static_cast<unsigned char>(query[at + 2]);
  question.bytes = query.substr(kHeader, at + 5 - kHeader);
  return question;
}

}  // namespace

struct DnsServer::Impl {
  int udp = -1, tcp = -1, stop = -1;
  std::uint16_t port = 0;
  mutable std::mutex mutex;
  std::map<std::string, Name> names;
  std::atomic<int> queries{0}, over_tcp{0};
  std::thread thread;

  struct Late {
    std::chrono::steady_clock::time_point due;
    std::string reply;
    sockaddr_storage to;
    socklen_t to_size;
  };
  std::vector<Late> late;  // of the thread alone

  std::chrono::milliseconds pause_of(std::string_view query);
  void send_late();
  bool bind_both();
  void run();
  void answer_udp();
  void answer_tcp();
  std::optional<std::string> answer(std::string_view query, bool is_tcp);
};

// The same port for both: UDP's choice, which TCP may find taken.
bool DnsServer::Impl::bind_both() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const general = reinterpret_cast<sockaddr*>(&address);
  udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool const good = ::bind(udp, general, size) == 0 && ::getsockname(udp, general, &size) == 0 &&
                    ::bind(tcp, general, size) == 0 && ::listen(tcp, 16) == 0;
  port = ntohs(address.sin_port);
  if (!good) {
    ::close(udp);
    ::close(tcp);
  }
  return good;
}

void DnsServer::Impl::run() {
  while (true) {
    pollfd waits[3] = {{udp, POLLIN, 0}, {tcp, POLLIN, 0}, {stop, POLLIN, 0}};
    ::poll(waits, 3, late.empty() ? -1 : 10);
    send_late();
    if (waits[2].revents != 0) return;
    if (waits[0].revents != 0) answer_udp();
    if (waits[1].revents != 0) answer_tcp();
  }
}

void DnsServer::Impl::answer_udp() {
  char buffer[1500];
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  auto* const general = reinterpret_cast<sockaddr*>(&from);
  auto const got = ::recvfrom(udp, buffer, sizeof buffer, 0, general, &size);
  if (got < static_cast<ssize_t>(kHeader)) return;
  std::string_view const query{buffer, static_cast<std::size_t>(got)};
  auto reply = answer(query, false);
  if (!reply) return;
  if (auto const pause = pause_of(query); pause > std::chrono::milliseconds{0}) {
    late.push_back({std::chrono::steady_clock::now() + pause, *std::move(reply), from, size});
  } else {
    ::sendto(udp, reply->data(), reply->size(), 0, general, size);
  }
}

std::chrono::milliseconds DnsServer::Impl::pause_of(std::string_view query) {
  auto const question = parse_question(query);
  std::lock_guard const lock{mutex};
  auto const found = question ? names.find(question->name) : names.end();
  bool const is_late = found != names.end() && question->type == kTypeAaaa;
  return is_late ? found->second.aaaa_comes_after : std::chrono::milliseconds{0};
}

void DnsServer::Impl::send_late() {
  auto const now = std::chrono::steady_clock::now();
  std::erase_if(late, [&](Late const& one) {
    if (one.due > now) return false;
    auto const* const to = reinterpret_cast<sockaddr const*>(&one.to);
    ::sendto(udp, one.reply.data(), one.reply.size(), 0, to, one.to_size);
    return true;
  });
}

void DnsServer::Impl::answer_tcp() {
  int const fd = ::accept4(tcp, nullptr, nullptr, SOCK_CLOEXEC);
  char buffer[1500];
  auto const got = ::recv(fd, buffer, sizeof buffer, 0);  // one small query: one segment
  if (got > static_cast<ssize_t>(kHeader + 2)) {
    ++over_tcp;
    auto const reply = answer({buffer + 2, static_cast<std::size_t>(got) - 2}, true);
    if (reply) {
      auto const framed = two(reply->size()) + *reply;
      ::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
    }
  }
  ::close(fd);
}

std::optional<std::string> DnsServer::Impl::answer(std::string_view query, bool is_tcp) {
  using Behaviour = Name::Behaviour;
  ++queries;
  auto const question = parse_question(query);
  if (!question) return std::nullopt;
  std::optional<Name> name;
  {
    std::lock_guard const lock{mutex};
    auto const found = names.find(question->name);
    if (found != names.end()) name = found->second;
  }
  if (name && name->raw) return name->raw(std::string{query}, is_tcp);
  int flags = 0x8180;  // an answer, recursion available
  std::string records;
  std::size_t count = 0;
  if (!name) {
    flags |= 3;  // NXDOMAIN
  } else if (name->behaviour == Behaviour::silent ||
             (name->silent_for_aaaa && question->type == kTypeAaaa)) {
    return std::nullopt;
  } else if (name->behaviour == Behaviour::garbage) {
    return std::string{query.substr(0, 2)} + "\x81\x80 this is no DNS";
  } else if (name->behaviour == Behaviour::server_failure ||
             (name->fails_for_a && question->type == kTypeA)) {
    flags |= 2;
  } else if (name->behaviour == Behaviour::truncated_over_udp && !is_tcp) {
    flags |= 0x0200;
  } else {
    for (auto const& address : name->addresses) {
      bool const v6 = address.find(':') != std::string::npos;
      if (question->type != (v6 ? kTypeAaaa : kTypeA)) continue;
      char bytes[16];
      ::inet_pton(v6 ? AF_INET6 : AF_INET, address.c_str(), bytes);
      std::size_t const size = v6 ? 16 : 4;
      records += two(0xc00c) + two(static_cast<std::size_t>(question->type)) + two(1) + two(0) +
                 two(60) + two(size) + std::string{bytes, size};
      ++count;
    }
  }
  return std::string{query.substr(0, 2)} + two(static_cast<std::size_t>(flags)) + two(1) +
         two(count) + two(0) + two(0) + question->bytes + records;
}

DnsServer::DnsServer() : impl_(std::make_unique<Impl>()) {
  bool bound = false;
  for (int i = 0; i < 20 && !bound; ++i) bound = impl_->bind_both();
  if (!bound) throw std::runtime_error("no port for a name server");
  impl_->stop = ::eventfd(0, EFD_CLOEXEC);
  impl_->thread = std::thread{[impl = impl_.get()] { impl->run(); }};
}

DnsServer::~DnsServer() {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const written = ::write(impl_->stop, &one, sizeof one);
  impl_->thread.join();
  for (int const fd : {impl_->udp, impl_->tcp, impl_->stop}) ::close(fd);
}

void DnsServer::add(std::string name, Name behaviour) {
  std::lock_guard const lock{impl_->mutex};
  impl_->names[std::move(name)] = std::move(behaviour);
}

void DnsServer::add(std::string name, std::vector<std::string> addresses) {
  add(std::move(name), Name{Name::Behaviour::answer, std::move(addresses)});
}

std::string DnsServer::address() const { return "127.0.0.1:" + std::to_string(impl_->port); }
int DnsServer::queries() const { return impl_->queries; }
int DnsServer::queries_over_tcp() const { return impl_->over_tcp; }

}  // namespace canary::support
