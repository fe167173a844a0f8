// SPDX-License-Identifier: Apache-2.0
// How fast large metadata is parsed, canonicalised and verified: 100,000 targets in one file, and
// the same spread over 16,384 hash bins. Run: build/release/metadata_bench.
#include <sys/resource.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "probes/tuf/authoring.h"
#include "probes/tuf/canonical_json.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/role_name.h"
#include "probes/tuf/trusted_metadata.h"

namespace {

using namespace canary::tuf;

constexpr Time kNow = std::chrono::sys_days{std::chrono::year{2026} / 6 / 1};
constexpr int kTargets = 100'000;
constexpr unsigned kBinBits = 14;  // 16,384 bins

std::string target_name(int number) {
  return "packages/group" + std::to_string(number % 97) + "/package-" + std::to_string(number) +
         ".tar.gz";
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

std::string const& large_targets() {
  static std::string const bytes = [] {
    TargetsSpec spec{.version = 1, .expires = kNow + std::chrono::days{1}};
    for (int i = 0; i < kTargets; ++i) spec.files.emplace(target_name(i), "");
    return sign_metadata(targets_json(spec), std::vector{SigningKey::ed25519("targets")});
  }();
  return bytes;
}

// The same, but `hashes` and `length` change places in every object, as canonical JSON must again.
std::string const& shuffled_targets() {
  static std::string const bytes = [] {
    std::string text = large_targets();
    for (std::size_t at = 0; (at = text.find("{\"hashes\"", at)) != std::string::npos; ++at) {
      std::size_t const comma = text.find("},", at) + 1;
      std::size_t const end = text.find('}', comma);
      std::string const swapped =
          text.substr(comma + 1, end - comma - 1) + "," + text.substr(at + 1, comma - at - 1);
      text.replace(at + 1, swapped.size(), swapped);
    }
    return text;
  }();
  return bytes;
}

void parse_json(benchmark::State& state) {
  for (auto _ : state) {
    auto document = json::Document::parse(large_targets(), "targets", {});
    if (!document) throw std::runtime_error(sentence(document.error()));
    benchmark::DoNotOptimize(document.value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(large_targets().size() * state.iterations()));
}
BENCHMARK(parse_json)->Unit(benchmark::kMillisecond);

void canonicalise(benchmark::State& state, std::string const& bytes) {
  auto const document = json::Document::parse(bytes, "targets", {});
  json::Value const& value = *document.value()->root().find("signed");
  for (auto _ : state) {
    std::string text;
    text.reserve(large_targets().size());
    benchmark::DoNotOptimize(append_canonical_json(text, value, "targets", "signed").has_value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(large_targets().size() * state.iterations()));
}
BENCHMARK_CAPTURE(canonicalise, sorted, large_targets())->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(canonicalise, shuffled, shuffled_targets())->Unit(benchmark::kMillisecond);

// All that happens between the bytes and a Targets value with its digest.
void parse_metadata(benchmark::State& state) {
  for (auto _ : state) {
    auto parsed = parse_targets(large_targets(), "targets");
    if (!parsed) throw std::runtime_error(sentence(parsed.error()));
    benchmark::DoNotOptimize(parsed.value());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(large_targets().size() * state.iterations()));
}
BENCHMARK(parse_metadata)->Unit(benchmark::kMillisecond);

TrustedMetadata refresh(Published const& published) {
  auto trusted = TrustedMetadata::create(published.root(1), kNow, {});
  auto const step = [](auto result) {
    if (!result) throw std::runtime_error(sentence(result.error()));
  };
  step(trusted.value().finish_roots());
  step(trusted.value().update_timestamp(published.metadata.at("timestamp.json")));
  step(trusted.value().update_snapshot(published.metadata.at("1.snapshot.json")));
  step(trusted.value().update_targets(published.metadata.at("1.targets.json")));
  return std::move(trusted).value();
}

void refresh_large_targets(benchmark::State& state) {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < kTargets; ++i) repository.targets.files.emplace(target_name(i), "");
  Published const published = publish(repository);
  for (auto _ : state) {
    TrustedMetadata const trusted = refresh(published);
    benchmark::DoNotOptimize(trusted.targets()->find(target_name(kTargets / 2)));
  }
  state.counters["metadata_MiB"] =
      static_cast<double>(published.metadata.at("1.targets.json").size()) / (1 << 20);
  state.counters["peak_MiB"] = peak_mebibytes();
}
BENCHMARK(refresh_large_targets)->Unit(benchmark::kMillisecond);

Published const& binned() {
  static Published const published = [] {
    Repository repository = a_repository(kNow);
    repository.targets.files.clear();
    repository.targets.succinct = SuccinctSpec{{{SigningKey::ed25519("bins")}}, kBinBits, "bin"};
    SuccinctRoles const roles{{}, kBinBits, "bin"};
    for (int i = 0; i < kTargets; ++i) {
      std::string const path = target_name(i);
      TargetsSpec& bin = repository.delegated[bin_name(roles, bin_of(roles, path_hash(path)))];
      bin.expires = kNow + std::chrono::days{1};
      bin.files.emplace(path, "");
    }
    return publish(repository);
  }();
  return published;
}

void find_one_target_in_bins(benchmark::State& state) {
  binned();  // made before the clock runs
  for (auto _ : state) {
    TrustedMetadata trusted = refresh(binned());
    TargetSearch search(trusted, target_name(12'345));
    SearchStep step = search.next();
    NeedRole const need = std::get<NeedRole>(step);
    if (!trusted.update_delegated_targets(need.role, need.delegator,
                                          binned().metadata.at(metadata_file(need.role, 1)))) {
      throw std::runtime_error("a bin was rejected");
    }
    step = search.next();
    benchmark::DoNotOptimize(std::get<FoundTarget>(step));
  }
}
BENCHMARK(find_one_target_in_bins)->Unit(benchmark::kMillisecond);

void audit_every_bin(benchmark::State& state) {
  binned();
  std::size_t bytes = 0;
  for (auto _ : state) {
    TrustedMetadata trusted = refresh(binned());
    DelegationWalk walk(trusted, 1U << 20U);
    while (auto const need = walk.next()) {
      std::string const& bin = binned().metadata.at(metadata_file(need->role, 1));
      bytes += bin.size();
      if (!trusted.update_delegated_targets(need->role, need->delegator, bin)) {
        throw std::runtime_error("a bin was rejected");
      }
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.counters["bins"] = static_cast<double>(1U << kBinBits);
  state.counters["peak_MiB"] = peak_mebibytes();
}
BENCHMARK(audit_every_bin)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
