// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/state_keeper.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "config/touched_files.h"
#include "config/url.h"
#include "probes/kind.h"
#include "probes/tuf/store.h"
#include "runtime/contract.h"
#include "runtime/task_group.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

constexpr std::size_t kFilesPerJob = 32;
constexpr std::size_t kFilesNamed = 20;  // of those that cannot be used

std::string because(char const* doing, fs::path const& path) {
  return std::string{"cannot "} + doing + " " + path.string() + ": " +
         std::generic_category().message(errno);
}

// Why not; empty where it is written.
std::string write_file(fs::path const& path, std::string_view text) {
  fs::path const temporary = tuf::temporary_name(path);
  int const file =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file < 0) return because("write", temporary);
  std::string failure;
  while (!text.empty() && failure.empty()) {
    auto const written = ::write(file, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      failure = because("write", temporary);
    }
  }
  // Before it takes the place of the older one, which a power cut would leave empty or torn.
  if (failure.empty() && ::fsync(file) != 0) failure = because("sync", temporary);
  if (::close(file) != 0 && failure.empty()) failure = because("write", temporary);
  if (failure.empty() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    failure = because("rename", temporary);
  }
  if (!failure.empty()) ::unlink(temporary.c_str());
  return failure;
}

struct FileToWrite {
  fs::path path;
  std::shared_ptr<ProbeRow const> row;
};

// The first failure; empty where all are written. On the disk's thread.
std::string write_all(fs::path const& directory, std::vector<FileToWrite> const& files) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed) return "cannot make " + directory.string() + ": " + failed.message();
  std::string failure;
  for (auto const& file : files) {
    auto const why = write_file(file.path, to_text(saved_state(*file.row)));
    if (failure.empty()) failure = why;
  }
  return failure;
}

}  // namespace

fs::path saved_file(fs::path const& directory, std::string_view probe) {
  return directory / (config::percent_encode(probe) + ".json");
}

SavedStates load_saved_states(fs::path const& directory,
                              std::vector<config::ProbeSpec> const& probes, Log& log) {
  SavedStates states;
  std::size_t unusable = 0;
  auto const refuse = [&](std::string const& probe, fs::path const& path, std::string_view why) {
    if (++unusable > kFilesNamed) return;
    log.warn("what was known of a probe before this start cannot be used; it begins anew",
             {{"probe", probe}, {"file", path.string()}, {"detail", why}});
  };
  for (auto const& spec : probes) {
    std::string const& probe = spec.name.text;
    config::reading_goes_on();
    fs::path const path = saved_file(directory, probe);
    auto const bytes = tuf::read_whole_file(path, kSavedBytes);
    if (!bytes) {
      refuse(probe, path, sentence(bytes.error()));
      continue;
    }
    if (!bytes.value()) continue;  // it never ran
    auto state = parse_saved_state(*bytes.value(), probes::declaration_of(spec.kind.name()));
    if (state) {
      states.emplace(probe, std::move(state).value());
    } else {
      refuse(probe, path, state.error());
    }
  }
  if (unusable > kFilesNamed) {
    log.warn("and " + std::to_string(unusable - kFilesNamed) + " more probes begin anew",
             {{"directory", directory.string()}});
  }
  return states;
}

SavedStates load_states_of_new(fs::path const& directory, config::Config const& fresh,
                               config::Config const& known, Log& log) {
  std::unordered_set<std::string_view> names;
  for (auto const& spec : known.probes) names.insert(spec.name.text);
  std::vector<config::ProbeSpec> probes;
  for (auto const& spec : fresh.probes) {
    if (!names.contains(spec.name.text)) probes.push_back(spec);
  }
  return load_saved_states(directory, probes, log);
}

StateKeeper::StateKeeper(runtime::Executor executor, runtime::Workers& disk, ResultStore& results,
                         Log& log, fs::path directory)
    : executor_(executor),
      disk_(disk.in_order(directory.string())),
      results_(results),
      log_(log),
      directory_(std::move(directory)),
      wake_(executor) {}

void StateKeeper::queue(std::string const& probe) {
  if (queued_.insert(probe).second) queue_.push_back(probe);
}

void StateKeeper::note(Changes const& changes) {
  runtime::require_loop_thread();
  auto const written = written_.find(changes.probe);
  bool const due = written == written_.end() || Clock::now() - written->second >= kRefresh;
  if (!changes.any() && !due) {
    changed_.insert(changes.probe);
    return;
  }
  queue(changes.probe);
  wake_.notify();
}

Task<void> StateKeeper::keep() {
  runtime::require_loop_thread();
  runtime::RunTrace const row{"state", Deadline::never(), runtime::RunRecord::service};
  while (true) {
    while (!queue_.empty()) co_await write_queued(row.trace());
    bool const woken = co_await wake_.wait_until(row.trace(), "state.wait", Deadline::never());
    if (!woken) runtime::throw_operation_aborted();  // cancelled
  }
}

Task<void> StateKeeper::write_queued(Trace trace) {
  runtime::require_loop_thread();
  std::vector<FileToWrite> files;
  while (!queue_.empty() && files.size() < kFilesPerJob) {
    std::string const probe = std::move(queue_.front());
    queue_.pop_front();
    queued_.erase(probe);
    changed_.erase(probe);
    auto row = results_.row(probe);
    if (!row) {
      written_.erase(probe);
      continue;  // a reload took it away
    }
    written_[probe] = Clock::now();
    files.push_back({saved_file(directory_, probe), std::move(row)});
    writing_.push_back(probe);
  }
  if (files.empty()) co_return;
  auto job = [directory = directory_, files = std::move(files)] {
    return write_all(directory, files);
  };
  std::string const failure = co_await disk_.run(trace, "state.write", std::move(job));
  writing_.clear();
  tell(failure);
}

// Once when it begins to fail, and once when it works again.
void StateKeeper::tell(std::string const& failure) {
  if (failing_ == !failure.empty()) return;
  failing_ = !failure.empty();
  if (failing_) {
    log_.warn("what is known of the probes is not kept over a restart", {{"detail", failure}});
  } else {
    log_.info("what is known of the probes is kept over a restart again",
              {{"directory", directory_.string()}});
  }
}

Task<bool> StateKeeper::finish(Deadline deadline) {
  // Who was ended in the middle of it does not know what became of these.
  for (auto const& probe : std::exchange(writing_, {})) queue(probe);
  for (auto const& probe : changed_) queue(probe);
  runtime::RunTrace const row{"state", deadline, runtime::RunRecord::service};
  runtime::TaskGroup group{executor_};
  group.start(write_rest(row.trace()));
  co_return co_await group.join_until(deadline, row.trace());
}

std::vector<std::string> StateKeeper::unwritten() const {
  auto names = writing_;
  names.insert(names.end(), queue_.begin(), queue_.end());
  return names;
}

Task<void> StateKeeper::write_rest(Trace trace) {
  while (!queue_.empty()) co_await write_queued(trace);
}

}  // namespace canary::daemon
