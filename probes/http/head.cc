// SPDX-License-Identifier: Apache-2.0
#include "probes/http/head.h"

#include <algorithm>
#include <cctype>

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace canary::http {
namespace {

namespace beast = boost::beast;

std::string lower(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(), [](unsigned char c) { return std::tolower(c); });
  return result;
}

}  // namespace

struct HeadParser::Impl {
  beast::http::response_parser<beast::http::empty_body> parser;
  std::string problem;
};

HeadParser::HeadParser() : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(kHeadBytesMax);
  impl_->parser.body_limit(boost::none);
  impl_->parser.eager(false);
}

HeadParser::~HeadParser() = default;

HeadParser::Step HeadParser::put(std::string_view input) {
  beast::error_code error;
  std::size_t const consumed =
      impl_->parser.put(boost::asio::buffer(input.data(), input.size()), error);
  if (impl_->parser.is_header_done()) return {State::done, consumed};
  if (!error || error == beast::http::error::need_more) {
    // Beast's limit counts consumed bytes only.
    if (input.size() - consumed <= kHeadBytesMax) return {State::need_more, consumed};
    error = beast::http::error::header_limit;
  }
  impl_->problem = error.message();
  return {State::malformed, consumed};
}

std::string const& HeadParser::problem() const { return impl_->problem; }

ResponseHead HeadParser::take() {
  auto const& parser = impl_->parser;
  auto const& message = parser.get();
  ResponseHead head;
  head.status = static_cast<int>(message.result_int());
  head.reason = std::string{message.reason()};
  head.keep_alive = parser.keep_alive();
  for (auto const& field : message) {
    auto const name = field.name_string();
    auto const value = field.value();
    head.headers.emplace_back(lower({name.data(), name.size()}),
                              std::string{value.data(), value.size()});
  }
  bool const no_body = head.status / 100 == 1 || head.status == 204 || head.status == 304;
  if (no_body) {
    head.body = ResponseHead::Body::none;
  } else if (parser.chunked()) {
    head.body = ResponseHead::Body::chunked;
  } else if (auto const length = parser.content_length()) {
    head.body = ResponseHead::Body::length;
    head.length = *length;
  } else {
    head.body = ResponseHead::Body::until_close;
  }
  return head;
}

std::string_view ResponseHead::header(std::string_view name) const {
  auto const found =
      std::ranges::find(headers, name, [](auto const& entry) { return entry.first; });
  return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

}  // namespace canary::http
