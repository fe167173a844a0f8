// SPDX-License-Identifier: Apache-2.0
// The child process that serves the demo's repositories on loopback: both sides of it.
// Thread: none; start and stop block briefly, so never on the loop. The thread that starts a server
// must outlive it: the kernel ends the child with the thread that made it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "config/result.h"

namespace canary::daemon {

// The child's side: serves the folders of `root` on a free port of 127.0.0.1 until the other end of
// standard input is closed or the parent dies, then returns the exit status: 0, or 1 with a
// sentence on standard error. Prints "PORT REFUSING\n" on standard output once it listens; REFUSING
// is a port that is taken but refuses connections.
int serve_demo(std::filesystem::path root);

struct DemoPorts {
  std::uint16_t serving = 0;
  std::uint16_t refusing = 0;
  friend bool operator==(DemoPorts const&, DemoPorts const&) = default;
};

// A program that calls serve_demo with its last argument. By default this program itself.
struct DemoCommand {
  std::filesystem::path program{"/proc/self/exe"};
  std::vector<std::string> arguments{"canaryd", "demo", "--serve"};  // from argv[0]; root follows
};

class DemoServer {
 public:
  // Starts the child and waits (10 s at most) until it listens.
  static Result<DemoServer, std::string> start(DemoCommand const& command,
                                               std::filesystem::path const& root);
  DemoServer(DemoServer&& other) noexcept;
  DemoServer& operator=(DemoServer&& other) noexcept;
  ~DemoServer() { stop(); }

  DemoPorts ports() const { return ports_; }
  pid_t process() const { return process_; }  // -1 once stopped

  // Ends the child: asks, and after 2 s kills. Idempotent.
  void stop() noexcept;

 private:
  DemoServer() = default;

  pid_t process_ = -1;
  int lifeline_ = -1;  // open as long as the child shall live
  int output_ = -1;    // the child's standard output; hangs up when it has ended
  DemoPorts ports_;
};

}  // namespace canary::daemon
