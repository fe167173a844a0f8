// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/secret_files.h"

#include <utility>

#include "config/secret.h"
#include "runtime/contract.h"
#include "runtime/file_identity.h"

namespace canary::fetch {
namespace {

using runtime::Clock;
using runtime::Task;
using runtime::Trace;

constexpr auto kFreshFor = std::chrono::seconds{1};

// Every secret of the settings with the words for it.
std::vector<std::pair<std::string, config::Secret const*>> secrets_of(
    config::HttpSettings const& settings) {
  std::vector<std::pair<std::string, config::Secret const*>> all;
  all.reserve(settings.secret_headers.size() + 1);
  for (auto const& [name, secret] : settings.secret_headers) {
    all.emplace_back("the secret of the header " + name, &secret);
  }
  if (settings.proxy_credentials) {
    all.emplace_back("proxy_credentials", &*settings.proxy_credentials);
  }
  return all;
}

}  // namespace

Task<void> SecretFiles::look(config::Secret secret, Trace trace) {
  auto& entry = entries_.try_emplace(secret.file).first->second;
  auto const now = Clock::now();
  if (entry.looked_at != Clock::time_point{} && now - entry.looked_at < kFreshFor) co_return;
  Known known = entry.known;
  if (!known.value) known.value = std::make_shared<std::string const>(secret.value);
  auto read = [file = secret.file](Known known) {
    auto const identity = runtime::identity_of(file);
    if (!known.identity.empty() && known.identity == identity) return known;
    auto fresh = config::read_secret(file);
    known.problem = fresh ? "" : fresh.error().text;
    known.identity = fresh ? identity : "";  // what failed is tried again
    if (fresh) known.value = std::make_shared<std::string const>(std::move(fresh).value());
    return known;
  };
  runtime::FileAsk ask{.name = "http.secrets", .file = secret.file};
  auto seen = co_await runtime::look_again(trace, threads_, std::move(ask), std::move(known),
                                           std::move(read));
  entries_.insert_or_assign(secret.file, Entry{std::move(seen), Clock::now()});
}

Task<CurrentSecrets> SecretFiles::current(config::HttpSettings settings, Trace trace) {
  runtime::require_loop_thread();
  for (auto const& [words, secret] : secrets_of(settings)) {
    if (!secret->file.empty()) co_await look(*secret, trace);
  }
  CurrentSecrets result;
  for (auto const& [words, secret] : secrets_of(settings)) {
    if (secret->file.empty()) continue;
    Known const& known = entries_.at(secret->file).known;
    if (!known.waits && known.problem.empty()) continue;
    std::string why = words;
    why += " cannot be read again, so its last value is sent: ";
    why += known.waits ? sentence(*known.waits) : known.problem;
    result.kept.push_back(
        {.file = secret->file.string(), .why = std::move(why), .waits = known.waits.has_value()});
  }
  auto const value = [this](config::Secret const& secret) {
    return secret.file.empty() ? secret.value : *entries_.at(secret.file).known.value;
  };
  for (auto const& [name, secret] : settings.secret_headers) result.headers[name] = value(secret);
  if (settings.proxy_credentials) result.proxy_credentials = value(*settings.proxy_credentials);
  co_return result;
}

}  // namespace canary::fetch
