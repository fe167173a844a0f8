// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/trust_memory.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "runtime/contract.h"

namespace canary::tuf {
namespace {

// More than this is not destroyed on the loop.
constexpr std::size_t kSmall = std::size_t{64} << 10U;
// So many changes go to the disk together: a job of a slow disk is not to look like one that stands
// still.
constexpr std::size_t kTogether = 8;

}  // namespace

using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

// Used by jobs on the folder alone, which run one after the other.
struct TrustMemory::Disk {
  std::filesystem::path path;
  std::weak_ptr<StoreFolder> held{};

  // The folder of a run that goes on, or a hold of one's own.
  static StoreResult<Hold> hold(std::shared_ptr<Disk> const& disk) {
    if (auto held = disk->held.lock()) return held;
    auto opened = StoreFolder::open(disk->path);
    if (opened) disk->held = opened.value();
    return opened;
  }
};

TrustMemory::TrustMemory(std::filesystem::path folder, Threads threads, runtime::Executor executor)
    : disk_(std::make_shared<Disk>(Disk{std::move(folder)})),
      threads_(threads),
      in_order_(threads.disk.in_order(disk_->path.string())),
      executor_(executor),
      changed_(executor) {}

TrustMemory::~TrustMemory() {
  threads_.cpu.retire(std::move(files_));
  threads_.cpu.retire(std::move(pending_));
  threads_.cpu.retire(std::move(roles));
}

std::filesystem::path const& TrustMemory::folder() const { return disk_->path; }

bool TrustMemory::stands_still() const {
  auto const job = threads_.disk.longest();
  return job && job->lasted >= kStands;
}

Task<std::optional<StoreResult<TrustMemory::Hold>>> TrustMemory::open(Deadline until, Trace trace) {
  runtime::require_loop_thread();
  using Names = std::vector<std::string>;
  std::vector<std::pair<std::string, std::string>> known;  // names and identities
  for (auto const& [name, file] : files_) {
    if (!file.identity.empty()) known.emplace_back(name, file.identity);
  }
  auto job = [disk = disk_, known = std::move(known)]() -> std::pair<StoreResult<Hold>, Names> {
    auto hold = Disk::hold(disk);
    Names others;
    for (auto const& [name, identity] : known) {
      if (hold && hold.value()->identity(name) != identity) others.push_back(name);
    }
    return {std::move(hold), std::move(others)};
  };
  auto opening = in_order_.start(executor_, std::move(job), "store.open");
  bool const done = co_await opening.done_by(until, trace, "store.open");
  if (!done) co_return std::nullopt;
  auto [hold, others] = opening.take();
  for (auto const& name : others) {
    auto const file = files_.find(name);
    if (file == files_.end()) continue;
    discard(std::move(file->second.bytes));
    files_.erase(file);
  }
  co_return std::move(hold);
}

void TrustMemory::release(Hold hold) {
  if (hold) in_order_.retire(std::move(hold));
}

TrustMemory::File const* TrustMemory::find(std::string const& name) const {
  auto const file = files_.find(name);
  return file == files_.end() ? nullptr : &file->second;
}

bool TrustMemory::blind() const {
  return std::ranges::any_of(files_, [](auto const& file) { return file.second.unread; });
}

std::vector<std::string> TrustMemory::unwritten() const {
  std::vector<std::string> names;
  for (auto const& change : pending_) {
    if (std::ranges::find(names, change.name) == names.end()) names.push_back(change.name);
  }
  return names;
}

void TrustMemory::abandon() {
  runtime::require_loop_thread();
  abandoned_ = true;
  threads_.cpu.retire(std::exchange(pending_, {}));
}

void TrustMemory::learned(std::string const& name, File file, bool stays) {
  runtime::require_loop_thread();
  File& known = files_[name];
  known.unread = false;
  if (stays) {
    put(name, known.bytes, {});
    return;
  }
  discard(std::exchange(known.bytes, std::move(file.bytes)));
  known.identity = std::move(file.identity);
}

void TrustMemory::put(std::string const& name, Bytes bytes, How how) {
  runtime::require_loop_thread();
  bool const fresh = !files_.contains(name);
  if (how.keep || how.on_disk) {
    File& file = files_[name];
    if (fresh || how.on_disk) file.unread = !how.on_disk;
    if (file.bytes != bytes) discard(std::exchange(file.bytes, bytes));
    file.identity.clear();
  }
  if (!how.on_disk || abandoned_) return;
  // What is written again is written once, after what came before it. What was removed meanwhile
  // stays removed until then: see Refresh::update_roots().
  pending_.remove_if([&](Change const& change) {
    return change.name == name && (change.bytes != nullptr || bytes == nullptr);
  });
  pending_.push_back({++last_number_, name, std::move(bytes), how.keep});
  write_pending();
}

void TrustMemory::write_pending() {
  if (writing_ || pending_.empty() || disk_->path.empty()) return;
  writing_ = true;
  auto const end = std::next(pending_.begin(),
                             static_cast<std::ptrdiff_t>(std::min(kTogether, pending_.size())));
  auto job = [disk = disk_, changes = std::vector<Change>{pending_.begin(), end}] {
    auto const hold = Disk::hold(disk);
    std::vector<StoreFolder::Change> wanted;
    wanted.reserve(changes.size());
    for (auto const& change : changes) wanted.push_back({change.name, change.bytes.get()});
    auto const done = hold ? hold.value()->apply(wanted)
                           : std::vector<StoreResult<void>>(changes.size(), hold.error());
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < changes.size(); ++i) {
      Outcome outcome{.number = changes[i].number, .fault = {}, .identity = {}};
      if (!done[i]) outcome.fault = done[i].error();
      if (done[i]) outcome.identity = hold.value()->identity(changes[i].name);
      outcomes.push_back(std::move(outcome));
    }
    return outcomes;
  };
  auto told = [self = weak_from_this()](std::optional<std::vector<Outcome>> outcomes) {
    auto const memory = self.lock();
    if (!memory) return;
    memory->writing_ = false;
    if (outcomes) memory->written(*outcomes);
    memory->changed_.notify();
    if (outcomes) memory->write_pending();
  };
  in_order_.then(executor_, "store.write", std::move(job), std::move(told));
}

void TrustMemory::written(std::vector<Outcome> const& outcomes) {
  for (auto const& outcome : outcomes) {
    bool const told = outcome.fault && std::ranges::find(faults_, *outcome.fault) != faults_.end();
    if (outcome.fault && !told) faults_.push_back(*outcome.fault);
    auto const change = std::ranges::find(pending_, outcome.number, &Change::number);
    if (change == pending_.end()) continue;  // something newer is to be written
    auto const file = files_.find(change->name);
    if (file != files_.end() && file->second.bytes == change->bytes) {
      file->second.identity = outcome.identity;
      if (!change->keep) {
        discard(std::move(file->second.bytes));
        files_.erase(file);
      }
    }
    discard(std::move(change->bytes));
    pending_.erase(change);
  }
}

Task<bool> TrustMemory::settled(Deadline until, Trace trace) {
  runtime::require_loop_thread();
  while (!pending_.empty() || writing_) {
    if (!writing_) write_pending();
    bool const notified = co_await changed_.wait_until(trace, "store.write", until);
    if (!notified && !until.passed()) runtime::throw_operation_aborted();
    bool const all = pending_.empty();
    if (until.passed()) co_return all;
  }
  co_return true;
}

std::vector<StoreFault> TrustMemory::take_faults() { return std::exchange(faults_, {}); }

void TrustMemory::discard(Bytes bytes) {
  if (bytes && bytes->size() > kSmall) threads_.cpu.retire(std::move(bytes));
}

}  // namespace canary::tuf
