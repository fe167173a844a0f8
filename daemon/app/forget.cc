// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/forget.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/app/places.h"
#include "daemon/app/services.h"
#include "daemon/app/state_keeper.h"
#include "daemon/app/state_lock.h"
#include "daemon/history/recorder.h"
#include "daemon/history/store.h"
#include "daemon/results/saved_state.h"
#include "probes/kind.h"
#include "probes/tuf/store_folder.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;

std::string cannot(char const* what, fs::path const& path, int error) {
  return std::string{"cannot "} + what + " " + path.string() + ": " +
         std::generic_category().message(error);
}

// Files that root made would be none of the daemon's.
Result<void, std::string> become_owner_of(fs::path const& folder) {
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    return errno == ENOENT
               ? "there is no " + folder.string() + ": no canaryd has run with this state directory"
               : cannot("look at", folder, errno);
  }
  if (::geteuid() != 0 || status.st_uid == 0) return outcome::success();
  if (::setgroups(0, nullptr) != 0 || ::setgid(status.st_gid) != 0 ||
      ::setuid(status.st_uid) != 0) {
    return cannot("go on as the owner of", folder, errno);
  }
  return outcome::success();
}

// What the next start shows. Empty where it is written, or nothing is known of the probe.
std::string note_in_results(config::Config const& config, config::ProbeSpec const& probe,
                            TrustDropped const& dropped) {
  fs::path const file = saved_file(saved_directory(config), probe.name.text);
  auto const bytes = tuf::read_whole_file(file, kSavedBytes);
  if (!bytes) return sentence(bytes.error());
  if (!bytes.value()) return {};
  auto state = parse_saved_state(*bytes.value(), probes::declaration_of(probe.kind.name()));
  if (!state) return file.string() + " is left as it is: " + state.error();
  state.value().trust_dropped = dropped;
  auto const written = tuf::replace_file(file, to_text(state.value()));
  return written ? std::string{} : sentence(written.error());
}

std::string note_in_history(config::Config const& config, std::string const& probe,
                            TrustDropped const& dropped) {
  history::Store store{config.state_directory / history::kFileName,
                       {.keep = config.history.keep, .bytes = config.history.bytes}};
  auto const written = store.write({history::EventEntry{.kind = history::kTrustDropped,
                                                        .subject = probe,
                                                        .detail = dropped.reason.text(),
                                                        .at = dropped.at}});
  return written ? std::string{} : "the history does not have it: " + written.error().text;
}

}  // namespace

Result<std::size_t, std::string> remove_files(fs::path const& folder) {
  std::error_code failed;
  fs::directory_iterator at{folder, failed};
  if (failed == std::errc::no_such_file_or_directory) return std::size_t{0};
  std::vector<fs::path> files;
  for (; !failed && at != fs::directory_iterator{}; at.increment(failed)) {
    std::error_code ignored;
    if (!fs::is_directory(at->symlink_status(ignored))) files.push_back(at->path());
  }
  if (failed) return cannot("read", folder, failed.value());
  for (auto const& file : files) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return cannot("remove", file, errno);
  }
  if (files.empty()) return std::size_t{0};
  // A crash must not bring back what was forgotten.
  auto const synced = tuf::sync_folder(folder);
  if (!synced) return sentence(synced.error());
  return files.size();
}

std::string forgotten_text(std::string const& probe, std::size_t files) {
  if (files == 0) return "nothing was trusted of " + probe + "; its next run begins anew";
  return "forgot what was trusted of " + probe + " (" + std::to_string(files) +
         (files == 1 ? " file" : " files") + "); its next run begins from what is pinned";
}

Result<Forgotten, std::string> forget_at_rest(config::Config const& config,
                                              std::string const& probe,
                                              HarmlessText<512> const& reason) {
  auto const spec =
      std::ranges::find(config.probes, probe, [](auto const& each) { return each.name.text; });
  bool const known = spec != config.probes.end();
  BOOST_OUTCOME_TRY(become_owner_of(config.state_directory));
  auto const where = places(config.state_directory);
  BOOST_OUTCOME_TRY(auto const lock, StateLock::take(where));
  if (!lock.troubles().empty()) {
    return "it can't be told whether a canaryd runs: " + lock.troubles().front();
  }
  BOOST_OUTCOME_TRY(auto const files, remove_files(where.probe(probe)));
  if (files == 0 && !known) {
    return "no probe is called \"" + probe + "\", and nothing is trusted of one that was";
  }
  Forgotten forgotten{.files = files, .troubles = {}};
  TrustDropped const dropped{.at = wall_now(), .reason = reason};
  for (auto& trouble : {known ? note_in_results(config, *spec, dropped) : std::string{},
                        note_in_history(config, probe, dropped)}) {
    if (!trouble.empty()) forgotten.troubles.push_back(trouble);
  }
  return forgotten;
}

}  // namespace canary::daemon
