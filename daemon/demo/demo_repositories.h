// SPDX-License-Identifier: Apache-2.0
// The TUF repositories that the demo watches, signed afresh at each start with random keys.
// Thread: none; write_demo_repositories blocks on files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/result.h"
#include "probes/report.h"
#include "probes/tuf/authoring.h"
#include "probes/tuf/spec.h"

namespace canary::daemon {

// How the demo's server treats a repository.
enum class DemoServing : std::uint8_t {
  promptly,
  trickling,  // the head of an answer at once, its body one byte a second
  refused,    // asked for at a port where nobody listens
};

struct DemoRepository {
  std::string name;  // of the probe, of its folder and the first part of its URLs
  DemoServing serving = DemoServing::promptly;
  tuf::ExpirySpec expiry{};
  // What a probe finds in it, and why: the worst finding of a run.
  std::string check{};  // empty: no finding that is not ok
  probes::Severity severity = probes::Severity::ok;
  probes::Reason reason = probes::Reason::none;
  std::string story{};  // a sentence for people, without its full stop
  tuf::Published files{};
};

inline constexpr std::string_view kTricklingName = "trickling";

// Six repositories: healthy, expiring-soon, expired, corrupted-target, trickling, unreachable.
// `now` is when they are signed. All stay as told for a year, but for expiring-soon: it is a
// warning for 19 hours, critical in its last hour, and expired afterwards, as in real life.
std::vector<DemoRepository> sign_demo_repositories(tuf::Time now);

// Beside them the key of an archive, whose end is near: a warning for six days, critical
// afterwards.
inline constexpr std::string_view kDemoKeyName = "archive-key";
inline constexpr std::string_view kDemoKeyStory = "an OpenPGP key that ends in 20 days";
std::filesystem::path demo_key(std::filesystem::path const& demo);
// "Made" 300 days before `now`.
Result<void, std::string> write_demo_key(std::filesystem::path const& demo, tuf::Time now);

// Where things are, below the demo's directory.
std::filesystem::path served_directory(std::filesystem::path const& demo);
std::filesystem::path pinned_root(std::filesystem::path const& demo, std::string_view name);

// Writes served_directory/NAME/metadata/…, NAME/targets/… and each pinned root. The error says
// which file could not be written and why.
Result<void, std::string> write_demo_repositories(std::filesystem::path const& demo,
                                                  std::vector<DemoRepository> const& repositories);

}  // namespace canary::daemon
