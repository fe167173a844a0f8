// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/transfer.h"

#include "config/duration.h"

namespace canary::fetch {
namespace {

// True for what says something about the repository. 429 and 5xx speak of the server's day only,
// 401 and 407 of our credentials. A certificate that no client accepts is an answer, one by an
// issuer unknown to us is none.
bool is_answer(FaultKind kind, int status) {
  switch (kind) {
    case FaultKind::status:
      return status < 500 && status != 429 && status != 408 && status != 401 && status != 407;
    case FaultKind::tls_expired:
    case FaultKind::tls_not_yet_valid:
    case FaultKind::tls_wrong_host:
      return true;
    default:
      return kind > FaultKind::status && kind != FaultKind::rejected;
  }
}

}  // namespace

void Transfer::begin() {
  url = request.url;
  method = request.method;
  with_body = !request.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  redirects.clear();
  retry_after.reset();
}

void Transfer::redirect(int status, config::Url to) {
  bool const to_get =
      status == 303 ? method != "HEAD" : status != 307 && status != 308 && method == "POST";
  if (to_get) {
    method = "GET";
    with_body = false;
  }
  url = to;
  redirects.push_back({status, std::move(to)});
}

bool Transfer::is_idempotent() const {
  return request.method != "POST" && request.method != "PATCH";
}

Fault Transfer::fault(FaultKind kind, std::string message, int status) const {
  Fault result;
  result.kind = kind;
  result.phase = clock.phase();
  result.status = status;
  result.message = std::move(message);
  if (!proxy.empty() && result.message.find("the proxy " + proxy) == std::string::npos) {
    result.message += " (through the proxy " + proxy + ")";
  }
  result.url = url.text();
  result.answered = is_answer(kind, status);
  result.attempts = attempts;
  result.received = received;
  return result;
}

Fault Transfer::overdue(bool whole_deadline, bool rate, runtime::Clock::duration allowed,
                        std::string const& what) const {
  if (rate) {
    return fault(FaultKind::too_slow,
                 "the body came more slowly than " + std::to_string(settings.min_rate) +
                     " bytes a second over " + config::to_text(settings.min_rate_window));
  }
  if (whole_deadline) return fault(FaultKind::timeout, what + " before the deadline of the run");
  auto const span = std::chrono::duration_cast<std::chrono::milliseconds>(allowed);
  return fault(FaultKind::timeout, what + " within " + config::to_text(span));
}

}  // namespace canary::fetch
