// SPDX-License-Identifier: Apache-2.0
// The client's workflow with its I/O: fetch, verify, store, step by step. Each step may be run only
// after the one before it succeeded; a failed step leaves what was trusted before.
// Thread: loop; metadata is parsed, verified and searched on the cpu workers, files are on the disk
// worker. Source: TUF 1.0.34 §5.0–5.6.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "config/result.h"
#include "config/url.h"
#include "probes/tuf/bounded_work.h"
#include "probes/tuf/budget.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/fetch.h"
#include "probes/tuf/store.h"
#include "probes/tuf/trusted_metadata.h"
#include "runtime/task.h"
#include "runtime/trace.h"
#include "runtime/workers.h"

namespace canary::tuf {

// Why a step could not be done: the answer was refused, or there was none that could be judged.
struct RefreshFailure {
  std::string role;
  std::variant<Rejection, FetchFault> why;
  std::string url{};  // of the file that was refused, as url_of() says it; "" for what is no file

  Rejection const* rejection() const { return std::get_if<Rejection>(&why); }
  FetchFault const* fault() const { return std::get_if<FetchFault>(&why); }
};

std::string sentence(RefreshFailure const& failure);

template <class T>
using RefreshResult = canary::Result<T, RefreshFailure>;

struct RefreshSettings {
  config::Url metadata_url;
  Time reference{};  // when the refresh started; the only time there is (§5.1)
  Policy policy;
  runtime::Deadline deadline = runtime::Deadline::never();  // of every request
  // A client saves the request where the stored copy still is what is listed. A canary does not: it
  // wants to see what the server has, and stores no delegated roles (their versions, which a
  // rollback is found by, are in the snapshot; thousands of files would cost it minutes).
  bool reuse_stored = true;
  std::chrono::nanoseconds cpu_limit = RunBudget{}.cpu;  // of all that the workers do for it
};

// A trusted state. Shared with jobs that outlive a cancelled step; one job at a time changes it,
// and nobody reads it meanwhile.
using Trusted = std::shared_ptr<TrustedMetadata>;

class Refresh {
 public:
  // All references outlive the refresh. `store` is open, or remembers nothing.
  Refresh(RefreshSettings settings, fetch::Client& client, RoleStore& store, runtime::Workers& cpu);
  ~Refresh();
  Refresh(Refresh const&) = delete;
  Refresh& operator=(Refresh const&) = delete;

  // Verifies a root by its own keys. Trusts and stores nothing.
  runtime::Task<Result<Trusted>> verify_root(std::string root, runtime::Trace trace);

  // §5.2: trusts `root`, and stores it.
  runtime::Task<void> begin(Trusted root, runtime::Trace trace);
  // Both.
  runtime::Task<RefreshResult<void>> begin(std::string root, runtime::Trace trace);

  // For a canary whose trusted root is newer than the pinned one: are the roots between them still
  // served, and do they lead to the trusted one? What a freshly installed client needs.
  // REQUIRES: begin() succeeded, update_roots() was not called; `pinned` is of verify_root() and
  // used for nothing else.
  runtime::Task<RefreshResult<void>> replay_roots(Trusted pinned, runtime::Trace trace);

  // §5.3. A definite "not there" ends the walk, as does the limit of root_rotations, counted from
  // the root that begin() or, for a canary, replay_roots() was given: see more_roots(). Roots are
  // stored as they are accepted; where one rotates the keys of timestamp or snapshot, their stored
  // copies are deleted first.
  runtime::Task<RefreshResult<void>> update_roots(runtime::Trace trace);
  // Asks for the file of the trusted root, for its last_modified() alone; no answer is none.
  runtime::Task<void> look_at_root(runtime::Trace trace);
  runtime::Task<RefreshResult<void>> update_timestamp(runtime::Trace trace);  // §5.4
  runtime::Task<RefreshResult<void>> update_snapshot(runtime::Trace trace);   // §5.5
  runtime::Task<RefreshResult<void>> update_targets(runtime::Trace trace);    // §5.6
  // §5.6 for one delegated role. A pair that failed before fails again without a request. `answer`
  // is what fetch_role() gave, where it was asked before.
  using Answer = std::optional<FetchResult<FetchedFile>>;
  runtime::Task<RefreshResult<void>> update_delegated(NeedRole need, Answer answer,
                                                      runtime::Trace trace);
  // Asks for a role's file, of `most` bytes if that is less than size_limit(), and judges nothing.
  // REQUIRES: the snapshot lists it. May run beside update_delegated(): it looks at nothing that
  // changes then.
  runtime::Task<FetchResult<FetchedFile>> fetch_role(std::string role, std::size_t most,
                                                     runtime::Trace trace);

  // All four, as a client: more roots than the limit are a failure.
  runtime::Task<RefreshResult<void>> update_all(runtime::Trace trace);

  // §5.6.7: which role lists the target, loading the roles on the way.
  runtime::Task<RefreshResult<FoundTarget>> find(std::string path, runtime::Trace trace);
  // The delegations that find() followed, well or not: what clients visit.
  std::set<NeedRole> const& visited() const { return visited_; }

  // REQUIRES: begin() succeeded. Do not touch it while a step is running.
  TrustedMetadata const& trusted() const { return *trusted_; }
  std::shared_ptr<TrustedMetadata const> shared() const { return trusted_; }
  // Workers within the run's budget of CPU time, for whoever goes over trusted().
  BoundedWork& work() { return work_; }

  // What our own disk refused; the workflow went on without it.
  std::vector<StoreFault> const& store_faults() const { return store_faults_; }
  // Stored copies that could not be used (previous_discarded).
  Notices const& notices() const { return notices_; }
  // Was there a stored timestamp to compare with?
  bool had_previous() const { return had_previous_; }
  // When the server's file of a role was last changed, by what came with it; nullopt: not fetched,
  // or not told.
  std::optional<Time> last_modified(std::string const& role) const;
  // What the file of a role is asked for by, without a query; "" where it is not known yet, as of a
  // role that no snapshot lists.
  std::string url_of(std::string_view role) const;
  // There is a root after the last one that was accepted, which was the last within the limit.
  bool more_roots() const { return more_roots_; }
  // Did the server give any file, in this refresh? A 403 says something only where it did.
  bool served() const { return served_; }

 private:
  // Hands bytes to the state machine on a worker; refuses once the budget is used up.
  using Step = std::function<Result<void>(TrustedMetadata&, std::string)>;
  struct Work {
    std::string role;
    Step step;
    std::string bytes{};
  };
  runtime::Task<Result<void>> apply(Trusted to, Work work, runtime::Trace trace);
  runtime::Task<FetchResult<FetchedFile>> ask(FileRequest request, runtime::Trace trace);
  runtime::Task<RefreshResult<void>> update_delegator(NeedRole need, runtime::Trace trace);
  runtime::Task<RefreshResult<void>> take_delegated(NeedRole need, Answer answer,
                                                    runtime::Trace trace);
  // Takes `role` from where it is, or from the server; verifies and stores it.
  struct Sources {
    std::shared_ptr<std::string const> stored{};  // a copy that may still be good
    Answer answer{};                              // of the server, where it was asked before
  };
  runtime::Task<RefreshResult<void>> take(std::string role, Sources sources, Step step,
                                          runtime::Trace trace);
  FileRequest file(std::string name, std::size_t limit) const;
  std::string url_of_file(std::string const& name) const;
  RefreshFailure refused(std::string role, Rejection why) const;
  RefreshFailure refused_root(std::uint64_t version, Rejection why) const;
  runtime::Task<FetchResult<FetchedFile>> fetch_root(std::uint64_t version, runtime::Trace trace);
  runtime::Task<void> load_previous(runtime::Trace trace);
  runtime::Task<std::optional<std::string>> read_stored(std::string role, runtime::Trace trace);
  runtime::Task<void> forget(std::string role, runtime::Trace trace);
  void note_unusable(Rejection const& why);
  runtime::Task<void> store_role(std::string role, runtime::Trace trace);

  RefreshSettings settings_;
  fetch::Client& client_;
  RoleStore& store_;
  runtime::Workers& cpu_;
  BoundedWork work_;
  Trusted trusted_;
  std::uint64_t first_root_ = 0;  // the version that the limit of rotations counts from
  std::shared_ptr<std::string const> stored_snapshot_;
  std::map<NeedRole, RefreshFailure> failed_;
  std::set<NeedRole> visited_;
  std::map<std::string, std::optional<Time>> last_modified_;  // by role
  std::vector<StoreFault> store_faults_;
  Notices notices_;
  bool rotation_forgotten_ = false;
  bool had_previous_ = false;
  bool more_roots_ = false;
  bool served_ = false;
};

}  // namespace canary::tuf
