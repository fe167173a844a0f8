// SPDX-License-Identifier: Apache-2.0
// The history of many probes over many days, through the real store: how large it gets, what it
// costs to write, to keep within its bounds, to check and to read.
//
//   build/release/history_bench FILE [PROBES=1000] [INTERVAL_SECONDS=10] [DAYS=400] [FULL_DAYS=8]
//                               [BATCH=2000]
//
// It ends now, so that a canaryd can be started on it. In the last FULL_DAYS every run is written;
// in the 93 days before one an hour of each probe, and one a day before that: single runs are kept
// for seven days, counts by hour for 92, and there are as many of these and by day either way. Each
// probe has an incident of an hour every nine days. FILE is new, and stays.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/history/store.h"

namespace {

using namespace std::chrono_literals;
using namespace canary::history;
using canary::probes::Severity;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kThinEvery = 10min;   // likewise
constexpr std::int64_t kSickEvery = 24 * 9;  // hours

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto const of = [](timeval const& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

// That this process had the kernel write to a disk.
double written_bytes() {
  std::ifstream io{"/proc/self/io"};
  std::string key;
  double value = 0;
  while (io >> key >> value) {
    if (key == "write_bytes:") return value;
  }
  return 0;
}

template <class T>
T must(canary::history::DatabaseResult<T> result) {
  if (result) {
    if constexpr (std::is_void_v<T>) {
      return;
    } else {
      return std::move(result).value();
    }
  }
  std::fprintf(stderr, "history_bench: %s\n", result.error().text.c_str());
  std::exit(1);
}

std::string name_of(std::int64_t probe) { return "get-" + std::to_string(probe); }

bool is_sick(std::int64_t probe, Time at) {
  auto const hour = std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count();
  return (hour + probe) % kSickEvery == 0;
}

Words words_of_expiry() {
  return {.check = "expiry",
          .subject = "timestamp",
          .reason = "expired",
          .message = "timestamp version 4711 expired 12 minutes ago; clients refuse it",
          .evidence = "tuf 5.4.4",
          .url = "https://updates.example.com/metadata/timestamp.json",
          .severity = Severity::critical};
}

class World {
 public:
  World(std::filesystem::path const& file, std::int64_t probes, std::int64_t batch)
      : store_(file, {}),
        sick_(static_cast<std::size_t>(probes)),
        probes_(probes),
        most_(static_cast<std::size_t>(batch)) {}

  // A run of each probe, spread over `width`; thins as often as the recorder does.
  void round(Time begin, milliseconds width) {
    for (std::int64_t probe = 0; probe < probes_; ++probe) {
      run(probe, begin + probe * width / probes_);
    }
    if (begin - thinned_ < kThinEvery) return;
    flush();
    thinned_ = begin;
    auto const begun = Clock::now();
    bool more = true;
    while (more) {
      auto const piece = Clock::now();
      more = must(store_.thin(begin));
      longest_piece_ = std::max(longest_piece_, seconds_since(piece));
    }
    longest_thin_ = std::max(longest_thin_, seconds_since(begun));
    thinning_ += seconds_since(begun);
  }
  void flush() {
    if (batch_.empty()) return;
    auto const begun = Clock::now();
    must(store_.write(batch_));
    longest_batch_ = std::max(longest_batch_, seconds_since(begun));
    written_ += batch_.size();
    batch_.clear();
  }
  // Seconds and bytes since the last time.
  void tell(std::string_view what, double wall, double cpu, double bytes) {
    std::printf("%.*s: %" PRIu64
                " entries, %.0f s (%.0f a second), CPU %.1f ms per 1,000, %.0f bytes written to "
                "the disk for each; longest batch %.0f ms; bounds kept in %.0f s, at most %.1f s "
                "at once and %.0f ms "
                "in a piece\n",
                static_cast<int>(what.size()), what.data(), written_, wall,
                static_cast<double>(written_) / wall, 1e6 * cpu / static_cast<double>(written_),
                bytes / static_cast<double>(written_), 1e3 * longest_batch_, thinning_,
                longest_thin_, 1e3 * longest_piece_);
    std::fflush(stdout);
    written_ = 0;
    longest_batch_ = longest_thin_ = longest_piece_ = thinning_ = 0;
  }
  Store& store() { return store_; }

 private:
  void run(std::int64_t probe, Time at) {
    bool const sick = is_sick(probe, at);
    std::string const name = name_of(probe);
    auto const was = sick_[static_cast<std::size_t>(probe)];
    if (sick != was) {
      sick_[static_cast<std::size_t>(probe)] = sick;
      put(ChangeEntry{.probe = name,
                      .at = at,
                      .kind = sick ? ChangeEntry::Kind::opened : ChangeEntry::Kind::closed,
                      .finding = words_of_expiry()});
    }
    RunEntry entry{.probe = name,
                   .url = "https://updates.example.com/metadata/",
                   .ended = at,
                   .duration = milliseconds{40 + probe % 100},
                   .severity = sick ? Severity::critical : Severity::ok,
                   .telling = std::nullopt};
    if (sick) entry.telling = words_of_expiry();
    put(std::move(entry));
  }
  void put(Entry entry) {
    batch_.push_back(std::move(entry));
    if (batch_.size() >= most_) flush();
  }

  Store store_;
  std::vector<bool> sick_;
  std::int64_t probes_;
  std::size_t most_;  // in a batch
  std::vector<Entry> batch_;
  Time thinned_{};
  std::uint64_t written_ = 0;
  double longest_batch_ = 0, longest_thin_ = 0, longest_piece_ = 0, thinning_ = 0;  // seconds
};

template <class Question>
void time_of(char const* what, Question const& question) {
  auto const begun = Clock::now();
  std::size_t const entries = question();
  std::printf("%-58s %8.1f ms, %zu entries\n", what, 1e3 * seconds_since(begun), entries);
  std::fflush(stdout);
}

void read_all(Store& store, Time now) {
  auto const span = [now](milliseconds back, std::string probe, std::size_t most = 1'000) {
    return Query{.probe = std::move(probe), .since = now - back, .until = now, .most = most};
  };
  time_of("incidents of 90 days (/incidents?since=90d)",
          [&] { return must(store.incidents(span(24h * 90, ""))).entries.size(); });
  time_of("incidents of 90 days of one probe",
          [&] { return must(store.incidents(span(24h * 90, "get-7"))).entries.size(); });
  time_of("changes of a week",
          [&] { return must(store.changes(span(24h * 7, "", 10'000))).entries.size(); });
  time_of("days of one probe, 90 (a probe's page)", [&] {
    return must(store.spans(span(24h * 90, "get-7"), Store::Width::day)).entries.size();
  });
  time_of("hours of one probe, a week (likewise)", [&] {
    return must(store.spans(span(24h * 7, "get-7"), Store::Width::hour)).entries.size();
  });
  time_of("runs of one probe, a day",
          [&] { return must(store.runs(span(24h, "get-7", 10'000))).entries.size(); });
  time_of("runs of all probes, the last ten minutes",
          [&] { return must(store.runs(span(10min, "", 10'000))).entries.size(); });
  time_of("days of all probes, 90", [&] {
    return must(store.spans(span(24h * 90, "", 100'000), Store::Width::day)).entries.size();
  });
}

}  // namespace

int main(int count, char** arguments) {
  auto const number = [&](int place, std::int64_t usual) {
    return count > place ? std::strtoll(arguments[place], nullptr, 10) : usual;
  };
  if (count < 2 || std::filesystem::exists(arguments[1])) {
    std::fprintf(
        stderr,
        "usage: history_bench FILE [PROBES] [INTERVAL_SECONDS] [DAYS] [FULL_DAYS] [BATCH]; "
        "FILE must not be there\n");
    return 2;
  }
  std::filesystem::path const file = arguments[1];
  std::int64_t const probes = number(2, 1'000);
  milliseconds const interval = std::chrono::seconds{number(3, 10)};
  auto const days = number(4, 400), full_days = std::min(number(5, 8), days);
  auto const now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  World world{file, probes, number(6, 2'000)};  // as the recorder's

  auto const stretch = [&](std::string_view what, Time from, Time until, milliseconds every) {
    auto const begun = Clock::now();
    double const cpu = cpu_seconds(), bytes = written_bytes();
    for (Time at = from; at < until; at += every) world.round(at, every);
    world.flush();
    if (until > from)
      world.tell(what, seconds_since(begun), cpu_seconds() - cpu, written_bytes() - bytes);
  };
  auto const full_from = now - 24h * full_days;
  Time const hours_from =
      now - 24h * std::max<std::int64_t>(full_days, std::min<std::int64_t>(days, 93));
  stretch("one run a day", now - 24h * days, hours_from, 24h);
  stretch("one run an hour", hours_from, full_from, 1h);
  stretch("every run", full_from, now, interval);
  std::printf("%s: %.1f MiB\n", file.c_str(),
              static_cast<double>(std::filesystem::file_size(file)) / (1 << 20));
  auto const begun = Clock::now();
  while (must(world.store().check())) continue;
  std::printf("looked for damage: %.1f s\n", seconds_since(begun));
  read_all(world.store(), now);
  return 0;
}
