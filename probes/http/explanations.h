// SPDX-License-Identifier: Apache-2.0
// What the findings of the kind `http` mean, and what to do about them.
// Thread: none (constants).
#pragma once

#include <array>

#include "probes/explanation.h"
#include "probes/http/declaration.h"

namespace canary::http {

inline constexpr auto kExplanations = std::to_array<probes::Explanation>({
    {.check = kAnswer,
     .reason = "hash_mismatch",
     .step = "RFC 9110, 8.6",
     .expected = "as many bytes as the answer announces",
     .clients = "every client",
     .advice = "The answer ends early or contradicts itself: look at the server and the proxies "
               "before it.",
     .alert_critical = "TufIntegrityFailure"},
    {.check = kAnswer,
     .step = "RFC 9112",
     .expected = "a whole answer of HTTP",
     .clients = "every client",
     .advice = "The answer is no HTTP or contradicts itself: look at the server and the proxies "
               "before it."},
    {.check = kStatus,
     .step = "RFC 9110, 15; http.status",
     .expected = "a status that the probe names",
     .clients = "all that ask for the same URL",
     .advice = "Look at the log of the server, or correct the status that is expected."},
    {.check = kRedirects,
     .step = "RFC 9110, 15.4; http.redirects, http.final_url",
     .expected = "the way that the probe names",
     .clients = "all that follow redirects",
     .advice = "Mend the redirects, or correct what is expected of them."},
    {.check = kHeaders,
     .step = "RFC 9110, 5; http.header_matches, http.header_not_matches",
     .expected = "headers as the probe names them",
     .clients = "those that rely on the header",
     .advice = "Mend the server's configuration, or correct what is expected."},
    {.check = kBody,
     .reason = "hash_mismatch",
     .step = "http.sha256",
     .expected = "a body of that SHA-256",
     .clients = "those that know what the file has to be",
     .advice = "Treat it as an attack until shown otherwise: clients refuse the repository. "
               "Compare with another mirror, and ask who publishes it.",
     .alert_critical = "TufIntegrityFailure"},
    {.check = kBody,
     .reason = "size_limit",
     .severity = probes::Severity::critical,
     .step = "http.min_size, http.max_size",
     .expected = "a body of a size as the probe says",
     .clients = "all that ask for the same URL",
     .advice = "See what the server serves instead, or correct what is expected."},
    {.check = kBody,
     .step = "http.contains, http.matches, http.min_size, http.max_size",
     .expected = "a body as the probe describes it",
     .clients = "all that ask for the same URL",
     .advice = "See what the server serves instead: the finding has its beginning. Or correct what "
               "is expected."},
    {.check = kJson,
     .step = "RFC 8259; RFC 6901; http.json",
     .expected = "JSON that has those values",
     .clients = "all that read the same document",
     .advice = "See what the server serves instead, or correct what is expected."},
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
    {.check = kStatus,
     .reason = "http_status",
     .step = "RFC 9110, 15; http.status",
     .expected = "a status that the probe names",
     .clients = "all that ask for the same URL",
     .advice = "Look at the log of the server, or correct the status that is expected."},
    {.check = kRedirects,
     .reason = "http_status",
     .step = "RFC 9110, 15.4; http.redirects, http.final_url",
     .expected = "the way that the probe names",
     .clients = "all that follow redirects",
     .advice = "Mend the redirects, or correct what is expected of them."},
});

}  // namespace canary::http
