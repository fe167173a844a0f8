// SPDX-License-Identifier: Apache-2.0
// The thread that watches everybody else: started before any file is opened, stopped last. It
// shares no lock, queue, logger, allocator or registry with those it watches; it only reads the
// tables, judges, and acts. Thread: constructor and destructor main; the rest any, unless it says
// otherwise.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/watchdog/act/dumper.h"
#include "daemon/watchdog/sample/answering.h"
#include "daemon/watchdog/sample/self_channels.h"
#include "daemon/watchdog/tell/lines.h"
#include "daemon/watchdog/tell/status.h"

namespace canary::watchdog {

struct Options {
  config::WatchdogSettings settings;
  // Where the memory of stalls is kept over a restart, in the file "watchdog-memory": by a thread
  // of its own, the watchdog touches no file. Empty: in memory, until adopt().
  std::filesystem::path memory_directory;
  // What the watchdog dumps with. Its functions neither allocate nor lock. Null functions: no dump.
  Dumper dumper{};
  DumpWriter dump_writer{};
  // What the tables tell that systemd kept of the process before.
  CrashRecord crash{};
};

class Watchdog {
 public:
  // Prepares all memory, starts the thread; reads what the last start left behind, where the
  // options name a folder. Throws std::system_error where there is no thread or no memory to be
  // had.
  explicit Watchdog(Options const& options);
  // What is known only once the configuration is read; reads what the last start left behind. Once,
  // where the options named no folder. Throws as the constructor. Thread: control.
  void adopt(Options const& options);
  // As end().
  ~Watchdog();
  Watchdog(Watchdog const&) = delete;
  Watchdog& operator=(Watchdog const&) = delete;

  // Notes a clean stop, says so to systemd, joins: what it dumps is written then, and what it read
  // for that may go. Its record and its last lines stay. Idempotent. Thread: control.
  void end();

  Record const& record() const;
  // Why nothing is remembered over a restart; empty where it is.
  std::string const& trouble() const;
  WatchdogLines& lines();  // for the log's writer, which may end before the watchdog does

  // The phases of the daemon, for systemd and for who may be judged when.
  // Start, reload or stop has come to this step ("opening the listeners"; at most 127 bytes): shown
  // in systemd's status, and systemd may wait a little longer. Thread: control.
  void progressed(std::string_view step);
  // That step goes on, and may: systemd waits a little longer. Thread: any.
  void goes_on();
  void ready();  // the first schedule stands
  void reloading();
  void reloaded();
  // From now on the loop may drain and leave run(); after `limit` without an end the process is
  // dumped and ended.
  void stopping(std::chrono::milliseconds limit);
  // A sentence for systemd's status while all is well; at most 127 bytes. Thread: the loop's.
  void describe(std::string_view sentence);

  void set_settings(config::WatchdogSettings const& settings);  // thresholds, from now on
  // How long a lookup may take at all, by the configuration of all probes.
  void set_resolve_limit(std::chrono::milliseconds limit);
  // Where the server's threads say what they are at. Lives as long as this.
  Answering& answering();
  // Over which they are asked. Lives as long as this.
  SelfChannels& asking();
  // The server's listening sockets: where it does not answer, a thread of the watchdog's does. It
  // has copies of its own. `preamble`: metrics that never change, as lines; of more than 4,095
  // bytes the whole lines that fit. The first `inherited` of them were handed to this process: they
  // go on listening whatever becomes of it, and the program that is started anew in its place gets
  // them. Once.
  void answer_for_server_on(std::span<int const> sockets, std::string_view preamble,
                            std::size_t inherited = 0);
  // The first so many of them ask for TLS or a password: nobody is answered there, and who connects
  // is hung up on.
  void guard_listeners(std::size_t first);
  // Before the server stops: nobody answers for it any more.
  void leave_server_alone();

  // What the loop sees of this thread; said by the loop.
  void stands_still(bool still);
  // For who reads the record. Thread: control.
  void dump_helper(bool up, std::uint64_t restarts);
  // Whatever happens, the process is not to be ended (`on_dead: report`).
  bool only_reports() const;
  // The process is about to end: who connects is refused, and a successor can bind, even if a
  // thread keeps the process from going. Async-signal-safe, takes no lock. Thread: any.
  void close_listeners();

  // Asks for a dump and returns at once: it is done once record().last_asked_dump has this request
  // or a later one. Async-signal-safe.
  std::uint64_t request_dump();

  // Is the probe quarantined, because the loop stalled in its handlers again and again? Takes no
  // lock. Cleared by a reload or by a clean stop and start.
  bool quarantined(std::string_view probe) const;
  void lift_quarantine();

  // Readable once a run is to be cancelled: for runtime::listen_for_cancels. Not closed by it.
  int cancel_descriptor() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace canary::watchdog
