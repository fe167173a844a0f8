// SPDX-License-Identifier: Apache-2.0
// The file: opening it, and what is done where it is not what it should be. What is written is in
// store_write.cc, what is read in store_read.cc.
#include "daemon/history/store.h"

#include <sys/stat.h>

#include <system_error>

#include "daemon/history/schema.h"

namespace canary::history {
namespace {

namespace fs = std::filesystem;

constexpr int kNewer = -1;  // no code of SQLite
constexpr char kDamaged[] = ".damaged";
constexpr char const* kSideFiles[] = {"-wal", "-shm", "-journal"};

std::pair<std::uint64_t, std::uint64_t> identity_of(fs::path const& file) {
  struct stat facts{};
  if (::stat(file.c_str(), &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino};
}

fs::path with_suffix(fs::path file, std::string const& suffix) { return file += suffix; }

void rename_all(fs::path const& from, fs::path const& to) {
  std::error_code ignored;
  for (auto const* const side : kSideFiles) {
    fs::rename(with_suffix(from, side), with_suffix(to, side), ignored);
  }
  fs::rename(from, to, ignored);
}

std::string newer_suffix(std::int64_t version) { return ".version-" + std::to_string(version); }

}  // namespace

bool Store::is_same_file() const { return identity_of(file_) == identity_; }

// One of a kind is kept: the last.
void Store::set_aside(std::string const& why, std::string const& suffix) {
  database_.reset();
  ids_.clear();
  check_ = {};
  auto const aside = with_suffix(file_, suffix);
  rename_all(file_, aside);
  notices_.push_back(why + ": " + file_.string() + " is set aside as " + aside.string() +
                     ", and a new one begun");
}

// A newer canaryd finds again what an older one had to leave alone.
void Store::pick_up_what_was_left_alone() {
  std::error_code ignored;
  auto const left_alone = with_suffix(file_, newer_suffix(kSchemaVersion));
  if (!fs::exists(left_alone, ignored)) return;
  rename_all(file_, with_suffix(file_, ".before"));
  rename_all(left_alone, file_);
  notices_.push_back("the history that an older canaryd had set aside is in use again: " +
                     file_.string());
}

// With our tables in it. A file of a newer canaryd is the fault kNewer, with its version as text.
DatabaseResult<Database> Store::open() const {
  BOOST_OUTCOME_TRY(auto database, Database::open(file_, Database::Access::write));
  BOOST_OUTCOME_TRY(auto const version, schema_version(database));
  if (version > kSchemaVersion) return DatabaseFault{kNewer, std::to_string(version)};
  BOOST_OUTCOME_TRYV(prepare_schema(database));
  return database;
}

Store Store::reading(fs::path file) {
  Store store{std::move(file), {}};
  store.reads_only_ = true;
  return store;
}

DatabaseResult<void> Store::ready_to_read() {
  if (database_) return outcome::success();
  BOOST_OUTCOME_TRY(auto database, Database::open(file_, Database::Access::read));
  BOOST_OUTCOME_TRY(auto const version, schema_version(database));
  if (version > kSchemaVersion) {
    return DatabaseFault{kNewer, "it is of a newer canaryd, whose own `canaryd history` reads it"};
  }
  if (version == 0) return DatabaseFault{0, "nothing has been written yet"};
  BOOST_OUTCOME_TRYV(stand_in_for_newer_tables(database, version));
  database_.emplace(std::move(database));
  return outcome::success();
}

DatabaseResult<void> Store::ready() {
  if (reads_only_) return ready_to_read();
  if (database_ && is_same_file()) return outcome::success();
  ids_.clear();
  if (database_) {
    database_.reset();
    notices_.push_back("the history's file " + file_.string() +
                       " was taken away while it was in use; a new one is begun");
  }
  std::error_code shown_by_open;
  fs::create_directories(file_.parent_path(), shown_by_open);
  pick_up_what_was_left_alone();
  auto opened = open();
  if (!opened && opened.error().code == kNewer) {
    set_aside("the history is of a newer canaryd", ".version-" + opened.error().text);
    opened = open();
  } else if (!opened && opened.error().damaged()) {
    set_aside("the history is damaged (" + opened.error().text + ")", kDamaged);
    opened = open();
  }
  if (!opened) return opened.error();
  database_.emplace(std::move(opened).value());
  database_->until(until_);
  identity_ = identity_of(file_);
  return outcome::success();
}

void Store::until(std::optional<std::chrono::steady_clock::time_point> limit) {
  until_ = limit;
  if (database_) database_->until(until_);
}

void Store::give_up(DatabaseFault const& fault) {
  if (fault.too_long()) return;  // nothing is wrong with the file
  if (fault.damaged() && !reads_only_)
    set_aside("the history is damaged (" + fault.text + ")", kDamaged);
  database_.reset();
  ids_.clear();
}

DatabaseResult<void> Store::write(std::vector<Entry> const& batch) {
  auto written = ready();
  if (written) written = put(batch);
  return watched(std::move(written));
}

DatabaseResult<bool> Store::thin(Time now) {
  auto done = ready();
  if (done) done = bring_recent_runs_to_their_places(now);
  if (!done) return watched(DatabaseResult<bool>{done.error()});
  return watched(delete_some(now));
}

}  // namespace canary::history
