// SPDX-License-Identifier: Apache-2.0
// The secrets that requests carry, as their files say now: read off the loop, and again when they
// change. A file that became unreadable, empty or unfit keeps the value that it had.
// Thread: loop.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "probes/fetch/message.h"
#include "runtime/deadline.h"
#include "runtime/file_threads.h"
#include "runtime/known_file.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace canary::fetch {

struct CurrentSecrets {
  std::map<std::string, std::string> headers;  // by name
  std::string proxy_credentials;               // "user:password"; empty: none
  std::vector<KeptCredential> kept;            // whose last value had to do
};

class SecretFiles {
 public:
  // `threads` outlives this.
  explicit SecretFiles(runtime::FileThreads& threads) : threads_(threads) {}

  // The settings' secrets. Looks at files that were not looked at in the last second, and waits for
  // a slow disk only a moment: then the last values have to do.
  runtime::Task<CurrentSecrets> current(config::HttpSettings settings, runtime::Trace trace);
  // The next current() looks at every file.
  void forget_when_looked_at() {
    for (auto& [file, entry] : entries_) entry.looked_at = {};
  }

 private:
  using Known = runtime::KnownFile<std::string const>;
  struct Entry {
    Known known;
    runtime::Clock::time_point looked_at = {};
  };
  runtime::Task<void> look(config::Secret secret, runtime::Trace trace);

  runtime::FileThreads& threads_;
  std::map<std::filesystem::path, Entry> entries_;
};

}  // namespace canary::fetch
