// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/request_text.h"

#include <string_view>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

namespace canary::fetch {
namespace {

namespace http = boost::beast::http;
using Head = http::header<true, http::fields>;

constexpr char kAgent[] = "canaryd/" CANARY_VERSION;

Head head_of(std::string const& method, std::string const& target) {
  Head head;
  head.version(11);
  head.method_string(method);
  head.target(target);
  return head;
}

// Beast writes what it is given.
bool is_sendable(std::string const& name, std::string const& value) {
  constexpr std::string_view kBreaks{"\r\n\0", 3};
  return !name.empty() && name.find_first_of(": \t") == std::string::npos &&
         name.find_first_of(kBreaks) == std::string::npos &&
         value.find_first_of(kBreaks) == std::string::npos;
}

std::string text_of(Head const& head) {
  http::fields::writer const lines{head, head.version(), head.method()};
  return boost::beast::buffers_to_string(lines.get());
}

// Those of the settings; secrets go to the server they were meant for, not to where it sends us.
// Gives the name of one that cannot be sent, or "".
std::string add_given(Transfer const& transfer, http::fields& given) {
  auto const add_all = [&given](auto const& headers) -> std::string {
    for (auto const& [name, value] : headers) {
      if (!is_sendable(name, value)) return name.empty() ? "(without a name)" : name;
      given.insert(name, value);
    }
    return {};
  };
  std::string refused = add_all(transfer.settings.headers);
  if (refused.empty() && transfer.url.origin() == transfer.request.url.origin()) {
    refused = add_all(transfer.secrets.headers);
  }
  return refused;
}

}  // namespace

Result<std::string> request_text(Transfer const& transfer, std::optional<Proxy> const& proxy) {
  auto const& url = transfer.url;
  bool const passed_on = proxy && url.scheme() == config::Scheme::http;
  http::fields given;
  if (std::string const refused = add_given(transfer, given); !refused.empty()) {
    return transfer.fault(FaultKind::settings,
                          "the header " + refused +
                              " cannot be sent: its name or "
                              "value holds characters that HTTP does not allow");
  }
  Head head = head_of(transfer.method,
                      (passed_on ? "http://" + url.host_header() : std::string{}) + url.target());
  auto const unless_given = [&](http::field name, std::string_view value) {
    if (given.count(name) == 0) head.insert(name, value);
  };
  unless_given(http::field::host, url.host_header());
  unless_given(http::field::user_agent, kAgent);
  unless_given(http::field::accept, "*/*");
  unless_given(http::field::accept_encoding, "identity");
  if (passed_on && !proxy->authorization.empty()) {
    head.insert(http::field::proxy_authorization, proxy->authorization);
  }
  if (transfer.received > 0 && transfer.validator) {
    head.insert(http::field::range, "bytes=" + std::to_string(transfer.received) + "-");
    head.insert(http::field::if_range, *transfer.validator);
  }
  for (auto const& each : given) head.insert(each.name(), each.name_string(), each.value());
  auto const& body = transfer.request.body;
  if (!transfer.with_body) return text_of(head);
  head.insert(http::field::content_length, std::to_string(body.size()));
  return text_of(head) + body;
}

std::string tunnel_text(std::string const& authority, Proxy const& proxy) {
  Head head = head_of("CONNECT", authority);
  head.insert(http::field::host, authority);
  head.insert(http::field::user_agent, kAgent);
  if (!proxy.authorization.empty()) {
    head.insert(http::field::proxy_authorization, proxy.authorization);
  }
  return text_of(head);
}

}  // namespace canary::fetch
