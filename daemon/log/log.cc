// SPDX-License-Identifier: Apache-2.0
// The log's writer thread and the only use of spdlog: it puts the time to a line.
#include "daemon/log/log.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>

#include "daemon/log/destination.h"
#include "daemon/log/line_format.h"
#include "daemon/log/recent_lines.h"
#include "daemon/log/ring.h"
#include "runtime/thread_row.h"

namespace canary::daemon {

using std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

// What callers and the writer share.
struct Log::State {
  explicit State(int output) : fd(output), destination(destination_of(output)) {}
  ~State() { ::close(wake); }

  int const fd;
  Destination const destination;
  int const wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  LogRing ring{kRingLines};
  RecentLines<kRecentLines, kRecentBytes> recent;
  std::atomic<config::LogLevel> level{config::LogLevel::info};
  std::atomic<config::LogFormat> format{config::LogFormat::logfmt};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::uint64_t> handled{0};    // lines taken from the ring and written, or given up
  std::atomic<std::int64_t> give_up_ns{0};  // monotonic; 0: not stopping
  std::atomic<bool> ended{false};
  std::unique_ptr<LogSource const> owned_source;  // set once
  std::atomic<LogSource const*> source{nullptr};  // that one, until it is dropped
  std::atomic<bool> source_leaves{false};         // once it has no line left
  std::atomic<bool> source_in_use{false};         // by the writer, at this moment
};

namespace {

std::int64_t nanoseconds_of(SteadyTime time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::unique_ptr<spdlog::formatter> formatter(char const* pattern) {
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
}

// Drains the ring until told to stop. Works on State only: it may outlive the Log.
template <class State>
class Writer {
 public:
  explicit Writer(std::shared_ptr<State> state) : state_(std::move(state)) {}

  void run() {
    for (;;) {
      come_round();
      // Read before the ring: what was pushed before the stop is seen.
      bool const stopping = state_->give_up_ns.load(std::memory_order_acquire) != 0;
      if (write_next()) continue;
      if (write_foreign()) continue;
      report_dropped();
      if (stopping) break;
      wait();
    }
    if (row_) row_->leave();
    row_.reset();
    state_->ended.store(true, std::memory_order_release);
  }

 private:
  // The log is there before the tables are, where the watchdog looks for its beat. A reader that
  // takes nothing is waited for in rounds, too.
  void come_round() {
    if (row_ ? row_->outdated() : runtime::tables() != nullptr) {
      row_.emplace(runtime::ThreadRecord::log, "log");
    }
    if (row_) row_->beat();
  }

  bool write_next() {
    line_.clear();
    auto const take = [this](LogRecord const& record) { format(record); };
    if (!state_->ring.pop(take)) return false;
    put();
    state_->handled.fetch_add(1, std::memory_order_release);
    // A busy log never drains: after a whole ring of lines the report is due all the same.
    if (state_->dropped.load(std::memory_order_relaxed) != reported_ && ++since_dropped_ >= 1024) {
      report_dropped();
    }
    return true;
  }

  // The source, which nobody takes away until release(); nullptr where there is none.
  LogSource const* use_source() {
    state_->source_in_use.store(true);
    auto const* const source = state_->source.load();
    if (source == nullptr) state_->source_in_use.store(false);
    return source;
  }
  void release() { state_->source_in_use.store(false); }

  bool write_foreign() {
    // Read first: what came before is written.
    bool const leaves = state_->source_leaves.load(std::memory_order_acquire);
    LogSource const* const source = use_source();
    if (source == nullptr) return false;
    LogRecord record;
    bool const more = source->next(record);
    if (!more && leaves) state_->source.store(nullptr);
    release();
    if (!more) return false;
    if (record.level < state_->level.load(std::memory_order_relaxed)) return true;
    record.format = state_->format.load(std::memory_order_relaxed);
    format(record);
    put();
    return true;
  }

  void format(LogRecord const& record) {
    payload_.clear();
    append_line(payload_, record.format, record.level, {record.bytes.data(), record.used});
    spdlog::details::log_msg const message{record.time, spdlog::source_loc{},
                                           spdlog::string_view_t{}, spdlog::level::info, payload_};
    spdlog::memory_buf_t buffer;
    (record.format == config::LogFormat::json ? json_ : logfmt_)->format(message, buffer);
    line_.assign(buffer.data(), buffer.size());
    level_ = record.level;
  }

  void report_dropped() {
    since_dropped_ = 0;
    auto const dropped = state_->dropped.load(std::memory_order_relaxed);
    if (dropped == reported_) return;
    LogRecord record;
    record.time = std::chrono::system_clock::now();
    record.level = config::LogLevel::warn;
    record.format = state_->format.load(std::memory_order_relaxed);
    record.used = static_cast<std::uint16_t>(
        pack_line(record.bytes, "log lines were dropped: the reader of the log is too slow",
                  {{"dropped", dropped - reported_}, {"dropped_total", dropped}}));
    reported_ = dropped;
    format(record);
    put();
  }

  // Writes a line in pieces that a pipe with room takes whole, so that write() does not block.
  void put() {
    state_->recent.add(std::string_view{line_}.substr(0, line_.size() - 1));  // without its newline
    write_for(state_->destination, level_, line_, written_);
    std::string_view line = written_;
    constexpr std::size_t kPiece = 4096;  // PIPE_BUF
    while (!line.empty()) {
      if (!wait_for_room()) return;
      auto const written = ::write(state_->fd, line.data(), std::min(line.size(), kPiece));
      if (written >= 0) {
        line.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EAGAIN && errno != EINTR) {
        // Nobody reads any more (EPIPE) or the disk is full: this line is lost, and counted.
        state_->dropped.fetch_add(1, std::memory_order_relaxed);
        reported_ += 1;
        return;
      }
    }
  }

  // False when the log is stopping and its time is over.
  bool wait_for_room() {
    for (;;) {
      come_round();
      pollfd output{.fd = state_->fd, .events = POLLOUT, .revents = 0};
      if (::poll(&output, 1, 50) > 0) return true;
      auto const give_up = state_->give_up_ns.load(std::memory_order_acquire);
      if (give_up != 0 && nanoseconds_of(std::chrono::steady_clock::now()) >= give_up) return false;
    }
  }

  void wait() {
    LogSource const* const source = use_source();
    pollfd wakes[] = {
        {.fd = state_->wake, .events = POLLIN, .revents = 0},
        {.fd = source == nullptr ? -1 : source->wake, .events = POLLIN, .revents = 0}};
    ::poll(wakes, 2, 1000);
    for (auto const& wake : wakes) {
      std::uint64_t signals = 0;
      if (wake.revents == 0) continue;
      [[maybe_unused]] auto const ignored = ::read(wake.fd, &signals, sizeof signals);
    }
    release();
  }

  std::shared_ptr<State> state_;
  std::optional<runtime::ThreadRow> row_;
  std::unique_ptr<spdlog::formatter> logfmt_ = formatter("ts=%Y-%m-%dT%H:%M:%S.%eZ %v");
  std::unique_ptr<spdlog::formatter> json_ = formatter(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ",%v})");
  std::string payload_, line_, written_;
  config::LogLevel level_ = config::LogLevel::info;  // of line_
  std::uint64_t reported_ = 0;
  int since_dropped_ = 0;
};

}  // namespace

Log::Log(config::LogSettings settings, int fd) : state_(std::make_shared<State>(fd)) {
  if (state_->wake < 0) throw std::system_error(errno, std::generic_category(), "log: eventfd");
  configure(settings);
  // Signals belong to the thread that waits for them; SIGPIPE must become EPIPE.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  writer_ = std::thread{[state = state_] {
    pthread_setname_np(pthread_self(), "log");
    Writer<State>{state}.run();
  }};
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Log::~Log() {
  auto const give_up = std::chrono::steady_clock::now() + stop_limit_;
  state_->give_up_ns.store(nanoseconds_of(give_up), std::memory_order_release);
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(state_->wake, &one, sizeof one);
  // The writer itself gives up in time, unless the kernel holds it in write().
  constexpr milliseconds kGrace{500};
  while (!state_->ended.load(std::memory_order_acquire)) {
    if (std::chrono::steady_clock::now() >= give_up + kGrace) {
      writer_.detach();  // the state is its own as well
      return;
    }
    std::this_thread::sleep_for(milliseconds{1});
  }
  writer_.join();
}

void Log::configure(config::LogSettings settings) {
  state_->level.store(settings.level, std::memory_order_relaxed);
  state_->format.store(settings.format, std::memory_order_relaxed);
}

bool Log::enabled(config::LogLevel level) const {
  return level >= state_->level.load(std::memory_order_relaxed);
}

void Log::line(config::LogLevel level, std::string_view message, LogFields fields) {
  if (!enabled(level)) return;
  auto const fill = [&](LogRecord& record) {
    record.time = std::chrono::system_clock::now();
    record.level = level;
    record.format = state_->format.load(std::memory_order_relaxed);
    record.used = static_cast<std::uint16_t>(pack_line(record.bytes, message, fields));
  };
  if (!state_->ring.try_push(fill)) {
    state_->dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(state_->wake, &one, sizeof one);  // never blocks
}

void Log::debug(std::string_view message, LogFields fields) {
  line(config::LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, LogFields fields) {
  line(config::LogLevel::info, message, fields);
}
void Log::warn(std::string_view message, LogFields fields) {
  line(config::LogLevel::warn, message, fields);
}
void Log::error(std::string_view message, LogFields fields) {
  line(config::LogLevel::error, message, fields);
}

void Log::add_source(LogSource source) {
  state_->owned_source = std::make_unique<LogSource const>(std::move(source));
  state_->source.store(state_->owned_source.get());
  std::uint64_t const one = 1;
  [[maybe_unused]] auto const ignored = ::write(state_->wake, &one, sizeof one);
}

void Log::drop_source() {
  auto const give_up = std::chrono::steady_clock::now() + stop_limit_;
  state_->source_leaves.store(true, std::memory_order_release);
  auto const wake = [this] {
    std::uint64_t const one = 1;
    [[maybe_unused]] auto const ignored = ::write(state_->wake, &one, sizeof one);
  };
  wake();
  while (state_->source.load() != nullptr && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(milliseconds{1});
  }
  // A writer that is held up by its reader does not hold the source.
  state_->source.store(nullptr);
  wake();
  while (state_->source_in_use.load()) std::this_thread::sleep_for(milliseconds{1});
}

std::uint64_t Log::dropped() const { return state_->dropped.load(std::memory_order_relaxed); }

bool Log::flush(milliseconds limit) {
  auto const target = state_->ring.pushed();
  auto const deadline = std::chrono::steady_clock::now() + limit;
  while (state_->handled.load(std::memory_order_acquire) < target) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds{1});
  }
  return true;
}

std::vector<std::string> Log::recent(std::size_t count) const { return state_->recent.read(count); }

std::size_t Log::copy_recent(std::span<char> into) const { return state_->recent.copy_last(into); }

}  // namespace canary::daemon
