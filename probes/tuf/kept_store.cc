// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/kept_store.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "probes/tuf/findings.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/role_name.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

using probes::Finding;
using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

// For a disk that does not answer; of a run's time no more than half.
constexpr std::chrono::seconds kPatience{5};
// More than this is neither copied nor compared on the loop.
constexpr std::size_t kSmall = std::size_t{64} << 10U;

// Runs read all files but these: one is there for other clients of the folder, the other is for the
// next process.
bool is_kept(std::string const& name) {
  return name != metadata_file("targets") && name != kRolesFile;
}

template <class T>
std::optional<std::uint64_t> version(Result<Metadata<T>> const& parsed) {
  if (!parsed) return std::nullopt;
  return parsed.value().content.version;
}

std::optional<std::uint64_t> version_of(std::string const& name, std::string bytes) {
  if (name == metadata_file("root")) return version(parse_root(std::move(bytes)));
  if (name == metadata_file("timestamp")) return version(parse_timestamp(std::move(bytes)));
  if (name == metadata_file("snapshot")) return version(parse_snapshot(std::move(bytes)));
  return std::nullopt;
}

}  // namespace

KeptStore::KeptStore(std::shared_ptr<TrustMemory> memory, runtime::Workers& cpu, Deadline deadline)
    : RoleStore(memory ? memory->folder() : std::filesystem::path{}, cpu),
      memory_(std::move(memory)),
      cpu_(cpu),
      deadline_(deadline) {}

KeptStore::~KeptStore() {
  if (memory_) memory_->release(std::move(hold_));
}

// None where it is known to stand still.
Deadline KeptStore::patience() const {
  if (memory_->stands_still()) return Deadline::at(Clock::now());
  return deadline_.within(std::min<Clock::duration>(kPatience, deadline_.left() / 2));
}

Task<StoreResult<void>> KeptStore::open(Trace trace) {
  runtime::require_loop_thread();
  if (!memory_) co_return outcome::success();
  runtime::Frame const frame{trace, "store", path().filename().string()};
  disk_ = Disk::silent;
  if (memory_->stands_still()) co_return outcome::success();
  auto opened = co_await memory_->open(patience(), frame.trace());
  if (!opened) co_return outcome::success();
  disk_ = *opened ? Disk::answers : Disk::refuses;
  if (!*opened) co_return opened->error();
  hold_ = std::move(*opened).value();
  co_return outcome::success();
}

// nullopt: the disk does not answer.
Task<std::optional<KeptStore::Fetched>> KeptStore::fetch(std::string name, std::size_t limit,
                                                         Trace trace) {
  auto job = [hold = hold_, name, limit] {
    std::string identity = hold->identity(name);
    return Fetched{hold->read(name, limit), std::move(identity)};
  };
  auto const executor = co_await boost::asio::this_coro::executor;
  auto reading = memory_->disk().start(executor, std::move(job), "store.read");
  bool const done = co_await reading.done_by(patience(), trace, "store.read");
  if (!done) co_return std::nullopt;
  co_return reading.take();
}

Task<StoreResult<std::optional<std::string>>> KeptStore::read_file(std::string name,
                                                                   std::size_t limit, Trace trace) {
  runtime::require_loop_thread();
  if (!memory_) co_return std::optional<std::string>{};
  auto const* known = memory_->find(name);
  if (known != nullptr && !known->unread) co_return co_await copy(std::move(name), limit, trace);
  std::optional<Fetched> fetched;
  if (disk_ == Disk::answers) {
    fetched = co_await fetch(name, limit, trace);
    if (!fetched) disk_ = Disk::silent;
  }
  known = memory_->find(name);
  if (!fetched) {
    // Noted as not seen, unless there is a later state of it.
    if (known == nullptr && disk_ == Disk::silent) put(name, nullptr);
    co_return co_await copy(std::move(name), limit, trace);
  }
  if (!fetched->bytes) co_return fetched->bytes.error();
  Bytes theirs;
  if (auto& bytes = fetched->bytes.value()) {
    theirs = std::make_shared<std::string const>(std::move(*bytes));
  }
  Bytes const ours = known == nullptr ? nullptr : known->bytes;
  bool const stays = ours != nullptr && co_await newer(name, ours, theirs, trace);
  memory_->learned(name, {.bytes = std::move(theirs), .identity = fetched->identity}, stays);
  co_return co_await copy(std::move(name), limit, trace);
}

Task<StoreResult<std::optional<std::string>>> KeptStore::copy(std::string name, std::size_t limit,
                                                              Trace trace) {
  auto const* known = memory_->find(name);
  Bytes const bytes = known == nullptr ? nullptr : known->bytes;
  if (!bytes) co_return std::optional<std::string>{};
  if (bytes->size() > limit) co_return StoreFault{path() / name, "read", EFBIG};
  if (bytes->size() <= kSmall) co_return std::optional<std::string>{*bytes};
  auto job = [bytes] { return std::string{*bytes}; };
  std::string large = co_await cpu_.run(trace, "store.copy", std::move(job));
  co_return std::optional<std::string>{std::move(large)};
}

Task<bool> KeptStore::same(Bytes a, Bytes b, Trace trace) {
  if (a == b) co_return true;
  if (!a || !b || a->size() != b->size()) co_return false;
  if (a->size() <= kSmall) co_return *a == *b;
  auto job = [a, b] { return *a == *b; };
  co_return co_await cpu_.run(trace, "store.compare", std::move(job));
}

// Of what this process trusted while it could not see what an earlier one had: the newer one
// counts, so that a rollback against either is noticed.
Task<bool> KeptStore::newer(std::string name, Bytes ours, Bytes theirs, Trace trace) {
  if (!theirs) co_return true;
  auto job = [name = std::move(name), ours, theirs] {
    auto const a = version_of(name, *ours);
    auto const b = version_of(name, *theirs);
    return a && (!b || *a > *b);
  };
  co_return co_await cpu_.run(trace, "store.newer", std::move(job));
}

void KeptStore::put(std::string const& name, Bytes bytes) {
  auto const* known = memory_->find(name);
  bool const seen = known != nullptr && !known->unread;
  bool const on_disk = disk_ == Disk::answers || (disk_ == Disk::silent && seen);
  memory_->put(name, std::move(bytes), {.on_disk = on_disk, .keep = is_kept(name)});
}

Task<StoreResult<void>> KeptStore::write_file(std::string name, Bytes bytes, Trace trace) {
  runtime::require_loop_thread();
  if (!memory_) co_return outcome::success();
  auto const* known = memory_->find(name);
  Bytes const before = known == nullptr || known->identity.empty() ? nullptr : known->bytes;
  bool const stored = before != nullptr && co_await same(before, bytes, trace);
  if (!stored) put(name, std::move(bytes));
  co_return outcome::success();
}

Task<StoreResult<void>> KeptStore::remove_file(std::string name, Trace) {
  runtime::require_loop_thread();
  if (memory_) put(name, nullptr);
  co_return outcome::success();
}

Task<std::vector<Finding>> KeptStore::settle(Time now, Trace trace) {
  runtime::require_loop_thread();
  std::vector<Finding> findings;
  if (!memory_) co_return findings;
  runtime::Frame const frame{trace, "store", path().filename().string()};
  co_await memory_->settled(patience(), frame.trace());
  for (StoreFault const& fault : memory_->take_faults()) findings.push_back(finding_of(fault));
  bool const silent = disk_ == Disk::silent || memory_->stands_still();
  if (!memory_->behind()) memory_->behind_since.reset();
  if (!silent) co_return findings;
  if (memory_->behind() && !memory_->behind_since) memory_->behind_since = now;
  findings.push_back(silent_store_finding(
      {.folder = path(), .behind = memory_->behind_since, .blind = memory_->blind()}));
  co_return findings;
}

}  // namespace canary::tuf
