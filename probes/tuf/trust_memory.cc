// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/trust_memory.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "runtime/contract.h"

namespace canary::tuf {
namespace {

// More than this is not destroyed on the loop.
constexpr std::size_t kSmall = std::size_t{64} << 10U;

}  // namespace

using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

// Used on the state directory's thread alone.
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
      executor_(executor),
      changed_(executor) {}

TrustMemory::~TrustMemory() {
  threads_.cpu.retire(std::move(files_));
  threads_.cpu.retire(std::move(pending_));
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
  auto opening = threads_.disk.start(executor_, std::move(job), "store.open");
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
  if (hold) threads_.disk.retire(std::move(hold));
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
  auto job = [disk = disk_, changes = std::vector<Change>{pending_.begin(), pending_.end()}] {
    std::vector<Outcome> outcomes;
    auto const hold = Disk::hold(disk);
    for (auto const& change : changes) {
      Outcome outcome{.number = change.number, .fault = {}, .identity = {}};
      if (hold) {
        auto const& folder = *hold.value();
        auto const done =
            change.bytes ? folder.write(change.name, *change.bytes) : folder.remove(change.name);
        if (!done) outcome.fault = done.error();
        if (done) outcome.identity = folder.identity(change.name);
      } else {
        outcome.fault = hold.error();
      }
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
  threads_.disk.then(executor_, "store.write", std::move(job), std::move(told));
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
