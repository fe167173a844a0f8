// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `openpgp` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/explanation.h"
#include "probes/openpgp/declaration.h"

namespace canary::openpgp {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kKeys,
     .reason = kSecret.word(),
     .step = "RFC 9580, 5.5.3",
     .expected = "public keys alone",
     .clients = "everybody: who has the file can sign",
     .advice = "Take the file away at once, revoke the key and sign with another one."},
    {.check = kKeys,
     .reason = kNoKey.word(),
     .step = "RFC 9580, 5.2.3.29",
     .expected = "a key that may sign, and that clients have",
     .clients = "all that verify with these keys",
     .advice = "Publish a key that may sign, or name the key that does among keys."},
    {.check = kKeys,
     .step = "RFC 9580, 10",
     .expected = "keys that can be read",
     .clients = "all that are given this file",
     .advice = "The file holds no key that can be read: an error page, or a broken export. Export "
               "and publish it anew."},
    {.check = kExpiry,
     .reason = "expired",
     .step = "RFC 9580, 5.2.3.13",
     .expected = "a key that has not ended",
     .clients = "every client: what is signed is refused",
     .advice =
         "Set a later end (gpg --quick-set-expire), publish the key, and see that clients get it.",
     .alert = "OpenpgpKeyExpired"},
    {.check = kExpiry,
     .step = "RFC 9580, 5.2.3.13",
     .expected = "more validity left than the thresholds of the probe",
     .clients = "none yet; every client once it has ended",
     .advice = "Set a later end (gpg --quick-set-expire) and publish the key well before: clients "
               "need time to get it.",
     .alert = "OpenpgpKeyExpiring"},
    {.check = kRevocation,
     .step = "RFC 9580, 5.2.1.11",
     .expected = "a key that is not revoked",
     .clients = "every client that has the revocation",
     .advice = "Sign with another key, and have clients get it. Where nobody of you revoked it, "
               "treat it as an attack."},
    {.check = kClients,
     .step = "the client's own policy, which the evidence names",
     .expected = "keys and signatures that the client takes",
     .clients = "the client that is the subject, from the day that the finding names on",
     .advice = "Make a self-signature with SHA-256 or better, or a new key, before that day; a "
               "client that nobody uses belongs out of clients.",
     .alert = "OpenpgpClientRefusal"},
    {.check = kServed,
     .step = "the key as clients have it",
     .expected = "the same key, as served",
     .clients = "those that begin today, or get the key anew",
     .advice =
         "Publish the key that signs; where what is served is not yours, treat it as an attack."},
    {.check = kSignatures,
     .reason = "signature",
     .step = "RFC 9580, 5.2.4",
     .expected = "a signature that fits the file",
     .clients = "every client that verifies it",
     .advice = "Treat it as an attack until shown otherwise: clients refuse the repository. "
               "Compare with another mirror, and ask who publishes it.",
     .alert_critical = "TufIntegrityFailure"},
    {.check = kSignatures,
     .step = "RFC 9580, 5.2.4",
     .expected = "a signature by a key that clients have",
     .clients = "every client that verifies the file",
     .advice =
         "Sign the file with a key that clients have, and publish file and signature together."},
});

}  // namespace canary::openpgp
