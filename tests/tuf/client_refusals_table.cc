// SPDX-License-Identifier: Apache-2.0
#include "tests/tuf/client_refusals_table.h"

#include <cstdio>
#include <cstdlib>

#include "probes/tuf/digest.h"
#include "tests/tuf/worlds.h"

namespace canary::tuf {
namespace {

constexpr Time kBegin = std::chrono::sys_days{std::chrono::year{2036} / 1 / 1};

// One piece of text for another; a row whose text is not there is a mistake.
std::string with(std::string text, std::string const& what, std::string const& by) {
  std::size_t const at = text.find(what);
  if (at == std::string::npos) {
    std::fprintf(stderr, "no %s in %s\n", what.c_str(), text.c_str());
    std::abort();
  }
  return text.replace(at, what.size(), by);
}

std::string without(std::string text, std::string const& what) {
  return with(std::move(text), what, "");
}

RootSpec root_spec() { return a_repository(kBegin).roots[0]; }
std::string a_root() { return root_json(root_spec()); }
std::string a_timestamp() {
  return timestamp_json({1, kBegin + kYear}, {"snapshot.json", 1, "bytes"});
}
std::string a_snapshot() {
  return snapshot_json({1, kBegin + kYear}, std::vector<ListedFile>{{"targets.json", 1, "bytes"}});
}
Signers delegated() { return {{SigningKey::ed25519("delegated")}}; }
std::string a_targets() {
  TargetsSpec spec{.expires = kBegin + kYear, .files = {{"a.txt", "a"}}};
  spec.delegations = {{"apps", delegated(), {"apps/*"}}};
  return targets_json(spec);
}
std::string a_role(std::string const& role) {
  if (role == "root") return a_root();
  if (role == "timestamp") return a_timestamp();
  return role == "snapshot" ? a_snapshot() : a_targets();
}

SigningKey signer(std::string const& role) { return SigningKey::ed25519(role); }

std::string key_object(std::string const& type, std::string const& scheme,
                       std::string const& text) {
  return R"({"keytype":)" + json_quote(type) + R"(,"keyval":{"public":)" + json_quote(text) +
         R"(},"scheme":)" + json_quote(scheme) + "}";
}
std::string id_of(std::string const& object) {
  auto const document = json::Document::parse(object, "key", {});
  return key_id(document.value()->root(), "key").value();
}

class Table {
 public:
  // `clients`: what python-tuf, go-tuf and tough do, 't' for takes and 'R' for refuses.
  void add(std::string const& name, std::string const& role, std::string const& clients,
           std::string canaryd, std::string const& signed_json) {
    add_file(name, role, clients, std::move(canaryd),
             sign_metadata(signed_json, std::vector{signer(role)}));
  }
  void add_file(std::string const& name, std::string const& role, std::string const& clients,
                std::string canaryd, std::string file) {
    std::string const root = sign_metadata(a_root(), std::vector{signer("root")});
    add_case({name, role, {}, {}, {}, std::move(canaryd), std::move(file), root}, clients);
  }
  void add_case(RefusalCase test, std::string const& clients) {
    auto const verdict = [&](std::size_t at) { return clients[at] == 't' ? kTakes : kRefuses; };
    test.python = verdict(0);
    test.go = verdict(1);
    test.tough = verdict(2);
    cases_.push_back(std::move(test));
  }
  // The same oddity in every role.
  void add_to_all(std::string const& name, std::string const& clients, std::string const& canaryd,
                  std::string const& what, std::string const& by) {
    for (std::string const role : {"root", "timestamp", "snapshot", "targets"}) {
      add(role + "-" + name, role, clients, canaryd, with(a_role(role), what, by));
    }
  }
  // A key in a root that no role names.
  void add_key(std::string const& name, std::string const& clients, std::string const& canaryd,
               std::string const& object, std::string id = {}) {
    if (id.empty()) id = id_of(object);
    add("root-" + name, "root", clients, canaryd,
        with(a_root(), R"("keys":{)", R"("keys":{)" + json_quote(id) + ":" + object + ","));
  }
  // A timestamp that only this key signed.
  void add_signer(std::string const& name, std::string const& clients, std::string const& canaryd,
                  SigningKey const& key) {
    RootSpec root = root_spec();
    root.timestamp = {{key}};
    add_case({"signed-" + name,
              "timestamp",
              {},
              {},
              {},
              canaryd,
              sign_metadata(a_timestamp(), std::vector{key}),
              sign_metadata(root_json(root), std::vector{signer("root")})},
             clients);
  }

  std::vector<RefusalCase> take() { return std::move(cases_); }

 private:
  std::vector<RefusalCase> cases_;
};

void add_common(Table& table) {
  std::string const version = R"("version":1)";
  for (std::string const role : {"root", "timestamp", "snapshot", "targets"}) {
    table.add(role + "-good", role, "ttt", "takes", a_role(role));
    auto const expiring = [&](std::string const& text) {
      std::string const date = R"("expires":")";
      std::string json = a_role(role);
      std::size_t const at = json.find(date) + date.size();
      return json.replace(at, json.find('"', at) - at, text);
    };
    table.add(role + "-expires-fraction", role, "Rtt", "expires_format",
              expiring("2037-01-01T00:00:00.123Z"));
    table.add(role + "-expires-fraction-zero", role, "RRt", "expires_format",
              expiring("2037-01-01T00:00:00.120Z"));
    table.add(role + "-expires-offset", role, "RtR", "expires_format",
              expiring("2037-01-01T06:00:00+06:00"));
    table.add(role + "-expires-offset-zero", role, "RRR", "expires_format",
              expiring("2037-01-01T00:00:00+00:00"));
    std::string const file = sign_metadata(a_role(role), std::vector{signer(role)});
    auto const signature = [&](std::string const& entry) {
      return with(file, R"("signatures":[)", R"("signatures":[)" + entry + ",");
    };
    table.add_file(role + "-signature-no-hex", role, "tRR", "signature_not_hex",
                   signature(R"({"keyid":"ab","sig":"zz"})"));
    table.add_file(role + "-signature-odd", role, "tRR", "signature_not_hex",
                   signature(R"({"keyid":"ab","sig":"abc"})"));
    table.add_file(role + "-signature-empty", role, "ttt", "takes",
                   signature(R"({"keyid":"ab","sig":""})"));
    table.add_file(role + "-signature-field", role, "ttt", "takes",
                   signature(R"({"keyid":"ab","method":"x","sig":"00"})"));
    table.add_file(role + "-keyid-no-hex", role, "ttR", "keyid_not_hex",
                   signature(R"({"keyid":"zz","sig":"00"})"));
    table.add_file(role + "-signature-twice", role, "RRR", "refuses duplicate_signature",
                   signature(R"({"keyid":"ab","sig":"00"},{"keyid":"ab","sig":"01"})"));
    table.add_file(role + "-envelope-field", role, "ttt", "takes",
                   with(file, R"("signed":)", R"("x":1,"signed":)"));
  }
  table.add_to_all("spec-short", "ttt", "takes", "1.0.34", "1.0");
  table.add_to_all("spec-pre", "Rtt", "refuses spec_version", "1.0.34", "1.0.34-rc1");
  table.add_to_all("spec-two", "Rtt", "refuses spec_version", "1.0.34", "2.0.0");
  table.add_to_all("version-large", "tRt", "large_number", R"("1.0.34","version":1)",
                   R"("1.0.34","version":9223372036854775808)");
  table.add_to_all("unknown-field", "ttt", "takes", version,
                   R"("x":{"a":[1,"b",null]},"version":1)");
  table.add_to_all("unknown-large", "tRt", "large_number", version,
                   R"("x":9007199254740993,"version":1)");
  table.add_to_all("unknown-minus-zero", "tRR", "large_number", version, R"("x":-0,"version":1)");
  table.add_to_all("text-not-normalised", "ttR", "text_not_normalised", version,
                   "\"x\":\"e\xCC\x81\",\"version\":1");
  std::string const deep = std::string(124, '[') + std::string(124, ']');
  std::string const deeper = std::string(126, '[') + std::string(126, ']');
  table.add_to_all("levels-126", "ttt", "takes", version, R"("x":)" + deep + R"(,"version":1)");
  table.add_to_all("levels-128", "ttR", "deep", version, R"("x":)" + deeper + R"(,"version":1)");
}

void add_root(Table& table) {
  std::string const ids = R"("keyids":[)";
  std::string const timestamp = json_quote(signer("timestamp").id());
  table.add("root-no-consistent-snapshot", "root", "tRR", "consistent_snapshot_missing",
            without(a_root(), R"("consistent_snapshot":true,)"));
  table.add("root-fifth-role", "root", "RtR", "extra_role",
            with(a_root(), R"("roles":{)",
                 R"("roles":{"mirrors":{"keyids":[)" + timestamp + R"(],"threshold":1},)"));
  table.add("root-keyid-twice", "root", "Rtt", "key_listed_twice",
            with(a_root(), ids + json_quote(signer("root").id()),
                 ids + json_quote(signer("root").id()) + "," + json_quote(signer("root").id())));
  table.add("root-keyid-without-key", "root", "tRt", "key_missing",
            with(a_root(), ids, ids + json_quote(std::string(64, 'a')) + ","));
  table.add("root-role-keyid-no-hex", "root", "ttR", "keyid_not_hex",
            with(a_root(), ids + timestamp, ids + R"("zz",)" + timestamp));
  table.add("root-threshold-large", "root", "tRt", "large_number",
            with(a_root(), ids + timestamp + R"(],"threshold":1)",
                 ids + timestamp + R"(],"threshold":9223372036854775808)"));
  table.add("root-role-field", "root", "ttt", "takes",
            with(a_root(), R"("threshold":1)", R"("x":"y","threshold":1)"));
}

void add_keys(Table& table) {
  std::string const good = SigningKey::ed25519("more").public_json();
  std::string const text = good.substr(good.find(R"("public":")") + 10, 64);
  table.add_key("key-field", "ttt", "takes",
                with(good, R"("scheme")", R"("keyid_hash_algorithms":["sha256"],"scheme")"));
  table.add_key("key-private", "ttt", "takes",
                with(good, R"("public")", R"("private":"","public")"));
  table.add_key("key-id-other", "ttR", "keyid_mismatch", good, std::string(64, 'a'));
  table.add_key("key-id-no-hex", "ttR", "keyid_mismatch keyid_not_hex", good, "my key");
  table.add_key("key-type-unknown", "RtR", "key_unsupported",
                key_object("sphincs", "sphincs-shake-128s", "00"));
  table.add_key("key-scheme-unknown", "RtR", "key_unsupported",
                key_object("rsa", "rsa-of-tomorrow", "00"));
  table.add_key("key-type-of-another", "RtR", "key_unusable", key_object("rsa", "ed25519", text));
  table.add_key("key-short", "ttt", "key_unusable", key_object("ed25519", "ed25519", "abcd"));
  table.add_key("key-no-pem", "ttR", "key_unusable",
                key_object("rsa", "rsassa-pss-sha256", "hello"));
  table.add_key("key-without-public", "RRR", "key_unusable",
                R"({"keytype":"ed25519","keyval":{},"scheme":"ed25519"})");
}

// What each scheme's signatures are to each client.
void add_signers(Table& table) {
  struct Row {
    Scheme scheme;
    std::string clients;
  };
  for (Row const& row : {Row{Scheme::ed25519, "ttt"},
                         {Scheme::ecdsa_sha2_nistp224, "RRR"},
                         {Scheme::ecdsa_sha2_nistp256, "ttt"},
                         {Scheme::ecdsa_sha2_nistp384, "ttR"},
                         {Scheme::ecdsa_sha2_nistp521, "tRR"},
                         {Scheme::rsassa_pss_sha224, "RRR"},
                         {Scheme::rsassa_pss_sha256, "ttt"},
                         {Scheme::rsassa_pss_sha384, "tRR"},
                         {Scheme::rsassa_pss_sha512, "tRR"},
                         {Scheme::rsa_pkcs1v15_sha224, "RRR"},
                         {Scheme::rsa_pkcs1v15_sha256, "tRR"},
                         {Scheme::rsa_pkcs1v15_sha384, "tRR"},
                         {Scheme::rsa_pkcs1v15_sha512, "tRR"}}) {
    SigningKey const key = SigningKey::generate(row.scheme);
    // The oddity is the root's, which is where the key is.
    table.add_signer(std::string(name(row.scheme)), row.clients, "takes", key);
    if (row.clients == "ttt") continue;
    bool const file_refused = row.clients[0] == 'R';
    table.add_key("key-" + std::string(name(row.scheme)), file_refused ? "RtR" : "ttR",
                  "key_scheme", key.public_json());
  }
  SigningKey const p384 = SigningKey::generate(Scheme::ecdsa_sha2_nistp384);
  std::string const json = p384.public_json();
  table.add_signer("old-type-p384", "tRR", "takes",
                   p384.with_public_json(
                       with(json, R"("keytype":"ecdsa")", R"("keytype":"ecdsa-sha2-nistp384")")));
}

// `entry`: of snapshot.json or targets.json in the list of `role`.
void add_listing(Table& table, std::string const& role) {
  std::string const hash = R"({"sha256":")" + sha256_hex("bytes") + R"("})";
  std::string const upper = R"({"sha256":")" + std::string(64, 'A') + R"("})";
  std::string const length = R"("length":5)";
  auto const row = [&](std::string const& name, std::string const& clients,
                       std::string const& canaryd, std::string const& what, std::string const& by) {
    table.add(role + "-" + name, role, clients, canaryd, with(a_role(role), what, by));
  };
  row("length-zero", "tRt", "length_zero", length, R"("length":0)");
  row("length-large", "tRt", "large_number", length, R"("length":9223372036854775808)");
  row("no-length", "ttt", "takes", length + ",", "");
  row("no-hashes", "ttt", "takes", R"("hashes":)" + hash + ",", "");
  row("sha512-only", "ttR", "sha256_missing", hash,
      R"({"sha512":")" + std::string(128, 'a') + R"("})");
  row("md5-beside", "ttt", "hash_unknown", hash,
      with(hash, "}", R"(,"md5":")" + std::string(32, 'a') + R"("})"));
  row("hash-upper-case", "tRt", "hash_upper_case", hash, upper);
  row("hash-no-hex", "tRR", "hash_not_hex", hash, R"({"sha256":"zz"})");
  row("hashes-empty", "RRR", "refuses field_invalid", hash, "{}");
  row("entry-field", "ttt", "takes", length, length + R"(,"x":"y")");
}

void add_targets(Table& table) {
  std::string const hash = R"({"sha256":")" + sha256_hex("a") + R"("})";
  std::string const length = R"("length":1)";
  auto const row = [&](std::string const& name, std::string const& clients,
                       std::string const& canaryd, std::string const& what, std::string const& by) {
    table.add("targets-" + name, "targets", clients, canaryd, with(a_targets(), what, by));
  };
  auto const custom = [&](std::string const& name, std::string const& clients,
                          std::string const& canaryd, std::string const& value) {
    row("custom-" + name, clients, canaryd, length, R"("custom":)" + value + "," + length);
  };
  custom("object", "ttt", "takes", R"({"a":[1,{"b":"c"}]})");
  custom("empty", "ttR", "custom_empty", "{}");
  custom("text", "ttR", "custom_no_object", R"("x")");
  custom("list", "ttR", "custom_no_object", "[1]");
  custom("null", "tRR", "custom_no_object", "null");
  custom("large", "ttt", "takes", R"({"a":9007199254740993})");
  custom("huge", "tRR", "large_number", R"({"a":18446744073709551617})");
  row("field", "ttt", "takes", length, R"("x":"y",)" + length);
  auto const named = [&](std::string const& label, std::string const& clients,
                         std::string const& canaryd, std::string const& path) {
    row("name-" + label, clients, canaryd, R"("a.txt":)", json_quote(path) + ":");
  };
  named("empty", "ttR", "target_name_refused", "");
  named("dots", "ttR", "target_name_refused", "..");
  named("dot", "ttR", "target_name_refused", ".");
  named("resolves-to-nothing", "ttR", "target_name_refused", "a/..");
  named("above", "ttt", "takes", "../a");
  named("space-and-percent", "ttt", "takes", "a b%20c");
  row("length-zero", "ttt", "takes", length, R"("length":0)");
  row("length-large", "tRt", "large_number", length, R"("length":9223372036854775808)");
  row("sha512-only", "ttR", "sha256_missing", hash,
      R"({"sha512":")" + std::string(128, 'a') + R"("})");
  row("md5-beside", "ttt", "hash_unknown", hash,
      with(hash, "}", R"(,"md5":")" + std::string(32, 'a') + R"("})"));
  row("hash-upper-case", "tRt", "hash_upper_case", hash,
      R"({"sha256":")" + std::string(64, 'A') + R"("})");
  row("hash-no-hex", "tRR", "hash_not_hex", hash, R"({"sha256":"zz"})");
}

void add_delegations(Table& table) {
  std::string const name = R"("name":"apps")";
  std::string const paths = R"("paths":["apps/*"])";
  std::string const id = json_quote(delegated().keys[0].id());
  auto const row = [&](std::string const& label, std::string const& clients,
                       std::string const& canaryd, std::string const& what, std::string const& by) {
    table.add("targets-" + label, "targets", clients, canaryd, with(a_targets(), what, by));
  };
  row("delegations-field", "ttR", "delegation_extra", R"("delegations":{)",
      R"("delegations":{"x":"y",)");
  row("delegation-field", "ttR", "delegation_extra", name, R"("x":"y",)" + name);
  row("paths-empty", "ttt", "takes", paths, R"("paths":[])");
  row("prefixes", "ttt", "takes", paths, R"("path_hash_prefixes":["0","ab"])");
  row("paths-and-prefixes", "RRR", "refuses field_invalid", paths,
      paths + R"(,"path_hash_prefixes":["0"])");
  row("no-paths", "RtR", "refuses field_missing", paths + ",", "");
  row("pattern-open-class", "ttR", "pattern_refused", "apps/*", "apps/[");
  row("pattern-open-brace", "ttR", "pattern_refused", "apps/*", "apps/{a");
  row("pattern-class", "ttt", "takes", "apps/*", "apps/[!a-z]");
  row("pattern-braces", "ttt", "takes", "apps/*", "apps/{a,b}");
  row("pattern-range-backwards", "ttR", "pattern_refused", "apps/*", "apps/[z-a]");
  row("no-terminating", "RRR", "refuses field_missing", R"(,"terminating":false)", "");
  row("keyid-twice", "Rtt", "key_listed_twice", R"("keyids":[)" + id,
      R"("keyids":[)" + id + "," + id);
  row("delegation-keyid-no-hex", "ttR", "keyid_not_hex", R"("keyids":[)" + id,
      R"("keyids":["zz",)" + id);
  row("delegation-called-root", "Rtt", "refuses field_invalid", name, R"("name":"root")");
  TargetsSpec spec{.expires = kBegin + kYear};
  spec.succinct = SuccinctSpec{delegated(), 4, "bin"};
  table.add("targets-succinct", "targets", "ttR", "succinct_roles", targets_json(spec));
  table.add("targets-bits-33", "targets", "RRR", "refuses field_invalid",
            with(targets_json(spec), R"("bit_length":4)", R"("bit_length":33)"));
  TargetsSpec twice{.expires = kBegin + kYear};
  twice.delegations = {{"apps", delegated(), {"a"}}, {"apps", delegated(), {"b"}}};
  table.add("targets-role-twice", "targets", "Rtt", "refuses field_invalid", targets_json(twice));
}

// Bytes that canonical JSON does not tell apart, or can't hold.
void add_bytes(Table& table) {
  std::string const json = a_timestamp();
  std::string const file = sign_metadata(json, std::vector{signer("timestamp")});
  std::string const version = R"("1.0.34","version":1)";
  table.add_file("bytes-twice", "timestamp", "ttR", "refuses json_duplicate_key",
                 with(file, version, R"("1.0.34","version":7,"version":1)"));
  table.add_file("bytes-order-mark", "timestamp", "RRR", "refuses json_bom", "\xEF\xBB\xBF" + file);
  table.add_file("bytes-more", "timestamp", "RRR", "refuses json_trailing_bytes", file + "x");
  table.add_file("bytes-space", "timestamp", "ttt", "takes", file + " \n");
  table.add_file("bytes-fraction", "timestamp", "RRR", "refuses field_invalid",
                 with(file, version, R"("1.0.34","version":1.0)"));
  table.add("timestamp-second-entry", "timestamp", "RtR", "extra_entry",
            with(json, R"("meta":{)", R"("meta":{"x.json":{"version":1},)"));
  table.add("snapshot-root-entry", "snapshot", "ttt", "takes",
            with(a_snapshot(), R"("meta":{)", R"("meta":{"root.json":{"version":1},)"));
}

std::vector<RefusalCase> make_cases() {
  Table table;
  add_common(table);
  add_root(table);
  add_keys(table);
  add_signers(table);
  add_listing(table, "timestamp");
  add_listing(table, "snapshot");
  add_targets(table);
  add_delegations(table);
  add_bytes(table);
  return table.take();
}

}  // namespace

std::vector<RefusalCase> const& refusal_cases() {
  static std::vector<RefusalCase> const cases = make_cases();
  return cases;
}

}  // namespace canary::tuf
