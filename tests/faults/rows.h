// SPDX-License-Identifier: Apache-2.0
// The catalogue of hangs as a table: how each is brought about, and what canaryd is to make of it.
// Source: Show 1 of the watchdog's issue; rows are numbered as in its catalogue.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "tests/faults/stage.h"

namespace canary::faults {

enum class End {
  recovered,    // the fault ended by itself, and canaryd works as before
  cancelled,    // the run was ended by the watchdog, and the next one went well
  stalled,      // the run does not unwind: its slot stays closed, the others go on
  restarted,    // the process was ended by SIGABRT, and the next start tells of it
  quarantined,  // likewise, and after three times the probe is not run any more
  refused,      // the run ends with a finding, and the daemon lives
  aborted,      // the process ends at once, saying why
  stopped,      // a stop that hangs ends the process in time
  unharmed,     // nobody is accused, nothing is lost
};
std::string to_text(End end);

struct Row {
  std::string name;    // as test programs and the table say it
  std::string number;  // in the catalogue
  std::string what;
  std::string fault;  // see inject.h; empty: only done from outside
  int ms = 0;
  std::string subject = {};  // who is to be accused; empty: nobody
  std::vector<std::string> verdicts = {};
  std::string culprit = {};  // the function, or the wait, that the dump must name
  End end = End::unharmed;
  bool others = true;                  // the other probe's runs go on meanwhile
  bool quick = false;                  // also in the plain tests
  std::vector<std::string> also = {};  // subjects that may be accused, too
  std::string says = {};               // what the log or standard error must hold
  // A series that must be above 0 afterwards: name, then labels.
  std::vector<std::string> shows = {};
  std::string watchdog = {}, more = {}, victim = {};  // YAML, see Stage
  std::vector<std::string> environment = {};
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> arguments = {};  // of `canaryd run`
  // Nobody is accused, and yet /-/healthy may say that the loop has not turned; where metrics are
  // looked at it must.
  bool stands = false;
  bool no_metrics = false;  // the fault itself keeps anybody from being served
  // The server hangs, too: what it had taken is lost, and the watchdog answers all that follows.
  bool emergency = false;
  bool shipped = false;    // the program as it is shipped, and no fault that is built in
  bool sanitizers = true;  // can be run under ASan and TSan
  // Servers, mounts: made before the start, kept until the end. Throws Unavailable.
  std::function<std::shared_ptr<void>(Stage&)> scene = {};
  // Done from outside once the fault (if any) has begun; returns when it is over.
  std::function<void(Stage&)> outside = {};
};

// How test programs show a row.
inline void PrintTo(Row const& row, std::ostream* out) { *out << row.what; }

struct Unavailable {
  std::string why;
};

std::vector<Row> const& all_rows();
// Rows of the catalogue that are not here, each with the reason.
struct LeftOut {
  std::string number, what, why;
};
std::vector<LeftOut> const& left_out();

}  // namespace canary::faults
