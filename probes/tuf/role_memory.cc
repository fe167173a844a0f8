// SPDX-License-Identifier: Apache-2.0
// Thread: loop.
#include "probes/tuf/role_memory.h"

#include <utility>

#include "probes/tuf/findings.h"
#include "runtime/contract.h"

namespace canary::tuf {

using probes::Finding;
using runtime::Task;
using runtime::Trace;

RoleMemory::RoleMemory(std::shared_ptr<TrustMemory> memory, RoleStore& store, std::string pin)
    : memory_(std::move(memory)), store_(store), pin_(std::move(pin)) {}

Task<RoleMemory::Taken> RoleMemory::take(Trace trace) {
  runtime::require_loop_thread();
  auto known = memory_ ? std::exchange(memory_->roles, nullptr) : nullptr;
  if (known && known->pin() == pin_) co_return Taken{std::move(known), std::nullopt};
  auto read = co_await store_.read_roles(pin_, trace);
  if (!read) co_return Taken{std::make_shared<KnownRoles>(pin_), finding_of(read.error())};
  Taken taken{std::move(read.value().known), std::nullopt};
  if (!read.value().damaged) co_return taken;
  taken.finding = Finding{.check = std::string(kStore),
                          .subject = store_.roles_file().string(),
                          .severity = probes::Severity::warning,
                          .reason = probes::Reason::internal,
                          .message =
                              "what was known of the delegated roles is damaged and begun "
                              "anew: each is looked at within the next " +
                              std::to_string(KnownRoles::kRound) + " runs",
                          .evidence = {}};
  co_return taken;
}

void RoleMemory::give_back(std::shared_ptr<KnownRoles> known) {
  if (memory_) memory_->roles = std::move(known);
}

Task<std::optional<Finding>> RoleMemory::write(RoleStore::Bytes text, Trace trace) {
  runtime::require_loop_thread();
  if (!memory_) co_return std::nullopt;
  auto const written = co_await store_.write_roles(std::move(text), trace);
  if (written) co_return std::nullopt;
  co_return finding_of(written.error());
}

}  // namespace canary::tuf
