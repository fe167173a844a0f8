// SPDX-License-Identifier: Apache-2.0
// What the kind `openpgp` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::openpgp {

// Names of checks.
inline constexpr std::string_view kKeys = "keys";  // can the files be read?
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::string_view kRevocation = "revocation";
inline constexpr std::string_view kClients = "clients";  // whom do clients refuse, and when?
inline constexpr std::string_view kServed = "served";    // as clients have it, and as it is served
inline constexpr std::string_view kSignatures = "signatures";  // of files
inline constexpr std::array kChecks{kKeys, kExpiry, kRevocation, kClients, kServed, kSignatures};

inline constexpr probes::Reason kRevoked{"revoked"};
inline constexpr probes::Reason kRefused{"refused"};           // by a client
inline constexpr probes::Reason kRefusedSoon{"refused_soon"};  // on a day that is near
inline constexpr probes::Reason kNoKey{"no_key"};              // of who signs
inline constexpr probes::Reason kNotServed{"not_served"};
inline constexpr probes::Reason kMismatch{"mismatch"};  // served otherwise than clients have it
inline constexpr probes::Reason kSecret{"secret_key"};
inline constexpr probes::Reason kNotYetValid{"not_yet_valid"};
inline constexpr std::array kReasons{kRevoked,   kRefused,  kRefusedSoon, kNoKey,
                                     kNotServed, kMismatch, kSecret,      kNotYetValid};

inline constexpr std::array<probes::Number, 1> kKeyNumbers{
    {{"bits", "canaryd_openpgp_key_bits", "Size of a key that signs."}}};
inline constexpr probes::ThingType kSigningKey{
    .name = "key",
    .plural = "signing_keys",
    .numbers = kKeyNumbers,
    .ends = {"ends", "canaryd_openpgp_key_expiry_timestamp_seconds",
             "When a key that signs ends, as of the last run that read it. Keys without an end "
             "have none."},
    .warning = {"warning_seconds", "canaryd_openpgp_key_expiry_warning_seconds",
                "Remaining validity below which that end is a warning."},
    .critical = {"critical_seconds", "canaryd_openpgp_key_expiry_critical_seconds",
                 "Remaining validity below which that end is critical."},
    .seen = {"seen", "canaryd_openpgp_key_seen_timestamp_seconds",
             "When the key was seen: what is known of it stays when a later run fails."},
    .count = {"", "canaryd_openpgp_keys", "Keys that sign, as the last run saw them."}};
inline constexpr probes::ThingType kClient{
    .name = "client",
    .plural = "clients",
    .ends =
        {"refuses_from", "canaryd_openpgp_client_refusal_timestamp_seconds",
         "From when on a client refuses what is signed. Clients that refuse nothing have none."},
    .warning = {"warning_seconds", "canaryd_openpgp_client_refusal_warning_seconds",
                "Remaining time below which that day is a warning."},
    .critical = {"critical_seconds", "canaryd_openpgp_client_refusal_critical_seconds",
                 "Remaining time below which that day is critical."},
    .seen = {"seen", "canaryd_openpgp_client_seen_timestamp_seconds",
             "When that was seen: what is known of it stays when a later run fails."}};

inline constexpr std::array<probes::ThingType const*, 2> kThings{&kSigningKey, &kClient};
inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"connect", "where keys or files come from servers", "reachable"},
    {"keys", "files read, the keys that sign found", kKeys},
    {"expiry", "no key that signs has ended or ends soon", kExpiry, &kSigningKey},
    {"revocation", "no key that signs is revoked", kRevocation},
    {"clients", "none refuses what is signed, now or soon", kClients, &kClient},
    {"served", "the keys that are served are those that clients have", kServed},
    {"signatures", "of the files, by keys that clients have", kSignatures},
});
inline constexpr probes::Declaration kDeclaration{.kind = "openpgp",
                                                  .title = "OpenPGP keys",
                                                  .things = kThings,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::openpgp
