// SPDX-License-Identifier: Apache-2.0
// Sentences with fields, as logfmt or JSON lines. Writing a line never blocks the caller, takes no
// lock and allocates nothing: it goes into a bounded ring that a thread of its own drains.
// Thread: any.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/config.h"
#include "config/harmless.h"

namespace canary::daemon {

// A field's value; text is copied, and harmless in the line.
class LogValue {
 public:
  LogValue(std::string_view text) : text_(text) {}
  LogValue(std::string const& text) : text_(text) {}
  template <std::size_t Limit>
  LogValue(HarmlessText<Limit> const& text) : text_(text) {}
  LogValue(char const* text) : text_(text) {}
  LogValue(bool value) : kind_(Kind::boolean), integer_(value ? 1 : 0) {}
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  LogValue(T value) : kind_(Kind::integer), integer_(static_cast<std::int64_t>(value)) {}
  LogValue(double value) : kind_(Kind::real), real_(value) {}
  // As seconds: "1.25".
  template <class Rep, class Period>
  LogValue(std::chrono::duration<Rep, Period> span)
      : LogValue(std::chrono::duration<double>(span).count()) {}

  enum class Kind : std::uint8_t { text, integer, real, boolean };
  Kind kind() const { return kind_; }
  std::string_view text() const { return text_; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }

 private:
  Kind kind_ = Kind::text;
  std::string_view text_;
  std::int64_t integer_ = 0;
  double real_ = 0;
};

struct LogField {
  std::string_view key;  // a metric label's name where there is one: probe, repo, role, reason
  LogValue value;
};
using LogFields = std::initializer_list<LogField>;

struct LogRecord;

// Lines that somebody prepares who must not even touch the log's ring: the writer comes for them.
struct LogSource {
  int wake = -1;                         // an eventfd, readable once there is a line; not closed
  std::function<bool(LogRecord&)> next;  // packs the next line (format aside); false: none is left
};

class Log {
 public:
  // Writes to `fd` (not closed; stderr by default: stdout is for results). Lines longer than about
  // 2 KiB are cut, and say so.
  explicit Log(config::LogSettings settings, int fd = 2);
  // Writes what is queued, for at most `stop_within()` (2 s unless set).
  ~Log();
  Log(Log const&) = delete;
  Log& operator=(Log const&) = delete;

  void debug(std::string_view message, LogFields fields = {});
  void info(std::string_view message, LogFields fields = {});
  void warn(std::string_view message, LogFields fields = {});
  void error(std::string_view message, LogFields fields = {});

  bool enabled(config::LogLevel level) const;
  // For lines queued from now on.
  void configure(config::LogSettings settings);

  // Lines lost because the ring was full: the reader of `fd` is slow or hangs. The log itself says
  // so once lines get through again.
  std::uint64_t dropped() const;
  // True once all that was queued before is written; false when that takes longer than `limit`.
  bool flush(std::chrono::milliseconds limit);
  // The last lines given to `fd` (at most kRecentLines, each cut to kRecentBytes), oldest first.
  // Takes no lock: safe while the writer hangs in a full pipe.
  std::vector<std::string> recent(std::size_t count) const;
  // The same as text, each line ended by '\n', as many as fit; returns the bytes written. Allocates
  // nothing either.
  std::size_t copy_recent(std::span<char> into) const;

  static constexpr std::size_t kRecentLines = 128;
  static constexpr std::size_t kRecentBytes = 512;
  static constexpr std::size_t kRingLines = 1024;

  // Writes these, too; once. The source lives until drop_source(), or the log's end.
  void add_source(LogSource source);
  // Writes what the source still has, for at most `stop_within()`, and never asks it again.
  void drop_source();

  void stop_within(std::chrono::milliseconds limit) { stop_limit_ = limit; }

 private:
  struct State;
  void line(config::LogLevel level, std::string_view message, LogFields fields);

  std::shared_ptr<State> state_;  // also the writer's: a writer stuck in the kernel outlives us
  std::chrono::milliseconds stop_limit_{2000};
  std::thread writer_;
};

}  // namespace canary::daemon
