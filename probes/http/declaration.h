// SPDX-License-Identifier: Apache-2.0
// What the kind `http` declares.
// Thread: none (constants).
#pragma once

#include <array>
#include <string_view>

#include "probes/declaration.h"

namespace canary::http {

// Names of checks.
inline constexpr std::string_view kAnswer = "answer";  // is it a whole answer of HTTP?
inline constexpr std::string_view kStatus = "status";
inline constexpr std::string_view kRedirects = "redirects";
inline constexpr std::string_view kHeaders = "headers";
inline constexpr std::string_view kBody = "body";
inline constexpr std::string_view kJson = "json";
inline constexpr std::string_view kExpiry = "expiry";
inline constexpr std::array kChecks{kAnswer, kStatus, kRedirects, kHeaders, kBody, kJson, kExpiry};

inline constexpr probes::Reason kMismatch{"mismatch"};  // something else than expected
inline constexpr std::array kReasons{kMismatch};

inline constexpr probes::ThingType kCertificate{
    .name = "certificate",
    .plural = "certificates",
    .ends = {"not_after", "canaryd_http_certificate_expiry_timestamp_seconds",
             "When the first certificate of a server's chain ends, as of the last run that saw "
             "it."},
    .warning = {"warning_seconds", "canaryd_http_certificate_expiry_warning_seconds",
                "Remaining validity below which that end is a warning."},
    .critical = {"critical_seconds", "canaryd_http_certificate_expiry_critical_seconds",
                 "Remaining validity below which that end is critical."},
    .seen = {"seen", "canaryd_http_certificate_seen_timestamp_seconds",
             "When the certificate was seen: what is known of it stays when a later run fails."}};

inline constexpr probes::SampleFamily kStatusSample{
    .number = {"status", "canaryd_http_status", "Status of the last run's answer."}};
inline constexpr probes::SampleFamily kRedirectsSample{
    .number = {"redirects", "canaryd_http_redirects",
               "Redirects that the last run followed to its answer."}};
inline constexpr probes::SampleFamily kBodySample{
    .number = {"body_bytes", "canaryd_http_body_bytes", "Length of the last run's answer's body."}};

inline constexpr std::array<probes::ThingType const*, 1> kThings{&kCertificate};
inline constexpr std::array<probes::SampleFamily const*, 3> kSamples{
    &kStatusSample, &kRedirectsSample, &kBodySample};
inline constexpr auto kSteps = std::to_array<probes::Step>({
    {"connect", "name looked up, connected, asked", "reachable"},
    {"answer", "a whole answer of HTTP", kAnswer},
    {"redirects", "followed, no more than allowed", kRedirects},
    {"status", "against what is expected", kStatus},
    {"headers", "against what is expected", kHeaders},
    {"body", "against what is expected", kBody},
    {"JSON", "values in the body, against what is expected", kJson},
    {"expiry", "no certificate has ended or ends soon", kExpiry, &kCertificate},
});
inline constexpr probes::Declaration kDeclaration{.kind = "http",
                                                  .title = "HTTP servers",
                                                  .things = kThings,
                                                  .samples = kSamples,
                                                  .checks = kChecks,
                                                  .reasons = kReasons,
                                                  .steps = kSteps};

}  // namespace canary::http
