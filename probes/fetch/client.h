// SPDX-License-Identifier: Apache-2.0
// The HTTP client of one run: http, https and file URLs, with retries, redirects, proxies,
// resumption and deadlines. Keeps connections alive for its own length; none outlives it.
// Thread: loop.
#pragma once

#include <memory>

#include "config/probe_spec.h"
#include "probes/fetch/body_sink.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/message.h"
#include "probes/fetch/services.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::fetch {

// Faults are values; a cancelled request throws operation_aborted and leaves nothing pending. Any
// number of requests may run side by side. The client outlives the tasks it returned.
class Client {
 public:
  // `services` outlives the client.
  Client(runtime::Executor executor, config::HttpSettings settings, Services& services);
  ~Client();
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  // The body in memory. A status other than 2xx, after redirects and retries, is a fault.
  runtime::Task<Result<Response>> get(Request request, runtime::Deadline deadline,
                                      runtime::Trace trace);

  // The body goes to `sink`, which outlives the task; its finish() has been awaited on success.
  runtime::Task<Result<Response>> download(Request request, BodySink& sink,
                                           runtime::Deadline deadline, runtime::Trace trace);

  Totals const& totals() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::fetch
