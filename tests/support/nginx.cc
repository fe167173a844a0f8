// SPDX-License-Identifier: Apache-2.0
#include "tests/support/nginx.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <utility>

namespace canary::support {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Free a moment ago.
std::uint16_t free_port() {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  bool const bound =
      ::bind(socket, generic, size) == 0 && ::getsockname(socket, generic, &size) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

bool listens(std::uint16_t port) {
  int const socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in const address = loopback(port);
  bool const connected =
      ::connect(socket, reinterpret_cast<sockaddr const*>(&address), sizeof address) == 0;
  ::close(socket);
  return connected;
}

std::string configuration(std::filesystem::path const& folder, std::string const& listen,
                          Credentials const& tls, std::string const& directives) {
  std::string const at = folder.string();
  std::string text = "worker_processes 1; daemon off; master_process off; pid " + at +
                     "/nginx.pid; error_log " + at +
                     "/error.log;\nevents {}\nhttp {\n"
                     "access_log off; types { application/json json; } default_type text/plain;\n";
  for (char const* const kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text.append(kind).append("_temp_path ").append(at).append("/").append(kind).append(";\n");
  }
  return text + "server { " + listen + " root " + at + "/root;\nssl_certificate " +
         tls.certificate.string() + "; ssl_certificate_key " + tls.key.string() + ";\n" +
         directives + "\n}\n}\n";
}

}  // namespace

Nginx::Nginx(std::filesystem::path folder, Credentials const& tls, std::string const& directives)
    : folder_(std::move(folder)), port_(free_port()), tls_port_(free_port()) {
  std::filesystem::create_directories(folder_ / "root");
  std::string const listen = "listen 127.0.0.1:" + std::to_string(port_) +
                             "; listen 127.0.0.1:" + std::to_string(tls_port_) + " ssl;";
  auto const file = folder_ / "nginx.conf";
  std::ofstream{file} << configuration(folder_, listen, tls, directives);
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{"/usr/sbin/nginx", "-e", (folder_ / "error.log").string(), "-p",
                               folder_.string(), "-c", file.string()});
  bool const up = eventually([this] { return listens(port_) && listens(tls_port_); });
  if (!up) throw std::runtime_error("nginx does not listen: " + process_->err());
}

std::string Nginx::url(std::string const& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::string Nginx::tls_url(std::string const& path) const {
  return "https://127.0.0.1:" + std::to_string(tls_port_) + path;
}

}  // namespace canary::support
