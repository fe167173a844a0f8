// SPDX-License-Identifier: Apache-2.0
// One file of a repository over HTTP, and what an answer that is none means: "wrong" or "no
// answer". Those two are never mixed up: they wake different people.
// Thread: loop.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "config/result.h"
#include "config/url.h"
#include "probes/report.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::fetch {
class Client;
struct Fault;
}  // namespace canary::fetch

namespace canary::tuf {

struct FetchFault {
  enum class Kind {
    missing,     // a definite "not there": 404, 403, 410, or no such file
    wrong,       // an answer that no client could use: too long, undecodable, an ended certificate
    unanswered,  // nothing that could be judged: DNS, connect, TLS, timeout, 5xx, 429, 401
  };
  Kind kind = Kind::unanswered;
  // Missing by a 403. Storage services answer so for files that are not there, and servers for
  // what we may not see: only what else they serve tells.
  bool refused = false;
  probes::Reason reason = probes::Reason::none;
  std::string url{};
  std::string detail{};         // one sentence
  bool own_limit = false;       // too long for us, which says nothing of the file
  bool waits_for_disk = false;  // our own, which says nothing of it either
  bool by_consumer = false;     // what the body was handed to wanted no more, and knows why

  friend bool operator==(FetchFault const&, FetchFault const&) = default;
};

std::string sentence(FetchFault const& fault);

template <class T>
using FetchResult = canary::Result<T, FetchFault>;

struct FetchedFile {
  std::string bytes;
  std::optional<std::chrono::sys_seconds> last_modified{};  // Last-Modified, or the file's own time
};

// Classifies what the HTTP client reports about `url`.
FetchFault fetch_fault(fetch::Fault const& fault, config::Url const& url);

// Whose limit it is that a file may not be longer than.
enum class Limit {
  listed,   // a length that the repository lists
  ours,     // of the configuration: what is longer may be good
  clients,  // of the most generous client: what is longer nobody takes
};

struct FileRequest {
  config::Url folder;
  std::string file;       // percent-encoded
  std::size_t limit = 0;  // bytes
  Limit kind_of_limit = Limit::listed;
  runtime::Deadline deadline = runtime::Deadline::never();
};

// The whole of a file. In a folder on disk it may also bear the encoded name literally:
// repositories are often written so.
runtime::Task<FetchResult<FetchedFile>> fetch(fetch::Client& client, FileRequest request,
                                              runtime::Trace trace);

}  // namespace canary::tuf
