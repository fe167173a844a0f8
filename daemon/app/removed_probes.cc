// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/removed_probes.h"

#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "config/duration.h"
#include "daemon/app/forget.h"
#include "daemon/app/state_keeper.h"
#include "daemon/text/some_of.h"
#include "probes/tuf/store_folder.h"
#include "runtime/cancellation.h"
#include "runtime/contract.h"
#include "runtime/deadline.h"
#include "runtime/limits.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

struct Removed {
  std::size_t files = 0;
  std::string trouble;
};

// With what a crash left half written beside them.
Removed remove_all(std::vector<fs::path> const& files) {
  Removed removed;
  for (auto const& file : files) {
    ::unlink(tuf::temporary_name(file).c_str());
    if (::unlink(file.c_str()) == 0) {
      ++removed.files;
    } else if (errno != ENOENT && removed.trouble.empty()) {
      removed.trouble =
          "cannot remove " + file.string() + ": " + std::generic_category().message(errno);
    }
  }
  return removed;
}

// The folder goes with its files, unless somebody put a folder of their own there.
Removed remove_folder(fs::path const& folder) {
  auto const files = remove_files(folder);
  if (!files) return {.files = 0, .trouble = files.error()};
  ::rmdir(folder.c_str());
  return {.files = files.value(), .trouble = {}};
}

}  // namespace

Task<void> RemovedProbes::tend() {
  runtime::require_loop_thread();
  auto last = Clock::now();
  while (true) {
    co_await runtime::sleep_until({}, "removed_probes.wait", Deadline::after(kEvery));
    auto const now = Clock::now();
    auto const since = std::chrono::floor<std::chrono::seconds>(now - std::exchange(last, now));
    co_await look(since);
  }
}

// Nothing but the end of canaryd ends it.
Task<void> RemovedProbes::look(std::chrono::seconds since) {
  runtime::require_loop_thread();
  try {
    runtime::RunTrace const row{"removed_probes", Deadline::never(), runtime::RunRecord::service};
    co_await look_now(since, row.trace());
  } catch (std::exception const& failed) {
    if (runtime::is_cancellation(std::current_exception())) throw;
    trouble(runtime::explain(failed));
  }
  tell();
}

std::vector<std::string> RemovedProbes::known() const {
  std::vector<std::string> names;
  auto const reading = setup_.results.read();
  names.reserve(reading->probes.size());
  for (auto const* row : reading->probes) names.push_back(row->facts.name);
  return names;
}

Task<void> RemovedProbes::look_now(std::chrono::seconds since, Trace trace) {
  AbsencePlaces const places{.results = setup_.results_directory,
                             .trust = setup_.places.probes(),
                             .record = setup_.places.removed_probes()};
  auto job = [places, known = known(), before = absences_, since, settings = settings_] {
    return look_for_absent(places, known, before, since, settings);
  };
  auto const seen = co_await setup_.disk.run(trace, "state.removed", std::move(job));
  if (!seen) {
    trouble(seen.error());
    co_return;
  }
  absences_ = seen.value().absent;
  if (!seen.value().troubles.empty()) trouble(seen.value().troubles.front());
  auto const results = co_await remove_results(seen.value().results, trace);
  auto const trust = co_await remove_trust(seen.value().trust, trace);
  if (results == 0 && trust.empty()) co_return;
  setup_.log.info("what was known of probes that were removed long ago is removed",
                  {{"results", results}, {"trusted_metadata", some_of(trust)}});
}

// A reload or a list may have brought it back since the look.
bool RemovedProbes::is_absent(std::string const& probe) const {
  return setup_.results.row(probe) == nullptr;
}

Task<std::size_t> RemovedProbes::remove_results(std::vector<std::string> probes, Trace trace) {
  std::vector<fs::path> files;
  for (auto const& probe : probes) {
    if (is_absent(probe)) files.push_back(saved_file(setup_.results_directory, probe));
  }
  if (files.empty()) co_return 0;
  auto queue = setup_.disk.in_order(setup_.results_directory.string());
  auto job = [files = std::move(files)] { return remove_all(files); };
  auto const removed = co_await queue.run(trace, "state.remove", std::move(job));
  trouble(removed.trouble);
  co_return removed.files;
}

// In the order of what is done to the probe's folder: a run that begins from now on finds all of it
// gone.
Task<std::vector<std::string>> RemovedProbes::remove_trust(std::vector<std::string> probes,
                                                           Trace trace) {
  std::vector<std::string> dropped;
  for (auto const& probe : probes) {
    if (!is_absent(probe)) continue;
    auto const folder = setup_.places.probe(probe);
    auto queue = setup_.disk.in_order(folder.string());
    auto job = [folder] { return remove_folder(folder); };
    auto const removed = co_await queue.run(trace, "state.remove", std::move(job));
    trouble(removed.trouble);
    if (removed.files == 0) continue;
    note_dropped(probe);
    dropped.push_back(probe);
  }
  co_return dropped;
}

void RemovedProbes::note_dropped(std::string const& probe) {
  setup_.note(history::EventEntry{
      .kind = history::kTrustDropped,
      .subject = probe,
      .detail = "neither a file nor a list has had it for " + config::to_text(settings_.trust),
      .at = setup_.wall_clock()});
}

// The first of a look is told.
void RemovedProbes::trouble(std::string const& why) {
  if (trouble_.empty()) trouble_ = why;
}

// Once, until another one comes.
void RemovedProbes::tell() {
  auto const now = std::exchange(trouble_, {});
  if (now == std::exchange(told_, now) || now.empty()) return;
  setup_.log.warn("what is known of removed probes cannot be tidied up", {{"detail", now}});
}

}  // namespace canary::daemon
