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
#include "probes/http/message.h"
#include "runtime/deadline.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::http {

struct CurrentSecrets {
  std::map<std::string, std::string> headers;  // by name
  std::string proxy_credentials;               // "user:password"; empty: none
  std::vector<KeptCredential> kept;            // whose last value had to do
};

class SecretFiles {
 public:
  // `disk` outlives this.
  explicit SecretFiles(runtime::Workers& disk) : disk_(disk) {}

  // The settings' secrets. Looks at files that were not looked at in the last second, and waits for
  // a slow disk only a moment: then the last values have to do.
  runtime::Task<CurrentSecrets> current(config::HttpSettings settings, runtime::Trace trace);
  // The next current() looks at every file.
  void forget_when_looked_at() {
    for (auto& [file, entry] : entries_) entry.looked_at = {};
  }

 private:
  struct Entry {
    std::string identity = {};  // of the file as it was read; empty: not read, or in vain
    std::string value = {};
    std::string problem = {};  // why `value` is an older one; empty: it is not
    runtime::Clock::time_point looked_at = {};
  };
  using Entries = std::map<std::filesystem::path, Entry>;
  static Entries look(Entries entries);

  runtime::Workers& disk_;
  Entries entries_;
};

}  // namespace canary::http
