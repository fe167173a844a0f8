// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `tls` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/explanation.h"
#include "probes/tls/declaration.h"

namespace canary::tls {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kChain,
     .reason = "tls_untrusted",
     .step = "RFC 5280, 6.1",
     .expected = "a chain to an authority that is known here",
     .clients = "those that do not know the issuer, or do not fetch what is missing",
     .advice = "Have the server send its intermediate certificates; where it does, give the "
               "authority as ca_file."},
    {.check = kChain,
     .step = "RFC 5280, 6.1",
     .expected = "a chain that clients can build",
     .clients = "every client",
     .advice = "The server's certificate is refused by every client: put the right one there, with "
               "its intermediate ones."},
    {.check = kName,
     .step = "RFC 9525, 6",
     .expected = "a certificate for the name of the probe",
     .clients = "every client that asks by this name",
     .advice = "The server's certificate is refused by every client: put the right one there, or "
               "ask by its name."},
    {.check = kName,
     .reason = "tls_wrong_name",
     .step = "RFC 9525, 6",
     .expected = "a certificate for the name of the probe",
     .clients = "every client that asks by this name",
     .advice = "The server's certificate is refused by every client: put the right one there, or "
               "ask by its name."},
    {.check = kExpiry,
     .reason = "expired",
     .step = "RFC 5280, 4.1.2.5",
     .expected = "a certificate that has not ended",
     .clients = "every client",
     .advice = "Renew the certificate; no client connects until then.",
     .alert = "RepoTlsCertExpired"},
    {.check = kExpiry,
     .step = "RFC 5280, 4.1.2.5",
     .expected = "more validity left than the thresholds of the probe",
     .clients = "none yet; every client once it has ended",
     .advice =
         "Renew the certificate before it ends, and see why its renewal did not come by itself.",
     .alert = "RepoTlsCertExpiring"},
    {.check = kStaple,
     .reason = kRevoked.word(),
     .step = "RFC 6960, 2.2",
     .expected = "a staple that says good",
     .clients = "those that look at staples or at revocation lists",
     .advice = "The issuer has revoked the certificate: have a new one issued, with a new key "
               "where it was stolen."},
    {.check = kStaple,
     .reason = kStapleMissing.word(),
     .step = "RFC 7633, 4.2.3",
     .expected = "an OCSP response along with the certificate",
     .clients = "those that demand it, such as for certificates that must have one",
     .advice = "Turn stapling on in the server, or expect none: many issuers have ended their "
               "responders."},
    {.check = kStaple,
     .step = "RFC 6960, 3.2",
     .expected = "a response that is new, of this certificate and by its issuer",
     .clients = "those that look at staples",
     .advice = "Have the server fetch a new response; a server that keeps an old one often needs a "
               "restart."},
});

}  // namespace canary::tls
