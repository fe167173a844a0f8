// SPDX-License-Identifier: Apache-2.0
// SQLite as this program uses it: one connection, statements that are prepared once, errors as
// values.
// Thread: any one at a time. Blocks on the disk, possibly for ever.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "config/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace canary::history {

// Source: https://www.sqlite.org/rescode.html
struct DatabaseFault {
  int code = 0;  // extended
  std::string text;
  bool damaged() const;   // the file is not, or no longer, a database
  bool no_space() const;  // nothing can be written until there is some, not even a DELETE
  bool too_long() const;  // a statement went on beyond Database::until()
};
inline constexpr int kDamage = 11;  // SQLITE_CORRUPT
template <class T>
using DatabaseResult = Result<T, DatabaseFault>;

using Value = std::variant<std::nullptr_t, std::int64_t, std::string_view>;

// The row that a query is at; texts are valid until the next one.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
};

class Database {
 public:
  enum class Access : std::uint8_t { read, write };
  // With `write` the file is made where there is none.
  static DatabaseResult<Database> open(std::filesystem::path const& file, Access access);

  // A statement that still goes on then is given up; nothing: none is.
  void until(std::optional<std::chrono::steady_clock::time_point> limit);

  // Several statements without parameters.
  DatabaseResult<void> script(char const* sql);
  // One statement. What `?1`, `?2` … stand for is in `values`; rows are passed over.
  DatabaseResult<void> run(std::string_view sql, std::initializer_list<Value> values = {});
  // Likewise; `on_row` is called for each row.
  DatabaseResult<void> each(std::string_view sql, std::initializer_list<Value> values,
                            std::function<void(Row const&)> const& on_row);
  // The first column of the first row; 0 where there is none.
  DatabaseResult<std::int64_t> number(std::string_view sql,
                                      std::initializer_list<Value> values = {});

  std::int64_t last_id() const;  // of the row inserted last
  std::int64_t changed() const;  // how many rows the last statement changed

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit Database(sqlite3* database) : database_(database) {}
  DatabaseResult<sqlite3_stmt*> prepare(std::string_view sql);
  DatabaseFault fault() const;

  // In a place of its own: SQLite keeps its address.
  using Limit = std::optional<std::chrono::steady_clock::time_point>;
  std::unique_ptr<Limit> limit_ = std::make_unique<Limit>();
  std::unique_ptr<sqlite3, Close> database_;
  std::map<std::string, Statement, std::less<>> statements_;  // before the connection is closed
};

// Rolled back unless it was committed. Thread: the database's.
class Transaction {
 public:
  static DatabaseResult<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  DatabaseResult<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;  // nullptr: over
};

}  // namespace canary::history
