// SPDX-License-Identifier: Apache-2.0
#include "probes/tuf/pinned_root.h"

#include <memory>
#include <utility>

#include "probes/collector.h"
#include "probes/fetch/fault.h"
#include "probes/fetch/services.h"
#include "probes/tuf/findings.h"
#include "probes/tuf/trust_memory.h"
#include "runtime/contract.h"
#include "runtime/file_identity.h"
#include "runtime/known_file.h"

namespace canary::tuf {

using probes::ProbeContext;
using probes::Severity;
using runtime::Task;
using runtime::Trace;

namespace {

// As the file is now, or, where its disk does not answer, as it was read before; nothing, after a
// finding, where it was not.
Task<std::optional<TrustMemory::Pinned>> look_at(Spec const& spec, ProbeContext const& context,
                                                 TrustMemory* memory, Trace trace) {
  using Known = runtime::KnownFile<TrustMemory::Pinned const>;
  Known known;
  if (memory != nullptr && memory->pinned_path == spec.root) known = memory->pinned;
  auto read = [path = spec.root, limit = std::size_t{spec.limits.root}](Known known) {
    auto identity = runtime::identity_of(path);
    if (known.value && !known.value->fault && known.identity == identity) return known;
    auto bytes = read_whole_file(path, limit);
    TrustMemory::Pinned pinned;
    if (!bytes) pinned.fault = bytes.error();
    if (bytes && bytes.value()) pinned.bytes = std::move(*bytes.value());
    pinned.missing = bytes && !bytes.value();
    known.value = std::make_shared<TrustMemory::Pinned const>(std::move(pinned));
    known.identity = std::move(identity);
    return known;
  };
  runtime::FileAsk ask{
      .name = "tuf.read_pinned_root", .file = spec.root, .until = context.deadline};
  known = co_await runtime::look_again(trace, context.http.files, std::move(ask), std::move(known),
                                       std::move(read));
  if (memory != nullptr) {
    memory->pinned = known;
    memory->pinned_path = spec.root;
  }
  if (!known.waits) co_return *known.value;
  std::string const why = sentence(*known.waits);
  bool const usable = known.value && !known.value->fault && !known.value->missing;
  context.findings->add({.check = std::string(usable ? kFiles : kRootChain),
                         .subject = usable ? spec.root.string() : "root",
                         .severity = usable ? Severity::warning : Severity::unknown,
                         .reason = probes::Reason::internal,
                         .message = usable ? why + "; the pinned root is used as it was read before"
                                           : "the pinned root could not be read: " + why,
                         .evidence = spec.root.string()});
  if (usable) co_return *known.value;
  co_return std::nullopt;
}

}  // namespace

Task<std::optional<std::string>> read_pinned_root(Spec const& spec, ProbeContext const& context,
                                                  std::shared_ptr<TrustMemory> memory,
                                                  Trace trace) {
  runtime::require_loop_thread();
  std::optional<TrustMemory::Pinned> pinned = co_await look_at(spec, context, memory.get(), trace);
  if (!pinned) co_return std::nullopt;
  if (!pinned->fault && !pinned->missing) co_return std::move(pinned->bytes);
  std::string why = "there is no such file: " + spec.root.string();
  auto reason = probes::Reason::configuration;
  if (pinned->fault) {
    why = sentence(*pinned->fault);
    // The file may be as good as ever.
    if (fetch::is_exhaustion(pinned->fault->error)) reason = probes::Reason::internal;
  }
  context.findings->add({.check = std::string(kRootChain),
                         .subject = "root",
                         .severity = Severity::unknown,
                         .reason = reason,
                         .message = "the pinned root is not readable: " + why,
                         .evidence = spec.root.string()});
  co_return std::nullopt;
}

}  // namespace canary::tuf
