// SPDX-License-Identifier: Apache-2.0
// Why there is no (good) answer: in which phase, of which kind, and whether the server answered
// wrongly or there was no answer. The two page different people.
// Thread: none (pure).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/result.h"
#include "probes/phase_times.h"

namespace canary::fetch {

using probes::Phase;
using probes::PhaseTimes;

enum class FaultKind {
  // No answer: nothing is known about the repository.
  dns,          // no such name, no address, or no name server that answers
  connect,      // refused, unreachable
  reset,        // closed or reset before the answer's head was complete
  proxy,        // the proxy refused or is unusable
  timeout,      // a phase's or the request's deadline passed
  tls_expired,  // the server's certificate is no longer valid
  tls_not_yet_valid,
  tls_wrong_host,  // valid for other names
  tls_untrusted,   // no chain to an accepted CA
  tls_handshake,   // any other failure of the handshake
  tls_costly,      // the handshake would have us compute more than we are willing to
  settings,        // our own CA or client certificate cannot be read
  exhausted,       // this process or machine has no descriptor, memory or port for a connection
  forbidden,       // this machine's own firewall or policy does not let us out
  interrupted,     // reset in the middle of the body, attempts used up
  too_slow,        // below the minimum rate
  file,            // a file: URL that cannot be read (not: that is missing)
  disk,            // our own has not answered, for a file: URL or a file of ours
  // A wrong answer.
  status,            // not 2xx: see Fault::status; a missing file is 404
  redirect_loop,     // the same URL again, or more than the allowed number
  redirect_refused,  // no or a bad Location; from https to http; to file:
  too_large,         // more than Request::max_bytes
  wrong_length,      // not Request::exact_length
  truncated,         // a clean end before the announced length
  encoded,           // a Content-Encoding nobody asked for
  malformed,         // not HTTP, or contradicts itself
  rejected,          // the sink wanted no more; it knows why
};
// "tls_expired": for evidence, metrics and tests.
std::string_view word(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::connect;
  Phase phase = Phase::queue;
  int status = 0;            // of the answer, where there was one
  std::string message = {};  // a sentence without a final stop: what happened, what was expected
  std::string url = {};      // as asked for or redirected to, as people may see it
  bool answered = false;     // a server answered (wrongly): "is bad", not "could not tell"
  bool definite = false;     // trying again cannot help, such as for a name that does not exist
  std::uint32_t attempts = 0;
  std::uint64_t received = 0;  // bytes of the body
  PhaseTimes times = {};

  // Definitely not there (403, 404, 410): the end of a root chain. Nothing else is.
  bool absent() const {
    return kind == FaultKind::status && (status == 404 || status == 403 || status == 410);
  }
};

// Does this errno mean that we ran out of something (descriptors, memory), whatever was asked for?
bool is_exhaustion(int error);

// What our own side lacks or forbids where connecting failed with this errno; empty where the other
// side or the way to it is at fault.
std::string_view own_trouble(int error);

template <class T>
using Result = canary::Result<T, Fault>;

}  // namespace canary::fetch
