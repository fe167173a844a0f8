// SPDX-License-Identifier: Apache-2.0
// Signs the demo's repositories: each starts valid and has one fact changed.
// Thread: none.
#include "daemon/demo/demo_repositories.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "probes/openpgp/authoring.h"

namespace canary::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::days kValid{365};
constexpr std::string_view kCorrupted = "tool-1.4.2.tar.gz";

tuf::Signers a_signer() { return {.keys = {tuf::SigningKey::generate(tuf::Scheme::ed25519)}}; }

// Bytes that look like an archive's: the same for the same `seed`.
std::string some_bytes(std::size_t size, std::uint64_t seed) {
  std::string bytes;
  bytes.reserve(size);
  while (bytes.size() < size) {
    seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    bytes += static_cast<char>(seed >> 56);
  }
  return bytes;
}

tuf::Repository valid_repository(tuf::Time now) {
  tuf::Time const expires = now + kValid;
  tuf::RootSpec root{.expires = expires,
                     .root = a_signer(),
                     .timestamp = a_signer(),
                     .snapshot = a_signer(),
                     .targets = a_signer()};
  tuf::Repository repository{.roots = {std::move(root)},
                             .timestamp = {1, expires},
                             .snapshot = {1, expires},
                             .targets = {.expires = expires}};
  repository.targets.files = {{std::string(kCorrupted), some_bytes(64 * 1024, 1)},
                              {"tool-1.4.1.tar.gz", some_bytes(60 * 1024, 2)},
                              {"docs/changes.txt", "1.4.2: starts faster\n"}};
  return repository;
}

// More of what real repositories have: a root that two of three owners sign, a rotated timestamp
// key, and a delegated role with its own key.
tuf::Repository healthy_repository(tuf::Time now) {
  tuf::Repository repository = valid_repository(now);
  tuf::RootSpec& first = repository.roots.front();
  for (int more = 0; more < 2; ++more) {
    first.root.keys.push_back(tuf::SigningKey::generate(tuf::Scheme::ed25519));
  }
  first.root.threshold = 2;
  tuf::add_root(repository).timestamp = a_signer();
  repository.targets.delegations.push_back(
      {.name = "plugins", .signers = a_signer(), .paths = {"plugins/*"}, .terminating = true});
  repository.delegated["plugins"] = {.expires = now + kValid,
                                     .files = {{"plugins/export.zip", some_bytes(16 * 1024, 3)},
                                               {"plugins/import.zip", some_bytes(24 * 1024, 4)}}};
  return repository;
}

DemoRepository healthy(tuf::Time now) {
  DemoRepository demo{.name = "healthy",
                      .story = "two roots, a delegated role, five targets; all verify"};
  demo.files = tuf::publish(healthy_repository(now));
  return demo;
}

DemoRepository expiring_soon(tuf::Time now) {
  DemoRepository demo{.name = "expiring-soon",
                      .check = "expiry",
                      .severity = probes::Severity::warning,
                      .reason = probes::Reason::expiring,
                      .story = "its timestamp expires in 20 hours, a warning below 24"};
  demo.expiry.timestamp = {.warning = 24h, .critical = 1h};
  tuf::Repository repository = valid_repository(now);
  repository.timestamp.expires = now + 20h;
  demo.files = tuf::publish(repository);
  return demo;
}

DemoRepository expired(tuf::Time now) {
  DemoRepository demo{.name = "expired",
                      .check = "expiry",
                      .severity = probes::Severity::critical,
                      .reason = probes::Reason::expired,
                      .story = "its timestamp expired three days ago: nobody signs any more"};
  tuf::Repository repository = valid_repository(now);
  repository.timestamp.expires = now - std::chrono::days{3};
  demo.files = tuf::publish(repository);
  return demo;
}

DemoRepository corrupted_target(tuf::Time now) {
  DemoRepository demo{
      .name = "corrupted-target",
      .check = "targets",
      .severity = probes::Severity::critical,
      .reason = probes::Reason::hash_mismatch,
      .story = "one bit of " + std::string(kCorrupted) + " differs from what was signed"};
  demo.files = tuf::publish(valid_repository(now));
  for (auto& [path, bytes] : demo.files.targets) {
    if (path.ends_with(kCorrupted)) bytes[bytes.size() / 2] ^= 1;  // under each of its names
  }
  return demo;
}

DemoRepository trickling(tuf::Time now) {
  DemoRepository demo{.name = std::string(kTricklingName),
                      .serving = DemoServing::trickling,
                      .check = "reachable",
                      .severity = probes::Severity::unknown,
                      .reason = probes::Reason::too_slow,
                      .story = "its server sends one byte a second"};
  demo.files = tuf::publish(valid_repository(now));
  return demo;
}

DemoRepository unreachable(tuf::Time now) {
  DemoRepository demo{.name = "unreachable",
                      .serving = DemoServing::refused,
                      .check = "reachable",
                      .severity = probes::Severity::unknown,
                      .reason = probes::Reason::connect,
                      .story = "nobody listens at its port"};
  demo.files = tuf::publish(valid_repository(now));
  return demo;
}

Result<void, std::string> write_file(std::filesystem::path const& path, std::string const& bytes) {
  std::error_code problem;
  std::filesystem::create_directories(path.parent_path(), problem);
  if (problem) {
    return "cannot create " + path.parent_path().string() + ": " + problem.message();
  }
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) return "cannot write " + path.string() + ": " + std::strerror(errno);
  return outcome::success();
}

Result<void, std::string> write_files(std::filesystem::path const& folder,
                                      std::map<std::string, std::string> const& files) {
  for (auto const& [name, bytes] : files) {
    BOOST_OUTCOME_TRYV(write_file(folder / name, bytes));
  }
  return outcome::success();
}

}  // namespace

std::vector<DemoRepository> sign_demo_repositories(tuf::Time now) {
  std::vector<DemoRepository> repositories;
  for (auto const make :
       {healthy, expiring_soon, expired, corrupted_target, trickling, unreachable}) {
    repositories.push_back(make(now));
  }
  return repositories;
}

std::filesystem::path demo_key(std::filesystem::path const& demo) {
  return demo / "keys" / (std::string(kDemoKeyName) + ".gpg");
}

Result<void, std::string> write_demo_key(std::filesystem::path const& demo, tuf::Time now) {
  auto const key = openpgp::make_public_key("Demo Archive <archive@example.com>",
                                            now - std::chrono::days{300}, std::chrono::days{320});
  if (key.empty()) return "librnp makes no key";
  return write_file(demo_key(demo), key);
}

std::filesystem::path served_directory(std::filesystem::path const& demo) {
  return demo / "repositories";
}

std::filesystem::path pinned_root(std::filesystem::path const& demo, std::string_view name) {
  return demo / "roots" / (std::string(name) + ".root.json");
}

Result<void, std::string> write_demo_repositories(std::filesystem::path const& demo,
                                                  std::vector<DemoRepository> const& repositories) {
  for (DemoRepository const& repository : repositories) {
    BOOST_OUTCOME_TRYV(write_file(pinned_root(demo, repository.name), repository.files.root(1)));
    if (repository.serving == DemoServing::refused) continue;
    auto const folder = served_directory(demo) / repository.name;
    BOOST_OUTCOME_TRYV(write_files(folder / "metadata", repository.files.metadata));
    BOOST_OUTCOME_TRYV(write_files(folder / "targets", repository.files.targets));
  }
  return outcome::success();
}

}  // namespace canary::daemon
