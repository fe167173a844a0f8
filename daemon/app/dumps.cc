// SPDX-License-Identifier: Apache-2.0
#include "daemon/app/dumps.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include "daemon/dump/read/unread.h"
#include "daemon/dump/render/render.h"
#include "daemon/text/fixed_text.h"
#include "daemon/versions/versions.h"
#include "daemon/watchdog/tell/current.h"
#include "runtime/larger_tables.h"

namespace canary::daemon {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kWatchdogAnswers = 3s;
constexpr auto kHelperAnswers = 5s;
static_assert(kWatchdogAnswers + kHelperAnswers < DumpAnswers::kPatience);
constexpr auto kCareEnds = 2s;
constexpr std::int64_t kBoundUnreadEvery = 5'000'000'000;

// As many runs as may be going on, and room for what each waits for.
runtime::TableSizes sizes_for(config::Config const& config) {
  auto const runs = std::clamp(2 * config.scheduler.max_concurrent_runs, 1'024, 32'000);
  return {.runs = static_cast<std::uint16_t>(runs),
          .operations = static_cast<std::uint32_t>(runs) * 16};
}

std::string versions_of_this_process() {
  auto const objects = loaded_objects();
  return version_text(components(objects), objects);
}

// As far as is known; a RUNTIME_DIRECTORY of systemd's is on tmpfs.
bool is_on_disk(fs::path const& directory) {
  struct statfs found{};
  if (::statfs(directory.c_str(), &found) != 0) return false;
  return found.f_type != TMPFS_MAGIC && found.f_type != RAMFS_MAGIC;
}

dump::DumpPlace place_for(Places const& places, dump::CopyLogLines copy, void* self) {
  return {.directory = places.raw_dumps().string(),
          .on_disk = is_on_disk(places.raw_dumps()),
          .versions = versions_of_this_process(),
          .log_lines = copy,
          .log_context = self};
}

// The tables and the folders come before whoever reads and writes them.
dump::DumpPlace prepared_place(config::Config const& config, Places const& places,
                               dump::CopyLogLines copy, void* self) {
  runtime::make_tables_at_least(sizes_for(config));
  std::error_code ignored;  // whoever needs the folders says what is wrong with them
  fs::create_directories(places.raw_dumps(), ignored);
  fs::create_directories(places.dumps(), ignored);
  fs::permissions(places.dumps(), fs::perms::owner_all, ignored);
  return place_for(places, copy, self);
}

// Polls every few milliseconds: what is waited for is another thread or process, seconds at most.
template <class Done>
bool wait_for(std::chrono::milliseconds limit, std::stop_token const& stop, Done const& done) {
  auto const until = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (stop.stop_requested() || std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

// Where the helper writes what it makes of the dump, up to the extension. One that is in memory
// gets a name of its own in the state directory (daemon/dump/helper/work.cc).
fs::path readable_place(watchdog::DumpOutcome const& outcome, fs::path const& dumps) {
  fs::path raw{outcome.path.data()};
  if (!raw.string().starts_with("/proc/")) return raw;
  return dumps / ("memory-" + std::to_string(::getpid()) + "-" + std::to_string(outcome.request) +
                  "-request.raw");
}

std::string whole_file(fs::path const& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

}  // namespace

Dumps::Dumps(config::Config const& config, Places const& places)
    : dumps_(places.dumps()),
      handed_over_(dump::take_handed_over()),
      raw_(prepared_place(config, places, &Dumps::copy_log, this)),
      orders_(raw_, helper_),
      live_(place_for(places, &Dumps::copy_log, this)),
      raw_dumps_(places.raw_dumps()) {
  trouble_ = raw_.trouble();
  write_post_mortem(places);
  auto const failed = helper_.start({.program = "",
                                     .runtime = places.raw_dumps().string(),
                                     .state = places.dumps().string(),
                                     .keep = static_cast<std::uint32_t>(config.watchdog.dumps_kept),
                                     .keep_bytes = config.watchdog.dumps_bytes});
  if (!failed.empty()) trouble_ += (trouble_.empty() ? "" : "; ") + failed;
}

watchdog::DumpWriter Dumps::dump_writer() const {
  auto const& dumps = raw_.memory_dumps();
  if (!dumps) return {};
  return {.self = dumps, .ready = dumps->ready(), .write = [](void* self) {
            static_cast<dump::MemoryDumps*>(self)->write_down();
          }};
}

// Before the helper is started, which begins with what it finds.
void Dumps::write_post_mortem(Places const& places) {
  auto const wall = std::chrono::system_clock::now().time_since_epoch();
  black_box_ =
      dump::read_black_box(handed_over_, runtime::now_ns(), std::chrono::nanoseconds{wall}.count());
  auto& words = black_box_.words;
  if (words.known && words.in_run) {
    auto const failed = dump::write_post_mortem(
        black_box_, handed_over_, places.raw_dumps().string(), versions_of_this_process());
    if (!failed.empty()) trouble_ += (trouble_.empty() ? "" : "; ") + failed;
    // What people read is what the helper makes of it.
    auto text = places.dumps() / fs::path{words.dump.data()}.filename();
    if (failed.empty()) copy_text(words.dump, text.replace_extension(".txt").string());
  }
  handed_over_.tables = {};
}

// Starting a program and looking into a folder may never end: that is done aside.
void Dumps::look_after(Log& log) {
  if (care_ && !care_->ended()) return;
  std::int64_t const now = runtime::now_ns();
  bool const unread = !helper_.alive() && now - bounded_ns_ >= kBoundUnreadEvery;
  if (!unread && !helper_.needs_care(now)) return;
  if (unread) bounded_ns_ = now;
  care_.emplace("dump care", [this, &log, now, unread] {
    auto const told = helper_.look_after(now);
    if (!told.empty()) log.error("dump helper", {{"detail", told}});
    if (unread && !helper_.alive()) bound_unread(log);
    return true;
  });
}

bool Dumps::end_care() {
  answers_.close();
  bool const answered = answers_.wait_for_end(runtime::Deadline::after(kCareEnds));
  return (!care_ || care_->wait(runtime::Deadline::after(kCareEnds))) && answered;
}

void Dumps::bound_unread(Log& log) const {
  auto const done = dump::bound_unread_dumps(raw_dumps_.string());
  if (done.removed == 0) return;
  log.warn("raw dumps that no helper made readable were removed",
           {{"directory", raw_dumps_.string()}, {"dumps", done.removed}});
}

std::size_t Dumps::copy_log(void* self, std::span<char> into) {
  auto const* const log = static_cast<Dumps*>(self)->log_.load(std::memory_order_acquire);
  return log == nullptr ? 0 : log->copy_recent(into);
}

std::string Dumps::text_now(watchdog::Record const& record) {
  return dump::render_text(live_.read("request", watchdog::current_incidents(record)));
}

std::string Dumps::json_now(watchdog::Record const& record) {
  return dump::render_json(live_.read("request", watchdog::current_incidents(record)));
}

std::string Dumps::full(std::stop_token stop) {
  auto& watchdog = *watchdog_.load(std::memory_order_acquire);
  std::uint64_t const request = watchdog.request_dump();
  watchdog::DumpOutcome outcome;
  auto const done = [&] {
    auto const& answered = watchdog.record().last_asked_dump;
    return answered.known() && answered.load(outcome) && outcome.request >= request;
  };
  if (!wait_for(kWatchdogAnswers, stop, done)) {
    return "the watchdog did not write a dump in time; what can be seen without it:\n\n" +
           text_now(watchdog.record());
  }
  if (outcome.fate != watchdog::DumpFate::written) {
    return "the dump could not be written; what can be seen without it:\n\n" +
           text_now(watchdog.record());
  }
  fs::path text = readable_place(outcome, dumps_);
  fs::path json = text;
  json.replace_extension(".json");  // the helper writes it last
  text.replace_extension(".txt");
  std::error_code ignored;
  bool const finished = wait_for(kHelperAnswers, stop, [&] { return fs::exists(json, ignored); });
  std::string content = whole_file(text);
  if (finished && !content.empty()) return content;
  return "the dump helper did not make " + std::string{outcome.path.data()} +
         " readable in time; what can be seen without it:\n\n" +
         (content.empty() ? text_now(watchdog.record()) : content);
}

}  // namespace canary::daemon
