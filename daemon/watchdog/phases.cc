// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/phases.h"

#include "runtime/tables.h"

namespace canary::watchdog {

using std::memory_order_acquire;
using std::memory_order_relaxed;

void Phases::look(Inputs const& inputs, Notifier& notifier, std::uint32_t runs,
                  std::int64_t now_ns) {
  std::uint32_t const reloading = inputs.reloading.load(memory_order_acquire);
  if (reloading != reloading_) {
    reloading_ = reloading;
    notifier.reloading(now_ns);
  }
  std::uint32_t const ready = inputs.ready.load(memory_order_acquire);
  std::uint32_t const reloaded = inputs.reloaded.load(memory_order_acquire);
  // Ready once the loop has really turned.
  runtime::Tables* const tables = runtime::tables();
  bool const turned = tables != nullptr && tables->loop().beats.load(memory_order_relaxed) > 0;
  if ((ready != ready_ || reloaded != reloaded_) && turned) {
    ready_ = ready;
    reloaded_ = reloaded;
    notifier.ready();
  }
  if (inputs.stop_limit_ns.load(memory_order_acquire) != 0 && !stopping_) {
    stopping_ = true;
    draining_ = runs;
    notifier.stopping();
  }
}

PhaseView::Phase Phases::phase() const {
  if (stopping_) return PhaseView::Phase::stopping;
  if (ready_ == 0) return PhaseView::Phase::starting;
  return reloading_ != reloaded_ ? PhaseView::Phase::reloading : PhaseView::Phase::running;
}

std::uint64_t Phases::progress(Inputs const& inputs, std::uint32_t runs) {
  if (stopping_) {
    if (runs < draining_) drained_ += draining_ - runs;
    draining_ = runs;
  }
  return inputs.progress.load(memory_order_acquire) + drained_;
}

}  // namespace canary::watchdog
