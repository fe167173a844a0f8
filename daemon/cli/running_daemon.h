// SPDX-License-Identifier: Apache-2.0
// How a command finds the canaryd that runs on this machine, and asks it.
// Thread: main.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/json/value.hpp>

#include "config/result.h"
#include "daemon/app/places.h"
#include "runtime/stage.h"

namespace CLI {
class App;
}

namespace canary::daemon {

// Flags that dump, status and history share.
struct DaemonFlags {
  std::string config = "/etc/canaryd/canaryd.yml";
  std::string state_directory;  // over the configuration's
};
void add_daemon_flags(CLI::App& command, DaemonFlags& flags);

// The folders of the daemon that these flags mean, if its environment were ours. The error says
// which configuration cannot be read, and why: there is no default for that.
Result<Places, std::string> find_places(DaemonFlags const& flags);

struct RunningDaemon {
  Places places;
  std::int32_t process = 0;  // 0: not known
};
// Who holds the state directory's lock, wherever its runtime directory is. The error says that
// nobody does, or what was tried.
Result<RunningDaemon, std::string> find_daemon(Places const& usual, runtime::Stage& stage);
// The same by these flags. Where their configuration cannot be read, as one that is about to be
// refused, whoever owns the usual runtime directory ($RUNTIME_DIRECTORY, else /run/canaryd).
Result<RunningDaemon, std::string> find_daemon(DaemonFlags const& flags, runtime::Stage& stage);

struct PrivateAnswer {
  int status = 0;  // 0: nobody answered, `body` says why
  std::string body;
};
// GET (or another method) of `path` over the private socket; waits ten seconds at most for each
// piece of the answer.
PrivateAnswer ask_daemon(RunningDaemon const& daemon, std::string const& path,
                         runtime::Stage& stage, std::string const& method = "GET");

// What `path`, "/-/healthy" or "/-/live", says is wrong; nothing where all is well, or where nobody
// answers. While the HTTP server hangs, its watchdog answers.
std::optional<std::string> not_well(RunningDaemon const& daemon, std::string const& path,
                                    runtime::Stage& stage);

// What takes its time: a POST, whose answer has a number by which it is asked for until it is done.
struct LongRequest {
  std::string command;  // "canaryd reload", for what is told meanwhile
  std::string post;     // "/-/reload"
  std::string where;    // "/-/reload/", before the number
  std::string number;   // the answer's field
  std::string query{};
};
// The last answer. The error is an answer of another status than 200, or that canaryd hangs; the
// caller's bound ends the wait. While its loop does not turn, standard error is told once.
Result<boost::json::value, PrivateAnswer> ask_until_done(RunningDaemon const& daemon,
                                                         LongRequest const& request,
                                                         runtime::Stage& stage);

}  // namespace canary::daemon
