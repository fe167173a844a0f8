// SPDX-License-Identifier: Apache-2.0
// TLS contexts: CA certificates and client certificates are read once, off the loop, and again
// when their files change. Files that became unusable keep the context that was made of them.
// Thread: loop.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "config/probe_spec.h"
#include "config/result.h"
#include "probes/fetch/message.h"
#include "runtime/deadline.h"
#include "runtime/file_threads.h"
#include "runtime/known_file.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace boost::asio::ssl {
class context;
}

namespace canary::fetch {

class TlsContexts {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;

  // `threads` outlives this.
  explicit TlsContexts(runtime::FileThreads& threads) : threads_(threads) {}

  // The context for the settings' CA and client certificate: TLS 1.2 or newer, verifying. Without
  // a ca_file: SSL_CERT_FILE, else the system's bundle.
  // Errors, where no context was made before: why, a sentence naming the file.
  struct Given {
    Context context;
    std::optional<KeptCredential> kept;  // why it is not made of the files as they are now
  };
  runtime::Task<canary::Result<Given, KeptCredential>> get(config::HttpSettings settings,
                                                           runtime::Deadline until,
                                                           runtime::Trace trace);

 private:
  runtime::FileThreads& threads_;
  std::map<std::string, runtime::KnownFile<boost::asio::ssl::context>> entries_;
};

}  // namespace canary::fetch
