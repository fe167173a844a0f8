// SPDX-License-Identifier: Apache-2.0
// What the kind `tls` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::tls {

// Names of checks.
inline constexpr std::string_view kChain = "chain";
inline constexpr std::string_view kName = "name";
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::string_view kStaple = "staple";
inline constexpr std::array kChecks{kChain, kName, kExpiry, kStaple};
inline constexpr std::string_view kClock = "clock";  // a common one

inline constexpr probes::Reason kRevoked{"revoked"};
inline constexpr probes::Reason kStapleMissing{"staple_missing"};
inline constexpr probes::Reason kStapleInvalid{"staple_invalid"};
inline constexpr std::array kReasons{kRevoked, kStapleMissing, kStapleInvalid};

inline constexpr probes::ThingType kCertificate{
    .name = "certificate",
    .plural = "certificates",
    .ends = {"not_after", "canaryd_tls_certificate_expiry_timestamp_seconds",
             "When a certificate that the server shows ends, as of the last run that saw it."},
    .warning = {"warning_seconds", "canaryd_tls_certificate_expiry_warning_seconds",
                "Remaining validity below which the end of a certificate is a warning."},
    .critical = {"critical_seconds", "canaryd_tls_certificate_expiry_critical_seconds",
                 "Remaining validity below which the end of a certificate is critical."},
    .seen = {"seen", "canaryd_tls_certificate_seen_timestamp_seconds",
             "When a certificate was seen: what is known of it stays when a later run fails."}};

inline constexpr std::array<probes::ThingType const*, 1> kThings{&kCertificate};
inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"connect", "name looked up, connected, shook hands", "reachable"},
    {"chain", "up to a CA that is trusted", kChain},
    {"name", "the certificate is for this server", kName},
    {"expiry", "nothing of the chain has ended or ends soon", kExpiry, &kCertificate},
    {"staple", "what the server shows of its certificate not being revoked", kStaple},
});
inline constexpr probes::Declaration kDeclaration{.kind = "tls",
                                                  .title = "TLS servers",
                                                  .things = kThings,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::tls
