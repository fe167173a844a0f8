// SPDX-License-Identifier: Apache-2.0
#include "probes/http/secret_files.h"

#include <utility>

#include "config/secret.h"
#include "probes/http/file_identity.h"
#include "runtime/contract.h"
#include "runtime/task_group.h"

namespace canary::http {
namespace {

using runtime::Clock;
using runtime::Deadline;
using runtime::Task;
using runtime::Trace;

constexpr auto kFreshFor = std::chrono::seconds{1};
constexpr auto kLookWait = std::chrono::milliseconds{250};

// Every secret of the settings with the words for it.
std::vector<std::pair<std::string, config::Secret const*>> secrets_of(
    config::HttpSettings const& settings) {
  std::vector<std::pair<std::string, config::Secret const*>> all;
  for (auto const& [name, secret] : settings.secret_headers) {
    all.emplace_back("the secret of the header " + name, &secret);
  }
  if (settings.proxy_credentials) {
    all.emplace_back("proxy_credentials", &*settings.proxy_credentials);
  }
  return all;
}

}  // namespace

// On the disk's thread.
SecretFiles::Entries SecretFiles::look(Entries entries) {
  for (auto& [file, entry] : entries) {
    auto const identity = identity_of(file);
    if (!entry.identity.empty() && entry.identity == identity) continue;
    auto fresh = config::read_secret(file);
    entry.problem = fresh ? "" : fresh.error().text;
    entry.identity = fresh ? identity : "";  // what failed is tried again
    if (fresh) entry.value = std::move(fresh).value();
  }
  return entries;
}

Task<CurrentSecrets> SecretFiles::current(config::HttpSettings settings, Trace trace) {
  runtime::require_loop_thread();
  auto const now = Clock::now();
  Entries old;
  for (auto const& [words, secret] : secrets_of(settings)) {
    if (secret->file.empty()) continue;
    auto const& entry =
        entries_.try_emplace(secret->file, Entry{.value = secret->value}).first->second;
    bool const fresh = entry.looked_at != Clock::time_point{} && now - entry.looked_at < kFreshFor;
    if (!fresh) old.emplace(secret->file, entry);
  }
  if (!old.empty()) {
    auto job = [old] { return look(old); };
    auto looking = disk_.run(trace, "http.secrets", std::move(job));
    auto seen = co_await runtime::within(Deadline::after(kLookWait), std::move(looking), trace);
    for (auto& [file, entry] : seen ? *seen : old) {
      entry.looked_at = Clock::now();
      if (!seen) entry.problem = "the disk did not give " + file.string() + " in time";
      entries_.insert_or_assign(file, std::move(entry));
    }
  }
  CurrentSecrets result;
  for (auto const& [words, secret] : secrets_of(settings)) {
    if (secret->file.empty()) continue;
    auto const& problem = entries_.at(secret->file).problem;
    if (problem.empty()) continue;
    result.kept.push_back({secret->file.string(),
                           words + " cannot be read again, so its last value is sent: " + problem});
  }
  auto const value = [this](config::Secret const& secret) {
    return secret.file.empty() ? secret.value : entries_.at(secret.file).value;
  };
  for (auto const& [name, secret] : settings.secret_headers) result.headers[name] = value(secret);
  if (settings.proxy_credentials) result.proxy_credentials = value(*settings.proxy_credentials);
  co_return result;
}

}  // namespace canary::http
