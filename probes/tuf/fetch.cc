// SPDX-License-Identifier: Apache-2.0
// Classifies answers, and asks for a file.
// Thread: loop.
#include "probes/tuf/fetch.h"

#include <optional>
#include <string_view>
#include <utility>

#include "probes/fetch/client.h"
#include "probes/fetched.h"
#include "probes/tuf/declaration.h"
#include "runtime/contract.h"

namespace canary::tuf {
namespace {

using probes::Reason;

// A server that says "not now" or "not you" has said nothing about the repository.
bool says_not_now(fetch::Fault const& fault) {
  return fault.kind == fetch::FaultKind::status &&
         (fault.status >= 500 || fault.status == 429 || fault.status == 408 ||
          fault.status == 401 || fault.status == 407);
}

// Metadata is kept for the length of a run, thousands of files maybe: without room to spare.
FetchedFile file_of(fetch::Response response) {
  FetchedFile file{.bytes = std::move(response.body), .last_modified = response.last_modified};
  file.bytes.shrink_to_fit();
  return file;
}

constexpr std::size_t kBytesShown = 60;

// The first bytes of an answer, on one line, in quotes.
std::string beginning(std::string_view body) {
  std::string text = "\"";
  for (char const c : body.substr(0, kBytesShown)) {
    text += c >= 0x20 && c < 0x7f ? c : ' ';
  }
  return text + (body.size() > kBytesShown ? "...\"" : "\"");
}

// A page where metadata should be: no JSON at all, but what a portal, a login or a store's front
// answers. Other faults of JSON the engine finds.
std::optional<FetchFault> page(fetch::Response const& response, config::Url const& asked) {
  std::size_t const first = response.body.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  bool const page = first != std::string::npos && response.body[first] == '<';
  if (!page) return std::nullopt;
  auto const type = response.header("content-type");
  std::string detail = asked.text() + " is a page (";
  detail.append(type && !type->empty() ? *type : "no content type").append(") instead of metadata");
  if (!response.redirects.empty()) {
    detail += ", after a redirect to " + response.final_url.text();
  }
  detail += "; it begins with " + beginning(std::string_view{response.body}.substr(first));
  return FetchFault{.kind = FetchFault::Kind::wrong,
                    .reason = Reason::parse,
                    .url = asked.text(),
                    .detail = std::move(detail)};
}

// The body, unless it is a page.
FetchResult<FetchedFile> metadata_of(fetch::Response response, config::Url const& asked) {
  if (auto fault = page(response, asked)) return std::move(*fault);
  return file_of(std::move(response));
}

}  // namespace

std::string sentence(FetchFault const& fault) {
  return fault.detail.starts_with(fault.url) ? fault.detail : fault.url + ": " + fault.detail;
}

FetchFault fetch_fault(fetch::Fault const& fault, config::Url const& url) {
  FetchFault result{.reason = probes::reason_of(fault), .url = url.text(), .detail = fault.message};
  result.waits_for_disk = fault.kind == fetch::FaultKind::disk;
  result.by_consumer = fault.kind == fetch::FaultKind::rejected;
  if (!fault.url.empty() && fault.url != result.url) result.detail += " (" + fault.url + ")";
  if (fault.absent()) {
    result.kind = FetchFault::Kind::missing;
    result.reason = kMetadataMissing;
    result.refused = fault.status == 403;
  } else if (fault.answered && !says_not_now(fault)) {
    result.kind = FetchFault::Kind::wrong;
  }
  return result;
}

runtime::Task<FetchResult<FetchedFile>> fetch(fetch::Client& client, FileRequest request,
                                              runtime::Trace trace) {
  runtime::require_loop_thread();
  fetch::Request first{request.folder.child(request.file), request.limit};
  config::Url const url = first.url;
  auto answer = co_await client.get(std::move(first), request.deadline, trace);
  if (answer) co_return metadata_of(std::move(answer).value(), url);
  bool const literal = answer.error().absent() && url.scheme() == config::Scheme::file &&
                       request.file.find('%') != std::string::npos;
  if (literal) {
    fetch::Request second{request.folder.child(config::percent_encode(request.file)),
                          request.limit};
    auto other = co_await client.get(std::move(second), request.deadline, trace);
    if (other) co_return file_of(std::move(other).value());
  }
  co_return fetch_fault(answer.error(), url);
}

}  // namespace canary::tuf
