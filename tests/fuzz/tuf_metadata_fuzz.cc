// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes through the parsers, and any well-formed `signed` parts, properly signed,
// through the whole state machine. The input is one `signed` part per step, separated by NUL:
// root, timestamp, snapshot, targets, then whatever the walk over delegations asks for.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>

#include "probes/tuf/authoring.h"
#include "probes/tuf/canonical_json.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/target_file.h"
#include "probes/tuf/trusted_metadata.h"
#include "tests/fuzz/tuf_world.h"

namespace {

using namespace canary::tuf;

void require(bool good, char const* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::string_view next_part(std::string_view& input) {
  std::size_t const end = input.find('\0');
  std::string_view const part = input.substr(0, end);
  input.remove_prefix(end == std::string_view::npos ? input.size() : end + 1);
  return part;
}

// Signs what can be signed; anything else is handed over as it is.
std::string envelope(std::string_view part) {
  auto const document = json::Document::parse(std::string(part), "fuzz", {});
  if (!document) return std::string(part);
  auto const canonical = canonical_json(document.value()->root(), "fuzz", "signed");
  if (!canonical) return std::string(part);
  return sign_metadata(part, std::vector{fuzz::signer()});
}

// What a handler of the loop may never wait for, a worker must not do for long either: other probes
// wait for it. Generous, for sanitizers and libFuzzer's own bookkeeping make everything slow.
constexpr std::int64_t kCpuLimitNs = 2'000'000'000;

std::int64_t cpu_time_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

void parse_all(std::string_view input) {
  std::string const bytes(input);
  if (auto const root = parse_root(bytes)) require(root.value().content.version >= 1, "version");
  if (auto const timestamp = parse_timestamp(bytes)) {
    require(timestamp.value().bytes() == bytes, "original bytes");
  }
  if (auto const snapshot = parse_snapshot(bytes)) {
    for (auto const& entry : snapshot.value().content.entries) {
      require(entry.meta.version >= 1, "listed version");
    }
  }
  if (auto const targets = parse_targets(bytes, "fuzz")) {
    for (auto const& entry : targets.value().content.entries) {
      require(targets.value().content.find(entry.path) == &entry.file, "target is found");
    }
  }
}

void walk(TrustedMetadata& trusted, std::string_view& input) {
  DelegationWalk walk(trusted, 20);
  std::size_t pairs = 0;
  while (auto const need = walk.next()) {
    require(++pairs <= 20, "the walk ends");
    std::string_view const part = next_part(input);
    std::string const bytes =
        part.empty() ? std::string(trusted.bytes(need->role)) : envelope(part);
    auto const result = trusted.update_delegated_targets(need->role, need->delegator, bytes);
    require(result.has_value() == trusted.is_trusted(need->role, need->delegator),
            "trusted if and only if accepted");
    require(unquote_role(quote_role(need->role)) == need->role, "role name round trip");
  }
}

// Any pattern against any path: both are the publisher's.
void match(std::string_view input) {
  std::size_t const half = input.size() / 2;
  MatchBudget budget;
  bool const matched = path_matches(input.substr(0, half), input.substr(half), budget);
  require(!matched || !budget.spent(), "a search that is given up has found nothing");
}

void search(TrustedMetadata const& trusted) {
  for (std::string const path : {"hello.txt", "a/b", ""}) {
    TargetSearch search(trusted, path);
    SearchStep const step = search.next();
    if (auto const* found = std::get_if<FoundTarget>(&step)) {
      TargetDigest digest(path, found->file);
      (void)digest.update("hello\n");
      (void)digest.finish();
    }
  }
}

void refresh(std::string_view input) {
  auto made = TrustedMetadata::create(fuzz::root(), fuzz::kNow, {ExpiryPolicy::record, {}});
  require(made.has_value(), "the pinned root is valid");
  TrustedMetadata& trusted = made.value();
  std::string_view const root = next_part(input);
  if (!root.empty()) {
    bool const accepted = trusted.update_root(envelope(root)).has_value();
    require(trusted.root().version == (accepted ? 2U : 1U), "root version");
  }
  if (!trusted.finish_roots()) return;
  if (!trusted.update_timestamp(envelope(next_part(input)))) return;
  if (!trusted.update_snapshot(envelope(next_part(input)))) return;
  require(trusted.snapshot()->version == trusted.timestamp()->snapshot.version, "snapshot version");
  if (!trusted.update_targets(envelope(next_part(input)))) return;
  require(trusted.targets()->version == trusted.expected("targets")->version, "targets version");
  walk(trusted, input);
  search(trusted);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  std::int64_t const begun = cpu_time_ns();
  parse_all(input);
  match(input);
  refresh(input);
  require(cpu_time_ns() - begun < kCpuLimitNs, "CPU time is bounded whatever the input");
  return 0;
}
