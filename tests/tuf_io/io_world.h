// SPDX-License-Identifier: Apache-2.0
// A repository behind a server, and everything that a client or a probe needs to look at it.
// Thread: the test's.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/probe_spec.h"
#include "probes/fetch/client.h"
#include "probes/fetch/services.h"
#include "probes/probe.h"
#include "probes/report.h"
#include "probes/tuf/declaration.h"
#include "probes/tuf/refresh.h"
#include "probes/tuf/spec.h"
#include "probes/tuf/store.h"
#include "probes/tuf/trust_memory.h"
#include "runtime/block_on.h"
#include "tests/runtime/running_loop.h"
#include "tests/tuf/folders.h"
#include "tests/tuf/worlds.h"
#include "tests/tuf_io/file_server.h"

namespace canary::tuf {

// The threads and services of a program.
struct Machine {
  runtime::RunningLoop loop;
  runtime::Workers disk{"disk", 1};
  runtime::Workers cpu{"cpu", 2};
  runtime::FileThreads files;
  fetch::Services services{cpu, files};
};

// Settings under which a failing server is given up quickly.
config::HttpSettings quick();

config::Url url_of(std::string const& text);
config::Url file_url(std::filesystem::path const& path);

// "metadata/…" and "targets/…" as a server would have them; role names stay percent-encoded in
// requests, so `metadata/` keeps the names of `publish`.
Files as_files(Published const& published);

// One probe of the repository at `server`, remembering in `state`; change `spec` before run().
class ProbeWorld {
 public:
  explicit ProbeWorld(Published const& published);
  void serve(Published const& published) { server.replace(as_files(published)); }
  probes::Report run(Time now = kNow);

  Machine machine;
  FileServer server;
  TemporaryFolder folder;
  Spec spec;
  config::HttpSettings http = quick();
  std::vector<config::AcceptSpec> accept;
  bool remember = true;
  std::shared_ptr<TrustMemory> memory;  // null: each run has one of its own
  std::chrono::milliseconds timeout{60'000};
  probes::Progress progress;
};

// For CANARY_ASSERT_OK.
testing::AssertionResult is_ok(RefreshResult<void> const& result);

// All findings of a check, or those of one subject.
std::vector<probes::Finding> findings(probes::Report const& report, std::string_view check,
                                      std::optional<std::string_view> subject = {});
// "critical rollback timestamp (rollback)", one a line, without those that are ok.
std::string bad(probes::Report const& report);

}  // namespace canary::tuf
