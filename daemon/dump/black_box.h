// SPDX-License-Identifier: Apache-2.0
// What the process before this one was at when it ended: its tables, which systemd's descriptor
// store kept whatever it died of, even SIGKILL. Read, told, and written down as a dump.
// Thread: main, at start, before any other thread.
// Source: sd_listen_fds(3), systemd.service(5) FileDescriptorStoreMax=.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "daemon/dump/read/executor_state.h"
#include "daemon/watchdog/tell/status.h"
#include "runtime/tables.h"

namespace canary::dump {

// Tables as bytes, aligned as the records want it.
class TablesCopy {
 public:
  TablesCopy() = default;
  explicit TablesCopy(std::size_t bytes) : words_(bytes / 8 + 8), bytes_(bytes) {}
  TablesCopy(TablesCopy&&) = default;  // a copy would lie at other addresses
  TablesCopy& operator=(TablesCopy&&) = default;
  std::span<std::byte> bytes();
  bool empty() const { return bytes_ == 0; }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t bytes_ = 0;
};

// What systemd hands over at start.
struct HandedOver {
  TablesCopy tables;    // of the newest descriptor called kStoredTables; empty where there is none
  std::string trouble;  // why there was one and it cannot be read; empty where all is well
  std::vector<int> listeners;  // sockets that listen, of a socket unit; closed on exec
  std::string unclaimed;       // names of descriptors that nobody here wants, "a, b"
};

// Reads what LISTEN_FDS and LISTEN_FDNAMES announce, closes all of it but sockets that listen, and
// takes the variables away so that no child believes they are meant for it. Nothing where they are
// for another process.
HandedOver take_handed_over();

// What those tables tell.
struct BlackBox {
  bool found = false;   // tables were handed over
  std::string trouble;  // why they tell nothing, or not all; empty where they do
  watchdog::CrashRecord words;
  ExecutorState executor;             // as of the end
  std::vector<std::string> going_on;  // names of probes whose runs had not ended, the oldest first
  std::map<runtime::TextOffset, std::string> texts;  // of the same build only
  std::int64_t ended_ns = 0, wrote_ns = 0;           // monotonic: the end, and this moment
  std::int64_t ended_wall_ns = 0;
};

// Now is given as both clocks show it. Never trusts what the bytes say: neither sizes nor texts.
BlackBox read_black_box(HandedOver& handed_over, std::int64_t now_ns, std::int64_t wall_ns);

// "ran steady_timer async_wait probes/fetch/client.cc:88 for 12.3 s", "waited; its last beat came
// 12 ms before".
std::string last_act(BlackBox const& box);

// "a, b, c and 12 more"; empty where no run of a probe was going on.
std::string names_of_runs(BlackBox const& box);

// Writes the black box as a raw dump into `directory`, where the helper's next start finds it, and
// notes its path in `words.dump`. Returns why it could not be written; empty where it was.
std::string write_post_mortem(BlackBox& box, HandedOver& handed_over, std::string const& directory,
                              std::string const& versions);

}  // namespace canary::dump
