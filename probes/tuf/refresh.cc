// SPDX-License-Identifier: Apache-2.0
// Moves bytes between server, state machine and disk, in the specification's order.
// Thread: loop. Source: TUF 1.0.34 §5.
#include "probes/tuf/refresh.h"

#include <algorithm>
#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/role_name.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

constexpr std::size_t kNameShown = 80;
// Of a rejection's detail, which may repeat untrusted words.
constexpr std::size_t kDetailBytes = 1'024;

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

// A long name in it would cost each of those who copy it.
Rejection shortened(Rejection why) {
  if (why.detail.size() > kDetailBytes) {
    why.detail.resize(kDetailBytes);
    why.detail.shrink_to_fit();
    why.detail += "…";
  }
  return why;
}

}  // namespace

std::string sentence(RefreshFailure const& failure) {
  if (Rejection const* rejection = failure.rejection()) return sentence(*rejection);
  return failure.role + ": " + sentence(*failure.fault());
}

Refresh::Refresh(RefreshSettings settings, fetch::Client& client, RoleStore& store,
                 runtime::Workers& cpu)
    : settings_(std::move(settings)),
      client_(client),
      store_(store),
      cpu_(cpu),
      work_(cpu, settings_.cpu_limit) {}

// What was parsed may be large: it goes where it was made.
Refresh::~Refresh() {
  cpu_.retire(std::move(trusted_));
  cpu_.retire(std::move(failed_));
  cpu_.retire(std::move(visited_));
}

runtime::Task<Result<Trusted>> Refresh::verify_root(std::string root, runtime::Trace trace) {
  runtime::require_loop_thread();
  auto job = [root = std::move(root), now = settings_.reference,
              policy = settings_.policy]() mutable -> Result<Trusted> {
    auto created = TrustedMetadata::create(std::move(root), now, policy);
    if (!created) return shortened(std::move(created).error());
    return std::make_shared<TrustedMetadata>(std::move(created).value());
  };
  co_return co_await work_.run(trace, "tuf.verify", std::move(job));
}

runtime::Task<void> Refresh::begin(Trusted root, runtime::Trace trace) {
  runtime::require_loop_thread();
  trusted_ = std::move(root);
  first_root_ = trusted_->root().version;
  co_await store_role("root", trace);
}

std::optional<Time> Refresh::last_modified(std::string const& role) const {
  auto const found = last_modified_.find(role);
  return found == last_modified_.end() ? std::nullopt : found->second;
}

runtime::Task<RefreshResult<void>> Refresh::begin(std::string root, runtime::Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.begin"};
  auto verified = co_await verify_root(std::move(root), frame.trace());
  if (!verified) co_return failed("root", std::move(verified).error());
  co_await begin(std::move(verified).value(), frame.trace());
  co_return outcome::success();
}

std::string Refresh::url_of_file(std::string const& name) const {
  std::string const url = settings_.metadata_url.child(name).text();
  return url.substr(0, url.find('?'));
}

std::string Refresh::url_of(std::string_view role) const {
  if (trusted_ == nullptr) return {};
  if (role == "root") return url_of_file(metadata_file(role, trusted_->root().version));
  if (role == "timestamp") return url_of_file(metadata_file(role));
  MetaFile const* listed = trusted_->expected(role);
  if (listed == nullptr) return {};
  bool const by_version = trusted_->root().consistent_snapshot;
  return url_of_file(
      metadata_file(role, by_version ? std::optional{listed->version} : std::nullopt));
}

RefreshFailure Refresh::refused(std::string role, Rejection why) const {
  std::string url = url_of(role);
  return {std::move(role), std::move(why), std::move(url)};
}

RefreshFailure Refresh::refused_root(std::uint64_t version, Rejection why) const {
  return {"root", std::move(why), url_of_file(metadata_file("root", version))};
}

FileRequest Refresh::file(std::string name, std::size_t limit) const {
  return {.folder = settings_.metadata_url,
          .file = std::move(name),
          .limit = limit,
          .deadline = settings_.deadline};
}

runtime::Task<FetchResult<FetchedFile>> Refresh::ask(FileRequest request, runtime::Trace trace) {
  Limit const limit = request.kind_of_limit;
  auto answer = co_await fetch(client_, std::move(request), trace);
  if (!answer && limit != Limit::listed && answer.error().reason == probes::Reason::size_limit) {
    FetchFault fault = std::move(answer).error();
    fault.own_limit = limit == Limit::ours;
    fault.detail += fault.own_limit ? ": a limit of ours (tuf.limits), not of the repository"
                                    : ": no client reads more (tough 1 MiB, others less)";
    served_ = true;
    co_return fault;
  }
  served_ = served_ || answer || answer.error().kind == FetchFault::Kind::wrong;
  co_return answer;
}

namespace {
// Of a root or timestamp, whose length nothing lists. tough's default is the most generous of the
// clients': 1 MiB for both, where python-tuf, go-tuf and tuf-js read 512,000 and 16,384 bytes.
Limit limit_without_length(std::size_t limit) {
  constexpr std::size_t kMostThatAClientReads = 1U << 20U;
  return limit < kMostThatAClientReads ? Limit::ours : Limit::clients;
}
}  // namespace

runtime::Task<FetchResult<FetchedFile>> Refresh::fetch_root(std::uint64_t version,
                                                            runtime::Trace trace) {
  FileRequest request = file(metadata_file("root", version), settings_.policy.limits.root);
  request.kind_of_limit = limit_without_length(request.limit);
  co_return co_await ask(std::move(request), trace);
}

namespace {
Result<void> next_root(TrustedMetadata& trusted, std::string root) {
  return trusted.update_root(std::move(root));
}
}  // namespace

runtime::Task<RefreshResult<void>> Refresh::replay_roots(Trusted pinned, runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.replay_roots"};
  first_root_ = pinned->root().version;
  std::uint64_t const last = trusted_->root().version;
  while (pinned->root().version < last) {
    auto bytes = co_await fetch_root(pinned->root().version + 1, frame.trace());
    if (!bytes) co_return failed("root", std::move(bytes).error());
    Work work{"root", next_root, std::move(bytes.value().bytes)};
    last_modified_["root"] = bytes.value().last_modified;
    Result<void> const updated = co_await apply(pinned, std::move(work), frame.trace());
    if (!updated) co_return refused_root(pinned->root().version + 1, updated.error());
    frame.trace().progress();
  }
  auto compare = [pinned, trusted = trusted_] {
    return signed_content(pinned->root()) == signed_content(trusted->root());
  };
  pinned.reset();  // the job's, which ends it on its worker
  bool const same = co_await work_.run(frame.trace(), "tuf.compare", std::move(compare));
  if (same) co_return outcome::success();
  Rejection why{
      Rule::equivocation, "root",
      "version " + std::to_string(last) + " differs from the one that was trusted before"};
  co_return failed("root", std::move(why));
}

runtime::Task<RefreshResult<void>> Refresh::update_roots(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.root"};
  std::uint64_t const last = first_root_ + settings_.policy.limits.root_rotations;
  while (true) {
    auto bytes = co_await fetch_root(trusted_->root().version + 1, frame.trace());
    if (!bytes && bytes.error().kind == FetchFault::Kind::missing) break;  // §5.3.9
    if (!bytes) co_return failed("root", std::move(bytes).error());
    more_roots_ = trusted_->root().version >= last;
    if (more_roots_) break;
    Work work{"root", next_root, std::move(bytes.value().bytes)};
    last_modified_["root"] = bytes.value().last_modified;
    Result<void> const updated = co_await apply(trusted_, std::move(work), frame.trace());
    if (!updated) co_return refused_root(trusted_->root().version + 1, updated.error());
    // §5.3.11, and before the root that demands it: after a crash in between the old root would
    // find them gone, which is harmless; a new root would find them and not know any better.
    if (trusted_->keys_rotated() && !rotation_forgotten_) {
      co_await forget("timestamp", frame.trace());
      co_await forget("snapshot", frame.trace());
      rotation_forgotten_ = true;
    }
    co_await store_role("root", frame.trace());  // §5.3.8
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
    Work work{"timestamp", std::move(step), std::move(*timestamp)};
    Result<void> const loaded = co_await apply(trusted_, std::move(work), trace);
    if (!loaded) note_unusable(loaded.error());
    had_previous_ = loaded.has_value();
  }
  auto snapshot = co_await read_stored("snapshot", trace);
  if (!snapshot) co_return;
  stored_snapshot_ = std::make_shared<std::string const>(std::move(*snapshot));
  Step step = [stored = stored_snapshot_](TrustedMetadata& trusted, std::string const&) {
    return trusted.load_previous_snapshot(*stored);
  };
  Work work{"snapshot", std::move(step)};
  Result<void> const loaded = co_await apply(trusted_, std::move(work), trace);
  if (loaded) co_return;
  note_unusable(loaded.error());
  stored_snapshot_.reset();
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
  request.kind_of_limit = limit_without_length(request.limit);
  auto bytes = co_await ask(std::move(request), frame.trace());
  if (!bytes) co_return failed("timestamp", std::move(bytes).error());
  auto verdict = std::make_shared<TimestampOutcome>(TimestampOutcome::unchanged);
  Step step = [verdict](TrustedMetadata& trusted, std::string answer) -> Result<void> {
    BOOST_OUTCOME_TRY(*verdict, trusted.update_timestamp(std::move(answer)));
    return outcome::success();
  };
  last_modified_["timestamp"] = bytes.value().last_modified;
  Work work{"timestamp", std::move(step), std::move(bytes.value().bytes)};
  Result<void> const updated = co_await apply(trusted_, std::move(work), frame.trace());
  if (!updated) co_return refused("timestamp", updated.error());
  if (*verdict == TimestampOutcome::accepted && trusted_->expired().empty()) {
    co_await store_role("timestamp", frame.trace());
  }
  frame.trace().progress();
  co_return outcome::success();
}

runtime::Task<RefreshResult<void>> Refresh::update_snapshot(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.snapshot"};
  Step step = [](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_snapshot(std::move(bytes));
  };
  Sources sources{.stored = std::exchange(stored_snapshot_, nullptr)};
  co_return co_await take("snapshot", std::move(sources), std::move(step), frame.trace());
}

runtime::Task<RefreshResult<void>> Refresh::update_targets(runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.targets"};
  Step step = [](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_targets(std::move(bytes));
  };
  Sources sources;
  if (settings_.reuse_stored) {
    auto stored = co_await read_stored("targets", frame.trace());
    if (stored) sources.stored = std::make_shared<std::string const>(std::move(*stored));
  }
  co_return co_await take("targets", std::move(sources), std::move(step), frame.trace());
}

runtime::Task<RefreshResult<void>> Refresh::update_delegated(NeedRole need, Answer answer,
                                                             runtime::Trace trace) {
  runtime::Frame const frame{trace, "tuf.delegated", need.role};
  if (need.role.size() > RunBudget{}.name) {
    Rejection why{Rule::budget, need.role.substr(0, kNameShown) + "…",
                  "not asked for: its name is " + std::to_string(need.role.size()) + " bytes long"};
    co_return failed(why.role, why);
  }
  if (auto const before = failed_.find(need); before != failed_.end()) co_return before->second;
  bool const known = trusted_->targets(need.role) != nullptr;
  auto delegated = known ? update_delegator(need, frame.trace())
                         : take_delegated(need, std::move(answer), frame.trace());
  auto updated = co_await std::move(delegated);
  // What the snapshot does not list is refused without a request anyway.
  bool const asked = trusted_->expected(need.role) != nullptr;
  if (!updated && asked) failed_.emplace(std::move(need), updated.error());
  co_return updated;
}

// Reached before, from another delegator: the same file, verified by this one's keys.
runtime::Task<RefreshResult<void>> Refresh::update_delegator(NeedRole need, runtime::Trace trace) {
  Step step = [need](TrustedMetadata& trusted, std::string const&) {
    return trusted.update_delegator(need.role, need.delegator);
  };
  Work work{need.role, std::move(step)};
  Result<void> const verified = co_await apply(trusted_, std::move(work), trace);
  if (!verified) co_return refused(std::move(need.role), verified.error());
  trace.progress();
  co_return outcome::success();
}

runtime::Task<RefreshResult<void>> Refresh::take_delegated(NeedRole need, Answer answer,
                                                           runtime::Trace trace) {
  Step step = [need](TrustedMetadata& trusted, std::string bytes) {
    return trusted.update_delegated_targets(need.role, need.delegator, std::move(bytes));
  };
  Sources sources{.answer = std::move(answer)};
  if (settings_.reuse_stored) {
    auto stored = co_await read_stored(need.role, trace);
    if (stored) sources.stored = std::make_shared<std::string const>(std::move(*stored));
  }
  co_return co_await take(std::move(need.role), std::move(sources), std::move(step), trace);
}

runtime::Task<RefreshResult<void>> Refresh::update_all(runtime::Trace trace) {
  runtime::require_loop_thread();
  auto done = co_await update_roots(trace);
  if (done && more_roots_) {
    Rejection why{Rule::root_rotation_limit, "root",
                  "more than " + std::to_string(settings_.policy.limits.root_rotations) +
                      " new roots in one refresh"};
    co_return failed("root", std::move(why));
  }
  if (done) done = co_await update_timestamp(trace);
  if (done) done = co_await update_snapshot(trace);
  if (done) done = co_await update_targets(trace);
  co_return done;
}

runtime::Task<RefreshResult<FoundTarget>> Refresh::find(std::string path, runtime::Trace trace) {
  runtime::require_loop_thread();
  runtime::Frame const frame{trace, "tuf.find", path};
  auto const search = std::make_shared<TargetSearch>(*trusted_, path);
  while (true) {
    if (work_.spent()) co_return failed(path, work_.refusal(path));
    auto look = [search, owner = trusted_] { return search->next(); };
    SearchStep step = co_await work_.run(frame.trace(), "tuf.search", std::move(look));
    if (auto* found = std::get_if<FoundTarget>(&step)) co_return std::move(*found);
    if (auto* nothing = std::get_if<NoTarget>(&step)) {
      co_return failed(std::move(path), std::move(nothing->why));
    }
    NeedRole need = std::get<NeedRole>(std::move(step));
    visited_.insert(need);
    auto updated = co_await update_delegated(std::move(need), std::nullopt, frame.trace());
    if (!updated) co_return std::move(updated).error();
  }
}

runtime::Task<Result<void>> Refresh::apply(Trusted to, Work work, runtime::Trace trace) {
  if (work_.spent()) co_return work_.refusal(std::move(work.role));
  auto job = [to = std::move(to), work = std::move(work)]() mutable -> Result<void> {
    Result<void> verdict = work.step(*to, std::move(work.bytes));
    if (verdict) return verdict;
    return shortened(std::move(verdict).error());
  };
  co_return co_await work_.run(trace, "tuf.verify", std::move(job));
}

runtime::Task<FetchResult<FetchedFile>> Refresh::fetch_role(std::string role, std::size_t most,
                                                            runtime::Trace trace) {
  std::optional<std::uint64_t> version;
  if (trusted_->root().consistent_snapshot) version = trusted_->expected(role)->version;
  FileRequest request =
      file(metadata_file(role, version), std::min(most, trusted_->size_limit(role)));
  MetaFile const* listed = trusted_->expected(role);
  bool const ours = listed == nullptr || !listed->length || *listed->length > request.limit;
  request.kind_of_limit = ours ? Limit::ours : Limit::listed;
  co_return co_await ask(std::move(request), trace);
}

runtime::Task<RefreshResult<void>> Refresh::take(std::string role, Sources sources, Step step,
                                                 runtime::Trace trace) {
  if (trusted_->expected(role) == nullptr) {
    Rejection why{Rule::role_not_in_snapshot, role, "snapshot does not list it"};
    co_return failed(std::move(role), std::move(why));
  }
  if (sources.stored && settings_.reuse_stored) {
    Step again = [step, stored = sources.stored](TrustedMetadata& trusted, std::string const&) {
      return step(trusted, *stored);
    };
    Work work{role, std::move(again)};
    Result<void> const good = co_await apply(trusted_, std::move(work), trace);
    if (good) co_return outcome::success();
  }
  if (!sources.answer)
    sources.answer.emplace(co_await fetch_role(role, trusted_->size_limit(role), trace));
  FetchResult<FetchedFile>& file = *sources.answer;
  if (!file) co_return failed(std::move(role), std::move(file).error());
  last_modified_[role] = file.value().last_modified;
  Work work{role, std::move(step), std::move(file.value().bytes)};
  Result<void> const accepted = co_await apply(trusted_, std::move(work), trace);
  if (!accepted) co_return refused(std::move(role), accepted.error());
  // Of delegated roles a stored copy only saves a request: none for somebody who always asks.
  bool const useful = settings_.reuse_stored || !is_delegated_role_name(role);
  if (useful && trusted_->expired().empty()) co_await store_role(std::move(role), trace);
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
  auto const forgotten = co_await store_.forget(role, trace);
  if (!forgotten) store_faults_.push_back(forgotten.error());
}

// As it was accepted.
runtime::Task<void> Refresh::store_role(std::string role, runtime::Trace trace) {
  auto bytes = trusted_->shared_bytes(role);
  auto const written = co_await store_.write(role, std::move(bytes), trace);
  if (!written) store_faults_.push_back(written.error());
}

}  // namespace canary::tuf
