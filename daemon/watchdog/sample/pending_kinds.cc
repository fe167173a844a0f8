// SPDX-License-Identifier: Apache-2.0
#include "daemon/watchdog/sample/pending_kinds.h"

namespace canary::watchdog {
namespace {

// By its text: the same literal of two translation units may be there twice.
PendingKind& kind_of(PendingKinds& kinds, std::string_view name) {
  for (std::size_t i = 0; i < kinds.count; ++i) {
    if (kinds.kinds.data()[i].name == name) return kinds.kinds.data()[i];
  }
  if (kinds.count < PendingKinds::kKinds) {
    PendingKind& fresh = kinds.kinds.data()[kinds.count++];
    fresh.name = kinds.count == PendingKinds::kKinds ? std::string_view{"other"} : name;
    return fresh;
  }
  return kinds.kinds.data()[PendingKinds::kKinds - 1];
}

}  // namespace

PendingKinds pending_kinds(runtime::Tables& tables) {
  PendingKinds kinds;
  runtime::Operation now;
  for (runtime::OperationRecord const& operation : tables.operations()) {
    if (operation.read(now) != runtime::OperationHead::pending) continue;
    ++kind_of(kinds, runtime::text_at(now.operation)).number;
  }
  return kinds;
}

}  // namespace canary::watchdog
