// SPDX-License-Identifier: Apache-2.0
// Everything the daemon dumps with, put together: the helper process, the raw dump that the
// watchdog writes, and what the server shows of it.
// Thread: made by control, before there is a loop; see each.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "config/config.h"
#include "daemon/app/places.h"
#include "daemon/dump/black_box.h"
#include "daemon/dump/capture/raw_dump.h"
#include "daemon/dump/helper_process.h"
#include "daemon/dump/live.h"
#include "daemon/dump/watchdog_dumper.h"
#include "daemon/log/log.h"
#include "daemon/publish/dump_answers.h"
#include "daemon/publish/stored_dumps.h"
#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/watchdog.h"
#include "runtime/aside.h"

namespace canary::daemon {

class Dumps {
 public:
  // Reads what the process before left in systemd's store, makes larger tables where the
  // configuration asks for them, writes a post-mortem of it where it did not end in order, starts
  // the helper. What cannot be had is in trouble(); the daemon goes on without it.
  Dumps(config::Config const& config, Places const& places);
  std::string const& trouble() const { return trouble_; }
  // What the process before was at; found is false where nobody kept its tables.
  dump::BlackBox const& black_box() const { return black_box_; }
  // Names of descriptors that systemd handed over and nobody wants; "" for none.
  std::string const& unclaimed() const { return handed_over_.unclaimed; }

  // Sockets of a socket unit that listen, for whoever serves on them.
  std::vector<int> const& listeners() const { return handed_over_.listeners; }

  // For the watchdog, which alone calls it.
  watchdog::Dumper dumper() { return orders_.dumper(); }
  // For its writer. Does nothing where raw dumps are in memory themselves.
  watchdog::DumpWriter dump_writer() const;
  // Lets dumps have the log's last lines. `log` outlives the watchdog's thread.
  void read_log(Log const& log) { log_.store(&log, std::memory_order_release); }

  // Starts a helper anew that died or hangs, and keeps what nobody made readable within limits.
  // `log` outlives what is at work. Thread: control.
  void look_after(Log& log);
  // As far as was seen when it was last looked after. Thread: control.
  bool helper_is_up() { return care_ && !care_->ended() ? false : helper_.alive(); }
  std::uint64_t helper_restarts() const { return helper_.restarts(); }
  // Before the end: waits for what look_after() and answers() have at work, which uses this; two
  // seconds at most each. False where something stands still. Thread: control.
  bool end_care();

  // The executor now, as the server's threads see it. Thread: any.
  std::string text_now(watchdog::Record const& record);
  std::string json_now(watchdog::Record const& record);
  // Dumps on disk with functions and lines. Thread: any.
  DumpAnswers& answers() { return answers_; }
  // Dumps on disk, for pages. Thread: any.
  StoredDumps& stored() { return stored_; }
  // Before anybody asks answers(); `watchdog` outlives end_care(). Thread: control.
  void ask(watchdog::Watchdog& watchdog) { watchdog_.store(&watchdog, std::memory_order_release); }

 private:
  static std::size_t copy_log(void* self, std::span<char> into);

  void write_post_mortem(Places const& places);
  void bound_unread(Log& log) const;
  // Asks the watchdog for a dump and waits for the helper: seconds, less once `stop` is requested.
  std::string full(std::stop_token stop);

  std::filesystem::path dumps_;   // where finished ones are
  dump::HandedOver handed_over_;  // first: before there is a helper
  dump::BlackBox black_box_;
  std::string trouble_;
  std::atomic<Log const*> log_{nullptr};
  dump::HelperProcess helper_;
  dump::RawDump raw_;
  dump::WatchdogDumper orders_;
  dump::LiveDump live_;
  std::filesystem::path raw_dumps_;           // where the watchdog writes them
  std::int64_t bounded_ns_ = 0;               // when unread ones were last looked at
  std::optional<runtime::Aside<bool>> care_;  // of the helper; it may stand still
  std::atomic<watchdog::Watchdog*> watchdog_{nullptr};
  StoredDumps stored_{dumps_};
  DumpAnswers answers_{[this](std::stop_token stop) { return full(std::move(stop)); }};
};

}  // namespace canary::daemon
