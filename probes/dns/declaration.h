// SPDX-License-Identifier: Apache-2.0
// What the kind `dns` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::dns {

// Names of checks.
inline constexpr std::string_view kAnswer = "answer";
inline constexpr std::string_view kValues = "values";
inline constexpr std::string_view kDnssec = "dnssec";
inline constexpr std::string_view kSerials = "serials";
inline constexpr std::array kChecks{kAnswer, kValues, kDnssec, kSerials};

inline constexpr probes::Reason kMismatch{"mismatch"};  // other values than expected
inline constexpr probes::Reason kRcode{"rcode"};        // another code of response
inline constexpr probes::Reason kUnauthenticated{"unauthenticated"};
inline constexpr std::array kReasons{kMismatch, kRcode, kUnauthenticated};

// By server, as the configuration names it: 16 at most.
inline constexpr probes::SampleFamily kRecords{
    .number = {"records", "canaryd_dns_records",
               "Records of the type that was asked for in a server's last answer."},
    .label = "server"};
inline constexpr probes::SampleFamily kTtl{
    .number = {"ttl_seconds", "canaryd_dns_ttl_seconds", "The shortest time to live among them."},
    .label = "server"};
inline constexpr probes::SampleFamily kSerial{
    .number = {"serial", "canaryd_dns_serial", "Serial of the zone, where its SOA is asked for."},
    .label = "server"};
inline constexpr probes::SampleFamily kSeconds{
    .number = {"seconds", "canaryd_dns_query_seconds",
               "How long a server took for its last answer, a second try included."},
    .label = "server"};

inline constexpr std::array<probes::SampleFamily const*, 4> kSamples{&kRecords, &kTtl, &kSerial,
                                                                     &kSeconds};
inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"servers", "each asked", "reachable"},
    {"answers", "of the right form, with the expected code", kAnswer},
    {"values", "against what is expected", kValues},
    {"DNSSEC", "what the server says of it", kDnssec},
    {"serials", "of the zone, alike on all servers", kSerials},
});
inline constexpr probes::Declaration kDeclaration{.kind = "dns",
                                                  .title = "Name servers",
                                                  .samples = kSamples,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::dns
