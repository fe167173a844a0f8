// SPDX-License-Identifier: Apache-2.0
// Moves bytes between server, state machine and disk, in the specification's order.
// Thread: loop. Source: TUF 1.0.34 §5.
#include "probes/tuf/refresh.h"

#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {
namespace {

// Above this the loop would be held for longer than it may: a worker verifies.
constexpr std::size_t kInlineBytes = std::size_t{256} << 10U;

RefreshFailure failed(std::string role, Rejection rejection) {
  return {std::move(role), std::move(rejection)};
}
RefreshFailure failed(std::string role, FetchFault fault) {
  return {std::move(role), std::move(fault)};
}

std::size_t limit_of(Limits const& limits, std::string_view role) {
  if (role == "root") return limits.root;
  if (role == "timestamp") return limits.timestamp;
  return role == "snapshot" ? limits.snapshot : limits.targets;
}

// What is signed, independent of who signed; the bytes themselves where that can't be said.
std::string signed_content(Root const& root) {
  json::Value const* content = root.document->root().find("signed");
  if (content == nullptr) return root.document->text();
  Result<std::string> text = canonical_json(*content, "root", "signed");
  return text ? std::move(text).value() : root.document->text();
}

}  // namespace

std::string sentence(RefreshFailure const& failure) {
  if (Rejection const* rejection = failure.rejection()) return sentence(*rejection);
  return failure.role + ": " + sentence(*failure.fault());
}

Refresh::Refresh(RefreshSettings settings, http::Client& client, LocalStore& store,
                 runtime::Workers& cpu)
    : settings_(std::move(settings)), client_(client), store_(store), cpu_(cpu) {}

std::optional<Time> Refresh::last_modified(std::string const& role) const {
  auto const found = last_modified_.find(role);
  return found == last_modified_.end() ? std::nullopt : found->second;
}

runtime::Task<RefreshResult<void>> Refresh::begin(std::string root, runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.begin"};
  auto created = TrustedMetadata::create(root, settings_.reference, settings_.policy);
  if (!created) co_return failed("root", std::move(created).error());
  trusted_ = std::make_shared<TrustedMetadata>(std::move(created).value());
  co_await store_role("root", std::move(root), frame.trace());
  co_return outcome::success();
}

FileRequest Refresh::file(std::string name, std::size_t limit) const {
  return {settings_.metadata_url, std::move(name), limit, settings_.deadline};
}

runtime::Task<FetchResult<FetchedFile>> Refresh::fetch_root(std::uint64_t version,
                                                            runtime::Trace trace) {
  FileRequest request = file(metadata_file("root", version), settings_.policy.limits.root);
  co_return co_await fetch(client_, std::move(request), trace);
}

runtime::Task<RefreshResult<void>> Refresh::replay_roots(std::string pinned, runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.replay_roots"};
  auto created = TrustedMetadata::create(std::move(pinned), settings_.reference, settings_.policy);
  if (!created) co_return failed("root", std::move(created).error());
  TrustedMetadata walker = std::move(created).value();
  Root const& trusted = trusted_->root();
  while (walker.root().version < trusted.version) {
    auto bytes = co_await fetch_root(walker.root().version + 1, frame.trace());
    if (!bytes) co_return failed("root", std::move(bytes).error());
    Result<void> const updated = walker.update_root(std::move(bytes.value().bytes));
    last_modified_["root"] = bytes.value().last_modified;
    if (!updated) co_return failed("root", updated.error());
    frame.trace().progress();
  }
  if (walker.root().version == trusted.version &&
      signed_content(walker.root()) != signed_content(trusted)) {
    Rejection why{Rule::equivocation, "root",
                  "version " + std::to_string(trusted.version) +
                      " differs from the one that was trusted before"};
    co_return failed("root", std::move(why));
  }
  co_return outcome::success();
}

runtime::Task<RefreshResult<void>> Refresh::update_roots(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.root"};
  while (true) {
    auto bytes = co_await fetch_root(trusted_->root().version + 1, frame.trace());
    if (!bytes && bytes.error().kind == FetchFault::Kind::missing) break;  // §5.3.9
    if (!bytes) co_return failed("root", std::move(bytes).error());
    Step step = [](TrustedMetadata& trusted, std::string root) {
      return trusted.update_root(std::move(root));
    };
    Result<void> const updated =
        co_await apply(std::move(step), std::move(bytes.value().bytes), frame.trace());
    last_modified_["root"] = bytes.value().last_modified;
    if (!updated) co_return failed("root", updated.error());
    // §5.3.11, and before the root that demands it: after a crash in between the old root would
    // find them gone, which is harmless; a new root would find them and not know any better.
    if (trusted_->keys_rotated() && !rotation_forgotten_) {
      co_await forget("timestamp", frame.trace());
      co_await forget("snapshot", frame.trace());
      rotation_forgotten_ = true;
    }
    co_await store_role("root", std::string(trusted_->bytes("root")), frame.trace());  // §5.3.8
    frame.trace().progress();
  }
  Result<void> const finished = trusted_->finish_roots();
  if (!finished) co_return failed("root", finished.error());
  co_return outcome::success();
}

runtime::Task<void> Refresh::look_at_root(runtime::Trace trace) {
  auto const file = co_await fetch_root(trusted_->root().version, trace);
  if (file) last_modified_["root"] = file.value().last_modified;
}

// §5.4.3, §5.5.5: what was trusted before, for comparison. A copy that can't be used is passed over
// and stays until a good one replaces it.
runtime::Task<void> Refresh::load_previous(runtime::Trace trace) {
  if (trusted_->keys_rotated()) co_return;
  auto timestamp = co_await read_stored("timestamp", trace);
  if (timestamp) {
    Step step = [](TrustedMetadata& trusted, std::string bytes) {
      return trusted.load_previous_timestamp(std::move(bytes));
    };
    Result<void> const loaded = co_await apply(std::move(step), std::move(*timestamp), trace);
    if (!loaded) note_unusable(loaded.error());
    had_previous_ = loaded.has_value();
  }
  stored_snapshot_ = co_await read_stored("snapshot", trace);
  if (stored_snapshot_) {
    Step step = [](TrustedMetadata& trusted, std::string bytes) {
      return trusted.load_previous_snapshot(std::move(bytes));
    };
    Result<void> const loaded = co_await apply(std::move(step), *stored_snapshot_, trace);
    if (!loaded) {
      note_unusable(loaded.error());
      stored_snapshot_.reset();
    }
  }
}

// A new root may well demand more of a copy than was demanded when it was stored: no oddity.
void Refresh::note_unusable(Rejection const& why) {
  bool const outgrown = trusted_->root_updates() > 0 &&
                        (why.rule == Rule::threshold || why.rule == Rule::signature_invalid);
  if (!outgrown) notices_.push_back({NoticeKind::previous_discarded, why.role, why.detail});
}

runtime::Task<RefreshResult<void>> Refresh::update_timestamp(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.timestamp"};
  co_await load_previous(frame.trace());
  FileRequest request = file(metadata_file("timestamp"), trusted_->size_limit("timestamp"));
  auto bytes = co_await fetch(client_, std::move(request), frame.trace());
  if (!bytes) co_return failed("timestamp", std::move(bytes).error());
  auto const updated = trusted_->update_timestamp(std::move(bytes.value().bytes));
  last_modified_["timestamp"] = bytes.value().last_modified;
  if (!updated) co_return failed("timestamp", updated.error());
  if (updated.value() == TimestampOutcome::accepted && trusted_->expired().empty()) {
    co_await store_role("timestamp", std::string(trusted_->bytes("timestamp")), frame.trace());
  }
  frame.trace().progress();
  co_return outcome::success();
}

runtime::Task<RefreshResult<void>> Refresh::update_snapshot(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.snapshot"};
  Step step = [](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_snapshot(std::move(bytes));
  };
  Sources sources{.stored = std::exchange(stored_snapshot_, std::nullopt)};
  co_return co_await take("snapshot", std::move(sources), std::move(step), frame.trace());
}

runtime::Task<RefreshResult<void>> Refresh::update_targets(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.targets"};
  Step step = [](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_targets(std::move(bytes));
  };
  Sources sources;
  if (settings_.reuse_stored) sources.stored = co_await read_stored("targets", frame.trace());
  co_return co_await take("targets", std::move(sources), std::move(step), frame.trace());
}

runtime::Task<RefreshResult<void>> Refresh::update_delegated(NeedRole need, Answer answer,
                                                             runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.delegated", need.role};
  if (auto const before = failed_.find(need); before != failed_.end()) co_return before->second;
  Step step = [need](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_delegated_targets(need.role, need.delegator, std::move(bytes));
  };
  Sources sources{.answer = std::move(answer)};
  if (trusted_->targets(need.role) != nullptr) {
    // Reached before, from another delegator: the same file, verified by this one's keys.
    sources.stored = std::string(trusted_->bytes(need.role));
  } else if (settings_.reuse_stored) {
    sources.stored = co_await read_stored(need.role, frame.trace());
  }
  auto taken = co_await take(need.role, std::move(sources), std::move(step), frame.trace());
  if (!taken) failed_.emplace(std::move(need), taken.error());
  co_return taken;
}

runtime::Task<RefreshResult<void>> Refresh::update_all(runtime::Trace trace) {
  auto done = co_await update_roots(trace);
  if (done) done = co_await update_timestamp(trace);
  if (done) done = co_await update_snapshot(trace);
  if (done) done = co_await update_targets(trace);
  co_return done;
}

runtime::Task<RefreshResult<FoundTarget>> Refresh::find(std::string path, runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.find", path};
  TargetSearch search{*trusted_, path};
  while (true) {
    SearchStep step = search.next();
    if (auto* found = std::get_if<FoundTarget>(&step)) co_return std::move(*found);
    if (auto* nothing = std::get_if<NoTarget>(&step)) {
      co_return failed(std::move(path), std::move(nothing->why));
    }
    NeedRole need = std::get<NeedRole>(std::move(step));
    auto updated = co_await update_delegated(std::move(need), std::nullopt, frame.trace());
    if (!updated) co_return std::move(updated).error();
  }
}

runtime::Task<Result<void>> Refresh::apply(Step step, std::string bytes, runtime::Trace trace) {
  auto const begun = runtime::Clock::now();
  if (bytes.size() <= kInlineBytes) {
    Result<void> verdict = step(*trusted_, std::move(bytes));
    verify_time_ += runtime::Clock::now() - begun;
    co_return verdict;
  }
  // The job owns what it works on: it may outlive a cancelled step.
  auto job = [trusted = trusted_, step = std::move(step), bytes = std::move(bytes)]() mutable {
    return step(*trusted, std::move(bytes));
  };
  Result<void> verdict = co_await cpu_.run(trace, "tuf.verify", std::move(job));
  verify_time_ += runtime::Clock::now() - begun;
  co_return verdict;
}

runtime::Task<FetchResult<FetchedFile>> Refresh::fetch_role(std::string role,
                                                            runtime::Trace trace) {
  std::optional<std::uint64_t> version;
  if (trusted_->root().consistent_snapshot) version = trusted_->expected(role)->version;
  FileRequest request = file(metadata_file(role, version), trusted_->size_limit(role));
  co_return co_await fetch(client_, std::move(request), trace);
}

runtime::Task<RefreshResult<void>> Refresh::take(std::string role, Sources sources, Step step,
                                                 runtime::Trace trace) {
  if (trusted_->expected(role) == nullptr) {
    Rejection why{Rule::role_not_in_snapshot, role, "snapshot does not list it"};
    co_return failed(std::move(role), std::move(why));
  }
  bool const reached_before = trusted_->targets(role) != nullptr;
  if (sources.stored && (settings_.reuse_stored || reached_before)) {
    Result<void> const good = co_await apply(step, std::move(*sources.stored), trace);
    if (good) co_return outcome::success();
    if (reached_before) co_return failed(std::move(role), good.error());
  }
  if (!sources.answer) sources.answer.emplace(co_await fetch_role(role, trace));
  FetchResult<FetchedFile>& file = *sources.answer;
  if (!file) co_return failed(std::move(role), std::move(file).error());
  last_modified_[role] = file.value().last_modified;
  Result<void> const accepted =
      co_await apply(std::move(step), std::move(file.value().bytes), trace);
  if (!accepted) co_return failed(std::move(role), accepted.error());
  // Of delegated roles a stored copy only saves a request: none for somebody who always asks.
  bool const useful = settings_.reuse_stored || !is_delegated_role_name(role);
  if (useful && trusted_->expired().empty()) {
    std::string copy{trusted_->bytes(role)};
    co_await store_role(std::move(role), std::move(copy), trace);
  }
  trace.progress();
  co_return outcome::success();
}

runtime::Task<std::optional<std::string>> Refresh::read_stored(std::string role,
                                                               runtime::Trace trace) {
  auto stored = co_await store_.read(role, limit_of(settings_.policy.limits, role), trace);
  if (stored) co_return std::move(stored).value();
  notices_.push_back({NoticeKind::previous_discarded, std::move(role), sentence(stored.error())});
  co_return std::nullopt;
}

runtime::Task<void> Refresh::forget(std::string role, runtime::Trace trace) {
  auto const forgotten = co_await store_.forget(std::move(role), trace);
  if (!forgotten) store_faults_.push_back(forgotten.error());
}

runtime::Task<void> Refresh::store_role(std::string role, std::string bytes, runtime::Trace trace) {
  auto const written = co_await store_.write(std::move(role), std::move(bytes), trace);
  if (!written) store_faults_.push_back(written.error());
}

}  // namespace canary::tuf
