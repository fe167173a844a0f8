// SPDX-License-Identifier: Apache-2.0
// Targets over HTTP: where a target is, its download through every listed hash, and the order in
// which all of them are gone through. Nothing is kept of a target, whatever its size.
// Thread: loop; hashing on the cpu workers. Source: TUF 1.0.34 §5.7.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/url.h"
#include "probes/fetch/body_sink.h"
#include "probes/tuf/client_requests.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/refresh.h"
#include "runtime/deadline.h"
#include "runtime/task.h"

namespace canary::tuf {

// Bytes as they arrive, for a progress bar; taken back when a transfer begins again.
class ByteCounter {
 public:
  virtual ~ByteCounter() = default;
  virtual void add(std::int64_t bytes) = 0;  // Thread: loop
};

struct TargetRequest {
  config::Url base;  // the folder of targets
  std::string path;
  TargetFile file;
  std::shared_ptr<TrustedMetadata const> owner;  // of the text in `file`
  runtime::Deadline deadline = runtime::Deadline::never();
  ByteCounter* counter = nullptr;  // may be null; outlives the task
  // Further consumers of the body, such as a file that it is written to.
  std::vector<fetch::PipelinedSink::Stage> stages{};
};

struct TargetPlace {
  config::Url url;
  // With consistent snapshots `dir/file` is expected at `dir/<hash>.file`; this one was found only
  // at `<hash>.dir/file`, where some clients look for it and others do not.
  bool hash_before_folder = false;
};

// The scheme and path of a folder's URL; refers to it.
RequestFolder request_folder(config::Url const& base);

// The places of a target, the specification's first, each asked for as clients ask. Hash-prefixed
// with each listed hash where snapshots are consistent. On disk the name is the file's, or what a
// server would decode it to.
std::vector<TargetPlace> target_places(config::Url const& base, std::string_view path,
                                       TargetFile const& file, bool consistent);

// "https://host/repo/targets" for "https://host/repo/metadata/".
config::Url default_targets_url(config::Url const& metadata_url);

// Downloads one target and compares its length and every listed hash. A place that definitely does
// not have it is passed over for the next.
runtime::Task<RefreshResult<TargetPlace>> fetch_target(TargetRequest request, fetch::Client& client,
                                                       runtime::Workers& cpu, runtime::Trace trace);

struct PlannedTarget {
  std::string_view role;
  std::string_view path;
  TargetFile file;
};

// Every target that a client could get, each once: the role that a client's search ends at decides.
// REQUIRES: all reachable roles have been tried; `trusted` doesn't change meanwhile.
// Thread: none; the work of a worker, from its construction to its end.
class TargetPlan {
 public:
  // `roles` in the order in which they were accepted, "targets" first.
  TargetPlan(std::shared_ptr<TrustedMetadata const> trusted, std::vector<std::string> roles);

  // The next ones, as many as a short job of a worker finds: maybe none. Ask again until done().
  std::vector<PlannedTarget> next();
  bool done() const { return role_ == roles_.size(); }

  // Of all entries, those of which no client knows included.
  std::uint64_t entries() const { return entries_; }
  std::uint64_t bytes() const { return bytes_; }

  // Listed, but the search ends at another role that lists the same path.
  std::uint64_t shadowed() const { return shadowed_; }
  // Listed, but no client's search ends here.
  std::uint64_t unreachable() const { return unreachable_; }
  std::string const& first_unreachable() const { return first_unreachable_; }
  // Their search needs a role that could not be accepted.
  std::uint64_t unresolved() const { return unresolved_; }
  // Their search takes more than we do for one, and the first of them.
  std::uint64_t given_up() const { return given_up_; }
  std::string const& first_given_up() const { return first_given_up_; }
  // Not looked at so far.
  std::uint64_t left() const { return entries_ - looked_at_; }

 private:
  bool leads_here(std::string_view role, std::string_view path);

  std::shared_ptr<TrustedMetadata const> trusted_;
  std::vector<std::string> roles_;
  std::size_t role_ = 0;
  std::size_t entry_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t shadowed_ = 0;
  std::uint64_t unreachable_ = 0;
  std::uint64_t unresolved_ = 0;
  std::uint64_t given_up_ = 0;
  std::uint64_t looked_at_ = 0;
  std::string first_unreachable_;
  std::string first_given_up_;
};

}  // namespace canary::tuf
