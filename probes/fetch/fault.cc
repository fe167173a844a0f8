// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/fault.h"

#include <algorithm>
#include <cerrno>

#include "probes/fetch/message.h"

namespace canary::fetch {

bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

std::string_view own_trouble(int error) {
  switch (error) {
    case EMFILE:
      return "canaryd has no file descriptor left; see its limit of open files";
    case ENFILE:
      return "this machine has no file descriptor left; see fs.file-max";
    case ENOMEM:
    case ENOBUFS:
      return "this machine has no memory left for a connection";
    case EADDRNOTAVAIL:
      return "this machine has no local port or address left for it; see ip_local_port_range";
    case EPERM:
    case EACCES:
      return "this machine's own firewall or security policy forbids it";
    default:
      return {};
  }
}

std::string_view word(FaultKind kind) {
  switch (kind) {
    case FaultKind::dns:
      return "dns";
    case FaultKind::connect:
      return "connect";
    case FaultKind::reset:
      return "reset";
    case FaultKind::proxy:
      return "proxy";
    case FaultKind::timeout:
      return "timeout";
    case FaultKind::tls_expired:
      return "tls_expired";
    case FaultKind::tls_not_yet_valid:
      return "tls_not_yet_valid";
    case FaultKind::tls_wrong_host:
      return "tls_wrong_host";
    case FaultKind::tls_untrusted:
      return "tls_untrusted";
    case FaultKind::tls_handshake:
      return "tls_handshake";
    case FaultKind::tls_costly:
      return "tls_costly";
    case FaultKind::settings:
      return "settings";
    case FaultKind::exhausted:
      return "exhausted";
    case FaultKind::forbidden:
      return "forbidden";
    case FaultKind::interrupted:
      return "interrupted";
    case FaultKind::too_slow:
      return "too_slow";
    case FaultKind::file:
      return "file";
    case FaultKind::disk:
      return "disk";
    case FaultKind::status:
      return "status";
    case FaultKind::redirect_loop:
      return "redirect_loop";
    case FaultKind::redirect_refused:
      return "redirect_refused";
    case FaultKind::too_large:
      return "too_large";
    case FaultKind::wrong_length:
      return "wrong_length";
    case FaultKind::truncated:
      return "truncated";
    case FaultKind::encoded:
      return "encoded";
    case FaultKind::malformed:
      return "malformed";
    case FaultKind::rejected:
      return "rejected";
  }
  return "";
}

bool Request::wants(int status) const {
  if (wanted.empty()) return status / 100 == 2;
  return std::ranges::any_of(wanted,
                             [&](StatusRange const& each) { return each.contains(status); });
}

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (auto const& [key, value] : headers) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace canary::fetch
