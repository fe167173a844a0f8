// SPDX-License-Identifier: Apache-2.0
// The history on disk: writes batches, answers queries, and stays within its bounds. A file that
// is damaged, gone, or of a newer canaryd costs the history, never the program.
// Thread: the database's. Blocks on the disk, possibly for ever.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/history/database.h"
#include "daemon/history/entries.h"

namespace canary::history {

struct Bounds {
  milliseconds keep{std::chrono::hours{24} * 400};
  std::uint64_t bytes = std::uint64_t{1} << 30;
  friend bool operator==(Bounds const&, Bounds const&) = default;
};

// Of the columns by which runs are counted by hour or day: adds to what is there.
inline constexpr std::string_view kAddCounts =
    "ON CONFLICT DO UPDATE SET ok = ok + excluded.ok, warning = warning + excluded.warning, "
    "critical = critical + excluded.critical, unknown = unknown + excluded.unknown, "
    "missed = missed + excluded.missed, total = total + excluded.total, "
    "longest = max(longest, excluded.longest)";
inline constexpr std::int64_t kHour = 3'600'000, kDay = 24 * kHour;  // milliseconds

class Store {
 public:
  // Opens nothing yet. `file`'s folder is made where it is missing.
  Store(std::filesystem::path file, Bounds bounds) : file_(std::move(file)), bounds_(bounds) {}
  // For another process than the daemon: makes and changes nothing.
  static Store reading(std::filesystem::path file);

  void set_bounds(Bounds bounds) { bounds_ = bounds; }

  // All of it, or nothing: then the same batch may be given again. Entries are in order of time.
  DatabaseResult<void> write(std::vector<Entry> const& batch);
  // Brings recent runs to their places, and takes away what the bounds do not allow, a piece at a
  // time; true: there may be more.
  DatabaseResult<bool> thin(Time now);
  // Looks for damage and sets the file aside where there is any; of one that is larger than `whole`
  // a piece at a time, true: there is more. (store_check.cc)
  DatabaseResult<bool> check(std::uint64_t whole = kCheckedWhole);
  static constexpr std::uint64_t kCheckedWhole = std::uint64_t{128} << 20;

  // For the questions below, which fail then as DatabaseFault::too_long(); nothing: no limit.
  void until(std::optional<std::chrono::steady_clock::time_point> limit);
  DatabaseResult<Found<ChangeEntry>> changes(Query const& query);
  // Of one probe only kTrustDropped, of all ("") every one.
  DatabaseResult<Found<EventEntry>> events(Query const& query);
  // Those that were open at some time of the span.
  DatabaseResult<Found<Incident>> incidents(Query const& query);
  DatabaseResult<Found<RunEntry>> runs(Query const& query);
  // How versions changed.
  DatabaseResult<Found<VersionEntry>> versions(Query const& query);
  enum class Width : std::uint8_t { hour, day };
  DatabaseResult<Found<Span>> spans(Query const& query, Width width);

  // What was so at a moment. (store_moments.cc)
  DatabaseResult<std::optional<RunEntry>> run_at(std::string const& probe, Time at);
  // The run after `at`; with runs() of one the run before.
  DatabaseResult<std::optional<Time>> run_after(std::string const& probe, Time at);
  // The findings that were open when the run of `at` had ended, the worst first.
  DatabaseResult<std::vector<OpenFinding>> findings_at(std::string const& probe, Time at);
  // The last change of each version until then.
  DatabaseResult<std::vector<VersionEntry>> versions_at(std::string const& probe, Time at);
  // When the probe first saw a version above `version`; nothing where it did not.
  DatabaseResult<std::optional<Time>> first_above(std::string const& probe,
                                                  std::string const& thing, std::int64_t version);

  // What happened to the file since the last call, a sentence each, for the log.
  std::vector<std::string> take_notices() { return std::exchange(notices_, {}); }

 private:
  // Missed runs by probe, hour or day.
  using Missed = std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>;

  DatabaseResult<void> ready();
  DatabaseResult<void> ready_to_read();
  DatabaseResult<Database> open() const;
  void pick_up_what_was_left_alone();
  bool is_same_file() const;
  void set_aside(std::string const& why, std::string const& suffix);
  void give_up(DatabaseFault const& fault);
  // What is damaged is begun anew; after any other failure a new connection may fare better.
  template <class T>
  DatabaseResult<T> watched(DatabaseResult<T> result) {
    if (!result) give_up(result.error());
    return result;
  }

  // Runs `sql`, whose `values` limit it to one row more than `query` wants; `entry_at` makes an
  // entry of a row, `more` reads what belongs to it.
  template <class Entry>
  DatabaseResult<Found<Entry>> found(
      Query const& query, std::string_view sql, std::initializer_list<Value> values,
      std::function<Entry(Row const&)> const& entry_at,
      std::function<DatabaseResult<void>(Entry&)> const& more = nullptr);

  DatabaseResult<void> put(std::vector<Entry> const& batch);
  DatabaseResult<void> put(RunEntry const& run);
  DatabaseResult<void> put(MissedEntry const& missed);
  DatabaseResult<void> put(ChangeEntry const& change);
  DatabaseResult<void> put(VersionEntry const& version);
  DatabaseResult<void> put(EventEntry const& event);
  DatabaseResult<void> put_missed(Missed const& counts, Width width);
  DatabaseResult<void> put_incident(RunEntry const& run, std::int64_t probe);
  DatabaseResult<void> put_cause(std::int64_t incident, Words const& words, Time at);
  DatabaseResult<std::int64_t> id_of(std::string const& probe, std::string const& url);
  // Of the probe that is asked for.
  DatabaseResult<std::int64_t> id_of_asked(Query const& query);
  DatabaseResult<bool> check_some(std::uint64_t whole);
  DatabaseResult<void> check_whole();
  DatabaseResult<bool> check_piece();
  // Once there are many, or the oldest has waited for long. (store_recent.cc)
  DatabaseResult<void> bring_recent_runs_to_their_places(Time now);
  DatabaseResult<bool> delete_some(Time now);
  DatabaseResult<std::int64_t> delete_surplus(std::string_view many, std::string_view surplus);
  // For a query of one row at most.
  template <class T>
  DatabaseResult<std::optional<T>> one(std::string_view sql, std::initializer_list<Value> values,
                                       std::function<T(Row const&)> const& read);
  template <class T>
  DatabaseResult<std::vector<T>> list(std::string_view sql, std::initializer_list<Value> values,
                                      std::function<T(Row const&)> const& read);

  std::filesystem::path file_;
  Bounds bounds_;
  bool reads_only_ = false;
  std::optional<std::chrono::steady_clock::time_point> until_;
  std::optional<Database> database_;
  std::pair<std::uint64_t, std::uint64_t> identity_{};  // device and inode of what is open
  std::map<std::string, std::pair<std::int64_t, std::string>> ids_;  // probe to id and URL
  Missed hours_, days_;                                              // runs of the batch
  struct CheckPlace {
    std::size_t table = 0;
    std::int64_t key = 0;  // the last that was read
  } check_;
  std::vector<std::string> notices_;
};

}  // namespace canary::history
