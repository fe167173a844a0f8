// SPDX-License-Identifier: Apache-2.0
#include "probes/reason.h"

#include "config/finding_words.h"

namespace canary::probes {
namespace {

constexpr auto kCommon = std::to_array<Reason>({Reason::dns,
                                                Reason::connect,
                                                Reason::tls,
                                                Reason::tls_expired,
                                                Reason::tls_not_yet_valid,
                                                Reason::tls_wrong_name,
                                                Reason::tls_untrusted,
                                                Reason::credentials,
                                                Reason::clock,
                                                Reason::proxy,
                                                Reason::http_status,
                                                Reason::timeout,
                                                Reason::too_slow,
                                                Reason::stalled,
                                                Reason::cancelled,
                                                Reason::size_limit,
                                                Reason::parse,
                                                Reason::signature,
                                                Reason::threshold,
                                                Reason::expired,
                                                Reason::expiring,
                                                Reason::rollback,
                                                Reason::freeze,
                                                Reason::equivocation,
                                                Reason::hash_mismatch,
                                                Reason::unsupported,
                                                Reason::configuration,
                                                Reason::internal});

static_assert(std::ranges::all_of(kCommon,
                                  [](Reason const& reason) {
                                    return config::is_one_of(config::kCommonReasons, reason.word());
                                  }),
              "name the reason in config/finding_words.h, too: `accept` reads it");
static_assert(config::kCommonReasons.size() == kCommon.size(), "no such reason");

}  // namespace

std::span<Reason const> common_reasons() { return kCommon; }

bool is_tampering(Reason const& reason) {
  return config::is_one_of(config::kTamperingWords, reason.word());
}

}  // namespace canary::probes
