// SPDX-License-Identifier: Apache-2.0
#include "daemon/publish/response.h"

#include <algorithm>
#include <string>
#include <utility>

namespace canary::daemon {
namespace {

// A body as long as libmicrohttpd needs it.
struct Body {
  std::string text;
  std::atomic<std::size_t>& unread;
  std::size_t counted;

  Body(std::string body, std::atomic<std::size_t>& counter)
      : text(std::move(body)),
        unread(counter),
        counted(text.size() > kSmallBody ? text.size() : 0) {
    unread.fetch_add(counted);
  }
  ~Body() { unread.fetch_sub(counted); }
  Body(Body const&) = delete;
  Body& operator=(Body const&) = delete;
};

void free_body(void* body) { delete static_cast<Body*>(body); }

}  // namespace

ResponsePointer make_response(HttpAnswer answer, std::atomic<std::size_t>& unread,
                              std::vector<config::WebHeader> const& headers) {
  auto body = std::make_unique<Body>(std::move(answer.body), unread);
  ResponsePointer response{::MHD_create_response_from_buffer_with_free_callback_cls(
      body->text.size(), body->text.data(), &free_body, body.get())};
  if (!response) return response;
  (void)body.release();  // the response frees it
  auto const header = [&](char const* name, char const* value) {
    ::MHD_add_response_header(response.get(), name, value);
  };
  // Names are those that may be configured, spelled as here.
  auto const ours = [&](char const* name, char const* value) {
    if (std::ranges::find(headers, name, &config::WebHeader::name) == headers.end()) {
      header(name, value);
    }
  };
  for (auto const& each : headers) header(each.name.c_str(), each.value.c_str());
  header("Content-Type", std::string{answer.content_type}.c_str());
  header("Cache-Control", "no-store");
  ours("X-Content-Type-Options", "nosniff");
  ours("X-Frame-Options", "DENY");
  // With no-referrer a form of ours would come as one of nobody's ("Origin: null").
  header("Referrer-Policy", "same-origin");
  ours("Content-Security-Policy", answer.is_page
                                      ? "default-src 'none'; style-src 'self'; script-src 'self'; "
                                        "connect-src 'self'; base-uri 'none'; form-action 'self'; "
                                        "frame-ancestors 'none'"
                                      : "default-src 'none'; frame-ancestors 'none'");
  if (!answer.location.empty()) header("Location", answer.location.c_str());
  if (!answer.challenge.empty()) {
    header("WWW-Authenticate", std::string{answer.challenge}.c_str());
  }
  if (answer.gzip) header("Content-Encoding", "gzip");
  if (!answer.vary.empty()) header("Vary", std::string{answer.vary}.c_str());
  if (!answer.allow.empty()) header("Allow", std::string{answer.allow}.c_str());
  if (answer.retry_after.count() > 0) {
    header("Retry-After", std::to_string(answer.retry_after.count()).c_str());
  }
  return response;
}

StandingAnswer::StandingAnswer(std::string_view text)
    : response_(::MHD_create_response_from_buffer(text.size(), const_cast<char*>(text.data()),
                                                  MHD_RESPMEM_PERSISTENT)) {
  if (!response_) return;
  ::MHD_add_response_header(response_.get(), "Content-Type", "text/plain; charset=utf-8");
  ::MHD_add_response_header(response_.get(), "Cache-Control", "no-store");
  ::MHD_add_response_header(response_.get(), "Connection", "close");
  ::MHD_add_response_header(response_.get(), "Retry-After", "1");
}

MHD_Result StandingAnswer::send(MHD_Connection* connection) const {
  return response_ ? ::MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, response_.get())
                   : MHD_NO;
}

}  // namespace canary::daemon
