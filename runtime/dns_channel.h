// SPDX-License-Identifier: Apache-2.0
// A c-ares channel with its sockets on the loop. c-ares closes its sockets itself: each descriptor
// is released from Asio before that, when c-ares says that it wants nothing more of it.
// Thread: loop. Source: ares(3) 1.18.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "runtime/deadline.h"
#include "runtime/event.h"
#include "runtime/name_files.h"
#include "runtime/task.h"
#include "runtime/trace.h"

struct ares_channeldata;
struct ares_socket_functions;  // NOLINT(readability-identifier-naming): c-ares names it

namespace canary::runtime {

class DnsChannel : public std::enable_shared_from_this<DnsChannel> {
 public:
  DnsChannel(Executor executor, Trace trace)
      : changed(executor), executor_(executor), trace_(trace) {}

  // Asks the servers from `first` on, in their order, each for `per_server` in its first try; over
  // TCP alone where that is wanted. False: out of memory, or an address is wrong.
  bool open(NameServers const& servers, std::size_t first, std::chrono::milliseconds per_server,
            bool over_tcp = false);
  // c-ares' own, to ask with it.
  ares_channeldata* handle() const { return channel_; }
  // Answers what is open as cancelled and leaves nothing behind.
  void close();
  bool is_open() const { return channel_ != nullptr; }
  // Lets c-ares see to its timeouts.
  void process_timeouts();
  Deadline next_timeout(Deadline latest) const;
  // errno where our own side could not even ask; 0: it could.
  int own_error() const { return own_error_; }

  Event changed;  // notified once a socket was read or written, and by whoever gets an answer

 private:
  struct Watch;

  void socket_state(int fd, bool read, bool write);
  void watch(std::shared_ptr<Watch> const& watch, int fd);
  void ready(std::shared_ptr<Watch> const& watch, int fd, bool write, error_code error);
  static ares_socket_functions const& socket_functions();
  int failed(int result);

  Executor executor_;
  Trace trace_;
  int own_error_ = 0;
  ares_channeldata* channel_ = nullptr;
  std::map<int, std::shared_ptr<Watch>> watches_;
};

// Closes the channel when the lookup ends, however it does.
class OpenedChannel {
 public:
  explicit OpenedChannel(std::shared_ptr<DnsChannel> channel) : channel_(std::move(channel)) {}
  ~OpenedChannel() { channel_->close(); }
  OpenedChannel(OpenedChannel const&) = delete;
  OpenedChannel& operator=(OpenedChannel const&) = delete;
  DnsChannel* operator->() const { return channel_.get(); }

 private:
  std::shared_ptr<DnsChannel> channel_;
};

}  // namespace canary::runtime
