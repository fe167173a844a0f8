// SPDX-License-Identifier: Apache-2.0
// The fields of `dns:`.
// Thread: none (pure).
#include "probes/dns/spec.h"

#include <algorithm>
#include <array>

#include "config/fields.h"
#include "config/url.h"

namespace canary::dns {
namespace {

using namespace std::chrono_literals;

constexpr config::FieldVisitor::Most kServers{16, 300};
constexpr config::FieldVisitor::Most kValues{64, 1024};

std::string bare(std::string const& name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

std::string wrong_name(std::string const& text) {
  if (is_name(bare(text))) return {};
  return "expected a name such as example.com, got \"" + text + "\"";
}

std::string wrong_server(std::string const& text) {
  if (parse_server(text)) return {};
  return "expected HOST, HOST:PORT or [IPv6]:PORT, got \"" + text + "\"";
}

std::string nothing_wrong(std::string const&) { return {}; }

}  // namespace

std::optional<ServerName> parse_server(std::string const& text) {
  bool const bare_v6 = std::ranges::count(text, ':') > 1 && !text.starts_with('[');
  auto const url = config::Url::parse("http://" + (bare_v6 ? "[" + text + "]" : text));
  if (!url || url.value().target() != "/" || text.ends_with('/') || text.ends_with(':'))
    return std::nullopt;
  bool const port = !bare_v6 && text.rfind(':') != std::string::npos && text.back() != ']';
  return ServerName{url.value().host(), port ? url.value().port() : std::uint16_t{53}};
}

Question Spec::question() const {
  constexpr std::array kTypes{Type::a,   Type::aaaa, Type::cname, Type::soa,
                              Type::caa, Type::txt,  Type::mx,    Type::ns};
  return {bare(name), kTypes.at(static_cast<std::size_t>(type)), recursion};
}

int Spec::expected_rcode() const {
  constexpr std::array kCodes{0, 3, 2, 5};
  return kCodes.at(static_cast<std::size_t>(rcode));
}

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  describe_choice(v, {"type", "`A`, `AAAA`, `CNAME`, `SOA`, `CAA`, `TXT`, `MX`, `NS`"}, spec.type,
                  {"A", "AAAA", "CNAME", "SOA", "CAA", "TXT", "MX", "NS"});
  describe_choice(v, {"match", "`exactly` those values, or `includes`: there may be others"},
                  spec.match, {"exactly", "includes"});
  describe_choice(v,
                  {"rcode",
                   "the expected code of response: `noerror`, `nxdomain`, `servfail`, "
                   "`refused`"},
                  spec.rcode, {"noerror", "nxdomain", "servfail", "refused"});
  v.flag({"authenticated", "`true`: the server must say that it verified the answer (DNSSEC, AD)"},
         spec.authenticated);
  v.texts({"servers",
           "who is asked: `HOST` or `HOST:PORT`, a name or an address; each of them, and of a name "
           "its first address"},
          spec.servers, kServers, wrong_server);
  v.flag({"recursion", "`false`: the server's own knowledge is asked for"}, spec.recursion);
  v.duration({"serial_grace",
              "so long may the servers' serials differ after a change before it is critical"},
             spec.serial_grace, 0ms, 24h * 7);
  describe_choice(v, {"transport", "`udp`, and `tcp` for what is cut there; or `tcp` alone"},
                  spec.transport, {"udp", "tcp"});
  describe_choice(v, {"ip_family", "of a server given by name: `any`, `ipv4`, `ipv6`"},
                  spec.ip_family, {"any", "ipv4", "ipv6"});
  v.wait({"resolve_timeout", "name lookup of a server"}, spec.resolve_timeout, 10ms, 1h);
  v.wait({"query_timeout", "for an answer, a second try over UDP included"}, spec.query_timeout,
         100ms, 1min);
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.text({"name", "asked about"}, spec.name, 254, wrong_name);
  v.texts({"values",
           "expected, as zone files have them: `192.0.2.1`, `mail.example.com.`, `10 "
           "mail.example.com.`, `0 issue \"ca.example\"`"},
          spec.values, kValues, nothing_wrong);
  describe_defaults(v, spec);
  v.require(!spec.servers.empty(), "servers",
            "field missing: expected servers, a list of name servers");
  v.require(spec.values.empty() || spec.rcode == Expected::noerror, "values",
            "expected none beside another rcode than noerror");
}

}  // namespace canary::dns
