// SPDX-License-Identifier: Apache-2.0
#include "config/web_file.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "config/header_rules.h"
#include "config/yaml.h"

namespace canary::config {
namespace {

using ClientAuth = WebTls::ClientAuth;
using Version = WebTls::Version;
using std::filesystem::path;

template <class T>
struct Named {
  std::string_view name;
  T value;
};

constexpr std::array<Named<ClientAuth>, 6> kClientAuths{{
    {"NoClientCert", ClientAuth::none},
    {"RequestClientCert", ClientAuth::request},
    {"RequireAnyClientCert", ClientAuth::require_any},
    {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
    {"RequireAndVerifyClientCert", ClientAuth::require_and_verify},
    {"RequireClientCert", ClientAuth::require_any},  // of older versions
}};
constexpr std::array<Named<Version>, 4> kVersions{{
    {"TLS10", Version::tls10},
    {"TLS11", Version::tls11},
    {"TLS12", Version::tls12},
    {"TLS13", Version::tls13},
}};

// What may be set, with the values that it may have; none: any.
struct HeaderRule {
  std::string_view name;
  std::vector<std::string_view> values = {};
};
std::vector<HeaderRule> const& header_rules() {
  static std::vector<HeaderRule> const rules{{"Content-Security-Policy"},
                                             {"X-Frame-Options", {"deny", "sameorigin"}},
                                             {"X-Content-Type-Options", {"nosniff"}},
                                             {"X-XSS-Protection"},
                                             {"Strict-Transport-Security"}};
  return rules;
}

constexpr std::string_view kBcryptLetters =
    "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::size_t kCostAt = 4, kSaltAt = 7, kHashBytes = 60;  // "$2y$10$" and 53 letters

bool is_bcrypt(std::string_view hash) {
  auto const digit = [](char c) { return c >= '0' && c <= '9'; };
  bool const known =
      hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  return known && hash.size() == kHashBytes && digit(hash[kCostAt]) && digit(hash[kCostAt + 1]) &&
         hash[kSaltAt - 1] == '$' &&
         hash.substr(kSaltAt).find_first_not_of(kBcryptLetters) == std::string_view::npos;
}

template <class T, std::size_t kMost>
std::string names_of(std::array<Named<T>, kMost> const& all) {
  std::string text;
  for (auto const& each : all) text += (text.empty() ? "" : ", ") + std::string{each.name};
  return text;
}

template <class T, std::size_t kMost>
void read_choice(yaml::Fields& fields, char const* name, std::array<Named<T>, kMost> const& all,
                 T& value) {
  auto const at = fields.find(name);
  if (!at) return;
  std::string const expected = "one of " + names_of(all);
  auto const text = at->text(expected);
  if (!text) return;
  auto const found = std::ranges::find(all, *text, &Named<T>::name);
  if (found != all.end()) {
    value = found->value;
  } else {
    at->fail("expected " + expected + ", got " + at->got());
  }
}

// Fields that exporter-toolkit knows and this server cannot honour. Their values are not repeated:
// some are keys.
void refuse(yaml::Fields& fields, std::initializer_list<char const*> names, std::string_view why) {
  for (auto const* name : names) {
    if (auto const at = fields.find(name)) at->fail("is not honoured here: " + std::string{why});
  }
}

class WebReader {
 public:
  WebReader(path const& file, Problems& problems)
      : folder_(std::filesystem::absolute(file).lexically_normal().parent_path()),
        problems_(problems) {}

  WebFile read(yaml::Cursor const& top) {
    WebFile web;
    yaml::Fields fields(top);
    if (!fields.is_mapping()) return web;
    if (auto const at = fields.find("tls_server_config")) read_tls(*at, web);
    if (auto const at = fields.find("http_server_config")) read_http(*at, web);
    if (auto const at = fields.find("basic_auth_users")) read_users(*at, web);
    refuse(fields, {"rate_limit"}, "web.max_connections bounds what clients may cost");
    fields.refuse_unknown();
    return web;
  }

 private:
  std::optional<NamedFile> read_path(yaml::Fields& fields, char const* name) {
    auto const at = fields.find(name);
    auto const text = at ? at->text("the path of a file") : std::nullopt;
    if (!text) return std::nullopt;
    if (text->empty()) {
      at->fail("expected the path of a file, got nothing");
      return std::nullopt;
    }
    return NamedFile{.path = (folder_ / *text).lexically_normal(), .at = at->place()};
  }

  void read_tls(yaml::Cursor const& at, WebFile& web) {
    yaml::Fields fields(at);
    if (!fields.is_mapping() || fields.empty()) return;
    auto const before = problems_.count();
    WebTls tls;
    auto const certificate = read_path(fields, "cert_file"), key = read_path(fields, "key_file");
    read_choice(fields, "client_auth_type", kClientAuths, tls.client_auth);
    tls.client_ca = read_path(fields, "client_ca_file");
    read_sans(fields, tls);
    read_choice(fields, "min_version", kVersions, tls.least);
    read_choice(fields, "max_version", kVersions, tls.most);
    if (auto const prefer = fields.find("prefer_server_cipher_suites")) {
      tls.prefer_server_ciphers = prefer->flag().value_or(true);
    }
    refuse(fields, {"cert", "key", "client_ca"},
           "put it into a file of its own, and name that by cert_file, key_file, client_ca_file");
    refuse(fields, {"cipher_suites", "curve_preferences"},
           "GnuTLS chooses among those of min_version to max_version that are held to be secure");
    fields.refuse_unknown();
    if (problems_.count() == before) check_tls(at, fields, tls, {certificate, key});
    if (problems_.count() != before) return;
    tls.certificate = *certificate;
    tls.key = *key;
    web.tls = std::move(tls);
  }

  static void read_sans(yaml::Fields& fields, WebTls& tls) {
    auto const at = fields.find("client_allowed_sans");
    auto const list = at ? at->list("a list of names of clients") : std::nullopt;
    if (!list) return;
    for (auto const& each : *list) {
      if (auto text = each.text("a name of a client")) {
        tls.client_allowed_sans.push_back(std::move(*text));
      }
    }
  }

  static void check_tls(yaml::Cursor const& at, yaml::Fields& fields, WebTls const& tls,
                        std::pair<std::optional<NamedFile>, std::optional<NamedFile>> const& own) {
    bool const verifies = tls.client_auth == ClientAuth::verify_if_given ||
                          tls.client_auth == ClientAuth::require_and_verify;
    if (!own.first) at.fail("expected cert_file, which is missing");
    if (!own.second) at.fail("expected key_file, which is missing");
    if (verifies && !tls.client_ca) {
      fields.find("client_auth_type")
          ->fail("needs client_ca_file: the system's authorities speak for no client");
    }
    if (tls.client_ca && tls.client_auth == ClientAuth::none) {
      fields.find("client_ca_file")->fail("needs a client_auth_type that asks for certificates");
    }
    if (!tls.client_allowed_sans.empty() && !verifies) {
      fields.find("client_allowed_sans")
          ->fail(
              "needs client_auth_type RequireAndVerifyClientCert or VerifyClientCertIfGiven: "
              "a name that nobody verified says nothing");
    }
    if (tls.least > tls.most) {
      auto const most = fields.find("max_version");
      (most ? *most : *fields.find("min_version")).fail("max_version is below min_version");
    }
  }

  static void read_http(yaml::Cursor const& at, WebFile& web) {
    yaml::Fields fields(at);
    if (!fields.is_mapping()) return;
    auto const http2 = fields.find("http2");
    if (http2 && http2->flag().value_or(false)) {
      http2->fail("is not honoured here: HTTP/1.1 is spoken; false, or nothing, is right");
    }
    if (auto const headers = fields.find("headers")) {
      yaml::Fields all(*headers);
      for (auto const& [name, value] : all.all()) read_header(name, value, web);
    }
    fields.refuse_unknown();
  }

  static void read_header(std::string const& name, yaml::Cursor const& at, WebFile& web) {
    auto const same = [&](HeaderRule const& rule) {
      return lower_case(rule.name) == lower_case(name);
    };
    auto const rule = std::ranges::find_if(header_rules(), same);
    if (rule == header_rules().end()) {
      std::string all;
      for (auto const& each : header_rules())
        all += (all.empty() ? "" : ", ") + std::string{each.name};
      at.fail("this header cannot be configured; there are " + all);
      return;
    }
    auto const text = at.text("a header's value");
    if (!text) return;
    if (auto const wrong = check_header_value(*text)) {
      at.fail(*wrong);
    } else if (!rule->values.empty() &&
               std::ranges::find(rule->values, lower_case(*text)) == rule->values.end()) {
      std::string all;
      for (auto const& each : rule->values) all += (all.empty() ? "" : " or ") + std::string{each};
      at.fail("expected " + all + ", got " + at.got());
    } else if (!text->empty()) {
      web.headers.push_back({.name = std::string{rule->name}, .value = *text});
    }
  }

  static void read_users(yaml::Cursor const& at, WebFile& web) {
    yaml::Fields fields(at);
    if (!fields.is_mapping()) return;
    for (auto const& [name, value] : fields.all()) {
      if (name.starts_with("$2")) {  // it is shown nowhere, not here either
        at.fail("expected NAME: HASH, got a hash where a name belongs");
      } else if (name.empty() || name.find(':') != std::string::npos) {
        value.fail("expected a name, in which HTTP allows no colon");
      } else if (auto const hash = value.text("a bcrypt hash")) {
        read_user(name, *hash, value, web);
      }
    }
  }

  static void read_user(std::string const& name, std::string const& hash, yaml::Cursor const& at,
                        WebFile& web) {
    if (!is_bcrypt(hash)) {
      at.fail("expected a bcrypt hash ($2y$..., $2b$... or $2a$...), as `htpasswd -nBC 10 " + name +
              "` prints it; what stands there is not shown");
    } else if (int const cost = bcrypt_cost(hash);
               cost < kLeastBcryptCost || cost > kMostBcryptCost) {
      at.fail("expected a cost of " + std::to_string(kLeastBcryptCost) + " to " +
              std::to_string(kMostBcryptCost) + ", got " + std::to_string(cost) +
              ": a check of the password would take minutes, or nothing");
    } else {
      web.users.push_back({.name = name, .hash = hash});
    }
  }

  path folder_;
  Problems& problems_;
};

}  // namespace

int bcrypt_cost(std::string const& hash) {
  return (hash.at(kCostAt) - '0') * 10 + (hash.at(kCostAt + 1) - '0');
}

Result<WebFile, std::vector<Problem>> read_web_file(path const& file) {
  Problems problems;
  auto const root = yaml::parse_file(file, problems);
  if (!root) return problems.take();
  yaml::Cursor const top(*root, file.string(), problems);
  WebFile web = WebReader{file, problems}.read(top);
  if (!problems.empty()) return problems.take();
  return web;
}

}  // namespace canary::config
