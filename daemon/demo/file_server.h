// SPDX-License-Identifier: Apache-2.0
// A small HTTP/1.1 server of files on one thread, by poll(2): for the demo's child process only.
// Thread: the one that calls run(); blocks until it is told to end.
#pragma once

#include <chrono>
#include <filesystem>
#include <list>
#include <string>

#include "daemon/demo/http_answer.h"

namespace canary::daemon {

struct FileServerSettings {
  int listener = -1;  // listening, non-blocking; stays the caller's
  int lifeline = -1;  // read end of a pipe; its end of file ends the server
  std::filesystem::path root;
  std::string trickling{};  // files below this folder of `root` are sent one byte at a time
  std::chrono::milliseconds pace{1'000};  // between two bytes of those
};

class FileServer {
 public:
  explicit FileServer(FileServerSettings settings) : settings_(std::move(settings)) {}
  ~FileServer();
  FileServer(FileServer const&) = delete;
  FileServer& operator=(FileServer const&) = delete;

  // Returns when the lifeline's other end is closed; false where poll(2) failed (errno says why).
  bool run();

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int socket = -1;
    std::string received;      // not yet answered
    std::string out;           // to be sent at once
    std::string slow;          // to be sent after `out`, a byte at a time
    std::size_t sent = 0;      // of `out`, or once that is empty of `slow`
    Clock::time_point due{};   // of the next slow byte
    Clock::time_point used{};  // when bytes went either way last
    bool close = false;        // once everything is sent
    bool dead = false;

    bool sending() const { return !out.empty() || !slow.empty(); }
    bool paced() const { return out.empty() && !slow.empty(); }
  };

  int poll_timeout(Clock::time_point now) const;
  void accept_all(Clock::time_point now);
  void serve(Connection& connection, bool readable, Clock::time_point now);
  void receive(Connection& connection, Clock::time_point now);
  void answer_next(Connection& connection, Clock::time_point now);
  void queue(Connection& connection, DemoAnswer reply, bool slowly, Clock::time_point now);
  void send(Connection& connection, Clock::time_point now);
  void send_byte(Connection& connection, Clock::time_point now);

  FileServerSettings settings_;
  std::list<Connection> connections_;
};

}  // namespace canary::daemon
