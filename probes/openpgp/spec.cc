// SPDX-License-Identifier: Apache-2.0
// The fields of `openpgp:`.
// Thread: none (pure), but source_url().
#include "probes/openpgp/spec.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "config/fields.h"
#include "probes/openpgp/client_profiles.h"

namespace canary::openpgp {
namespace {

constexpr config::FieldVisitor::Most kMostSources{32, 4'096};
constexpr config::FieldVisitor::Most kMostSigners{64, 40};
constexpr config::FieldVisitor::Most kMostClients{32, 40};

std::string wrong_source(std::string const& text) {
  if (text.find("://") != std::string::npos) {
    auto const url = config::Url::parse(text);
    return url ? std::string{} : url.error();
  }
  if (text.starts_with("/") || text.starts_with("./") || text.starts_with("../")) return {};
  return "expected a URL or a file's absolute path, got \"" + text +
         "\" (a path from the working directory begins with ./)";
}

std::string wrong_signed(std::string const& text) {
  auto const [data, signature] = split_signed(text);
  if (auto wrong = wrong_source(data); !wrong.empty()) return wrong;
  return signature.empty() ? std::string{} : wrong_source(signature);
}

std::string wrong_signer(std::string const& text) {
  bool const hex = std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
  if (hex && (text.size() == 40 || text.size() == 16)) return {};
  return "expected a fingerprint (40 hexadecimal digits) or its last 16, got \"" + text + "\"";
}

std::string wrong_client(std::string const& text) {
  if (find_profile(text) != nullptr) return {};
  std::string known;
  for (auto const& profile : client_profiles()) {
    known += (known.empty() ? "" : ", ") + std::string{profile.name};
  }
  return "expected one of " + known + ", got \"" + text + "\"";
}

}  // namespace

SignedSource split_signed(std::string const& text) {
  auto const blank = text.find(' ');
  if (blank == std::string::npos) return {text, ""};
  auto const next = text.find_first_not_of(' ', blank);
  return {text.substr(0, blank), next == std::string::npos ? "" : text.substr(next)};
}

std::optional<config::Url> source_url(std::string const& source) {
  std::string text = source;
  if (source.find("://") == std::string::npos) {
    std::error_code error;
    auto const whole = std::filesystem::absolute(source, error).lexically_normal();
    if (error) return std::nullopt;
    text = "file://" + config::percent_encode(whole.string(), true);
  }
  auto url = config::Url::parse(text);
  if (!url) return std::nullopt;
  return std::move(url).value();
}

std::string Spec::shown(std::string const& source) {
  if (source.find("://") == std::string::npos) return source;
  auto const url = config::Url::parse(source);
  return url ? url.value().text() : std::string{"openpgp"};
}

std::string Spec::host() const {
  for (auto const* const sources : {&served, &keys, &signed_files}) {
    for (auto const& source : *sources) {
      auto const first = split_signed(source).data;
      auto const url = config::Url::parse(first);
      if (url && url.value().scheme() != config::Scheme::file) return url.value().origin();
    }
  }
  return "file://";
}

void describe_defaults(config::FieldVisitor& v, Spec& spec) {
  v.texts({"clients",
           "who uses the keys, and is to accept them: `apt-2`, `apt-3`, `sqv`, `el-7`, `el-8`, "
           "`el-9`, `rpm-4.19`, `rpm-6`"},
          spec.clients, kMostClients, wrong_client);
  v.size({"max_bytes", "of one file, read at most"}, spec.max_bytes, 1'024,
         std::uint64_t{64} << 20);
  v.section("expiry", [&] {
    describe_thresholds(v, spec.expiry,
                        {"less validity left than this, of a key that signs, is a warning. `up "
                         "to`: a third of its validity at most",
                         "likewise critical, `up to`: a sixth"});
  });
  v.section("refusal", [&] {
    describe_thresholds(v, spec.refusal,
                        {"a client that will refuse what is signed is a warning so long before",
                         "likewise critical"});
  });
}

void describe(config::FieldVisitor& v, Spec& spec) {
  v.texts({"keys",
           "the keys as clients have them: files (absolute paths) and URLs, binary or armoured, of "
           "one key or many"},
          spec.keys, kMostSources, wrong_source);
  v.texts(
      {"served",
       "the same keys as who begins today gets them, compared with `keys`: the documented URLs"},
      spec.served, kMostSources, wrong_source);
  v.texts({"signed",
           "files whose signatures are verified by `keys`: `FILE` where the signature stands in it "
           "(clearsigned, such as `InRelease`), or `FILE SIGNATURE`"},
          spec.signed_files, {16, 8'192}, wrong_signed);
  v.texts({"signers",
           "who signs: fingerprints, or their last 16 digits; the end of any of them is critical",
           "whose signatures `signed` files have; else every key of `keys` may"},
          spec.signers, kMostSigners, wrong_signer);
  v.require(!spec.keys.empty(), "keys", "field missing: expected keys, a list of files and URLs");
  describe_defaults(v, spec);
}

}  // namespace canary::openpgp
