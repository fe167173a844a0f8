// SPDX-License-Identifier: Apache-2.0
#include "daemon/history/database.h"

#include <utility>

#include <sqlite3.h>

#include "config/harmless.h"

namespace canary::history {
namespace {

constexpr int kPrimary = 0xff;  // of an extended code
constexpr int kBusyMs = 2'000;  // another process (canaryd history) reads
constexpr int kLookEvery =
    10'000;  // instructions of SQLite's machine, of which each takes some 50 ns

int is_over(void* limit) {
  auto const& until = *static_cast<std::optional<std::chrono::steady_clock::time_point>*>(limit);
  return until && std::chrono::steady_clock::now() > *until ? 1 : 0;
}

void bind(sqlite3_stmt* statement, int place, Value const& value) {
  if (auto const* const number = std::get_if<std::int64_t>(&value)) {
    ::sqlite3_bind_int64(statement, place, *number);
  } else if (auto const* const text = std::get_if<std::string_view>(&value)) {
    ::sqlite3_bind_text(statement, place, text->data(), static_cast<int>(text->size()),
                        SQLITE_STATIC);
  } else {
    ::sqlite3_bind_null(statement, place);
  }
}

}  // namespace

bool DatabaseFault::damaged() const {
  int const primary = code & kPrimary;
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
}

bool DatabaseFault::no_space() const {
  return (code & kPrimary) == SQLITE_FULL || code == SQLITE_IOERR_WRITE;
}

bool DatabaseFault::too_long() const { return (code & kPrimary) == SQLITE_INTERRUPT; }

std::int64_t Row::integer(int column) const { return ::sqlite3_column_int64(statement_, column); }

std::string_view Row::text(int column) const {
  auto const* const bytes =
      reinterpret_cast<char const*>(::sqlite3_column_text(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column))};
}

bool Row::is_null(int column) const {
  return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const { ::sqlite3_close_v2(database); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const {
  ::sqlite3_finalize(statement);
}

DatabaseResult<Database> Database::open(std::filesystem::path const& file, Access access) {
  int const mode =
      access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  int const code = ::sqlite3_open_v2(file.c_str(), &opened, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database{opened};
  if (opened == nullptr) return DatabaseFault{SQLITE_NOMEM, "out of memory"};
  ::sqlite3_extended_result_codes(opened, 1);
  if (code != SQLITE_OK) return database.fault();
  ::sqlite3_busy_timeout(opened, kBusyMs);
  return database;
}

void Database::until(Limit limit) {
  *limit_ = limit;
  ::sqlite3_progress_handler(database_.get(), limit ? kLookEvery : 0, &is_over, limit_.get());
}

DatabaseFault Database::fault() const {
  // It may quote the file, which anybody may have written.
  HarmlessText<400> const text{::sqlite3_errmsg(database_.get())};
  return {::sqlite3_extended_errcode(database_.get()), text.text()};
}

DatabaseResult<void> Database::script(char const* sql) {
  if (::sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fault();
  return outcome::success();
}

DatabaseResult<sqlite3_stmt*> Database::prepare(std::string_view sql) {
  auto const known = statements_.find(sql);
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* statement = nullptr;
  int const code = ::sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return fault();
  statements_.emplace(std::string{sql}, Statement{statement});
  return statement;
}

DatabaseResult<void> Database::each(std::string_view sql, std::initializer_list<Value> values,
                                    std::function<void(Row const&)> const& on_row) {
  BOOST_OUTCOME_TRY(auto* const statement, prepare(sql));
  int place = 0;
  for (Value const& value : values) bind(statement, ++place, value);
  int code = SQLITE_ROW;
  while ((code = ::sqlite3_step(statement)) == SQLITE_ROW) {
    if (on_row) on_row(Row{statement});
  }
  DatabaseFault const failed = code == SQLITE_DONE ? DatabaseFault{} : fault();
  ::sqlite3_reset(statement);
  ::sqlite3_clear_bindings(statement);
  if (code != SQLITE_DONE) return failed;
  return outcome::success();
}

DatabaseResult<void> Database::run(std::string_view sql, std::initializer_list<Value> values) {
  return each(sql, values, {});
}

DatabaseResult<std::int64_t> Database::number(std::string_view sql,
                                              std::initializer_list<Value> values) {
  std::int64_t first = 0;
  bool seen = false;
  BOOST_OUTCOME_TRYV(each(sql, values, [&](Row const& row) {
    if (!std::exchange(seen, true)) first = row.integer(0);
  }));
  return first;
}

std::int64_t Database::last_id() const { return ::sqlite3_last_insert_rowid(database_.get()); }
std::int64_t Database::changed() const { return ::sqlite3_changes64(database_.get()); }

DatabaseResult<Transaction> Transaction::begin(Database& database) {
  BOOST_OUTCOME_TRYV(database.run("BEGIN IMMEDIATE"));
  return Transaction{database};
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

// Of a transaction that SQLite gave up by itself there is nothing left to roll back.
Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

DatabaseResult<void> Transaction::commit() {
  BOOST_OUTCOME_TRYV(database_->run("COMMIT"));
  database_ = nullptr;
  return outcome::success();
}

}  // namespace canary::history
