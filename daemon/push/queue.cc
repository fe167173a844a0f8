// SPDX-License-Identifier: Apache-2.0
#include "daemon/push/queue.h"

#include <iterator>
#include <utility>

namespace canary::push {

std::size_t Queue::put(Batch batch) {
  samples_ += batch.samples;
  bytes_ += batch.body.size();
  batches_.push_back(std::move(batch));
  std::size_t dropped = 0;
  std::size_t const kept = out_ ? 1 : 0;
  while (bytes_ > most_bytes_ && batches_.size() > kept + 1) {
    auto const oldest = std::next(batches_.begin(), static_cast<std::ptrdiff_t>(kept));
    dropped += oldest->samples;
    lost_ends_ += oldest->ended;
    erase(oldest);
  }
  return dropped;
}

Batch const* Queue::out() {
  if (batches_.empty()) return nullptr;
  out_ = true;
  return &batches_.front();
}

void Queue::done() {
  if (!std::exchange(out_, false)) return;
  erase(batches_.begin());
}

void Queue::put_back() { out_ = false; }

std::optional<SampleTime> Queue::oldest() const {
  if (batches_.empty()) return std::nullopt;
  return batches_.front().at;
}

void Queue::erase(std::list<Batch>::iterator at) {
  samples_ -= at->samples;
  bytes_ -= at->body.size();
  batches_.erase(at);
}

}  // namespace canary::push
