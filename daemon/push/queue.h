// SPDX-License-Identifier: Apache-2.0
// Messages that wait to be sent, the oldest first, within a bound of bytes: beyond it the oldest
// go. Receivers want samples in the order of time, so what is newer is never sent before.
// Thread: none (pure).
#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "daemon/push/write_request.h"

namespace canary::push {

class Queue {
 public:
  explicit Queue(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // The samples that had to go for it. The one that is out for sending stays, and so does the new
  // one, however large.
  std::size_t put(Batch batch);

  // The oldest, which is out for sending from now on; nullptr where there is none. Good until
  // done(), or put_back().
  Batch const* out();
  void done();      // it was sent, or is given up
  void put_back();  // not yet

  // The series that were to end by what had to go, since the last time this was asked.
  std::string take_lost_ends() { return std::exchange(lost_ends_, {}); }

  bool empty() const { return batches_.empty(); }
  std::size_t samples() const { return samples_; }
  std::size_t bytes() const { return bytes_; }
  std::optional<SampleTime> oldest() const;

 private:
  void erase(std::list<Batch>::iterator at);

  std::size_t most_bytes_;
  std::list<Batch> batches_;  // what is out stays where it is
  bool out_ = false;          // the first
  std::size_t samples_ = 0, bytes_ = 0;
  std::string lost_ends_;
};

}  // namespace canary::push
