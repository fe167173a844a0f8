// SPDX-License-Identifier: Apache-2.0
// An HTTP server on a thread of its own, with plain sockets: serves a map, and whatever status a
// test wants for a path. Remembers what it was asked for.
// Thread: any.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/tuf/worlds.h"

namespace canary::tuf {

class FileServer {
 public:
  FileServer();
  ~FileServer();
  FileServer(FileServer const&) = delete;
  FileServer& operator=(FileServer const&) = delete;

  std::string url(std::string const& path) const;  // "http://127.0.0.1:PORT/path"

  // `path` as it stands in a request line, without the first '/'.
  void serve(std::string const& path, std::string content);
  void answer(std::string const& path, int status);   // instead of content
  void last_modified(std::string http_date);          // of every file from now on
  void hang(std::string const& prefix);               // never answer for paths that begin so
  void replace(Files files);                          // and forget statuses
  void send_date(std::string date);                   // the Date of every answer from now on
  void take_time(std::chrono::milliseconds before);   // each answer from now on
  std::vector<std::string> take_requests();           // since the last call, in order
  int most_at_once() const { return most_at_once_; }  // requests that were being answered

 private:
  void run();
  void handle(int connection);
  std::string response_to(std::string const& path);

  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  Files files_;
  std::map<std::string, int> statuses_;
  std::string last_modified_;   // a whole header
  std::string hanging_ = "\n";  // no path begins so
  std::string date_;
  std::vector<std::string> requests_;
  std::atomic<std::int64_t> time_ms_{0};
  std::atomic<int> at_once_{0}, most_at_once_{0};
  std::atomic<bool> stopping_{false};
  std::vector<std::thread> connections_;  // of run() alone
  std::thread thread_;
};

// A port on which nothing listens while this lives.
class ClosedPort {
 public:
  ClosedPort();
  ~ClosedPort();
  ClosedPort(ClosedPort const&) = delete;
  ClosedPort& operator=(ClosedPort const&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/metadata"; }

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace canary::tuf
