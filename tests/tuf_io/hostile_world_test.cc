// SPDX-License-Identifier: Apache-2.0
// What an untrusted server can publish at the limits of every engine: each ends as a finding, and
// no handler of the loop uses more than 20 ms of CPU on the way. Prints how long each took at most.
#include <cstdio>
#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "probes/tuf/parse.h"
#include "tests/runtime/handler_meter.h"
#include "tests/support/sanitizer.h"
#include "tests/tuf_io/io_world.h"

namespace canary::tuf {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHandler{20};

constexpr int kMany = 100'000;

std::string repeat(int times, std::function<std::string(int)> const& each,
                   char const* between = ",") {
  std::string all;
  for (int i = 0; i < times; ++i) all.append(i == 0 ? "" : between).append(each(i));
  return all;
}

std::string number(int i) { return std::to_string(i); }

// `fields` follow what every role has.
std::string signed_json(std::string const& type, std::string const& fields, int version = 1) {
  return R"({"_type":")" + type + R"(","expires":")" + expires_text(kNow + kYear) +
         R"(","spec_version":"1.0.34","version":)" + number(version) + "," + fields + "}";
}

// A signed repository whose targets role is `targets`, byte by byte, beside `more` listed roles.
Published with_targets(std::string const& targets, std::string const& more = {}) {
  Repository const repository = a_repository(kNow);
  RootSpec const& root = repository.roots.back();
  Published published = publish(repository);
  std::string const snapshot =
      sign_metadata(signed_json("snapshot", R"("meta":{"targets.json":{"version":1})" + more + "}"),
                    root.snapshot.keys);
  published.metadata["1.targets.json"] = targets;
  published.metadata["1.snapshot.json"] = snapshot;
  published.metadata["timestamp.json"] = sign_metadata(
      timestamp_json(repository.timestamp, {"snapshot.json", 1}), root.timestamp.keys);
  return published;
}

Published with_signed_targets(std::string const& fields, std::string const& more = {}) {
  auto const keys = a_repository(kNow).roots.back().targets.keys;
  return with_targets(sign_metadata(signed_json("targets", fields), keys), more);
}

std::string const kKey = R"({"keytype":"ed25519","keyval":{"public":")" + std::string(64, 'a') +
                         R"("},"scheme":"ed25519"})";

// Delegations of one key, `roles` being what follows it.
std::string delegating(std::string const& roles) {
  return R"("targets":{},"delegations":{"keys":{"k":)" + kKey + "}," + roles + "}";
}

std::string role(std::string const& name, std::string const& paths) {
  return R"({"keyids":["k"],"name":")" + name + R"(","paths":[)" + paths +
         R"(],"terminating":false,"threshold":1})";
}

// An EC point costs a square root to decode.
std::string ec_key() {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed");
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(memory, key);
  char* data = nullptr;
  long const size = BIO_get_mem_data(memory, &data);
  std::string const pem(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  EVP_PKEY_free(key);
  return R"({"keytype":"ecdsa","keyval":{"public":)" + json_quote(pem) +
         R"(},"scheme":"ecdsa-sha2-nistp256"})";
}

// A public key of `bits` to which nobody has the private one: it costs as much.
std::string rsa_key(int bits) {
  BIGNUM* const modulus = BN_new();
  BIGNUM* const exponent = BN_new();
  BN_set_word(exponent, 65'537);
  BN_rand(modulus, bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
  OSSL_PARAM_BLD* const fields = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_BN(fields, "n", modulus);
  OSSL_PARAM_BLD_push_BN(fields, "e", exponent);
  OSSL_PARAM* const parameters = OSSL_PARAM_BLD_to_param(fields);
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr);
  EVP_PKEY* key = nullptr;
  EVP_PKEY_fromdata_init(context);
  EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
  BIO* const memory = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(memory, key);
  char* data = nullptr;
  long const size = BIO_get_mem_data(memory, &data);
  std::string const pem(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  EVP_PKEY_free(key);
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(fields);
  BN_free(exponent);
  BN_free(modulus);
  return R"({"keytype":"rsa","keyval":{"public":)" + json_quote(pem) +
         R"(},"scheme":"rsassa-pss-sha256"})";
}

std::string root_fields(std::string const& keys, std::string const& timestamp_role) {
  std::string const one = R"({"keyids":["0"],"threshold":1})";
  return R"("consistent_snapshot":true,"keys":{)" + keys + R"(},"roles":{"root":)" + one +
         R"(,"snapshot":)" + one + R"(,"targets":)" + one + R"(,"timestamp":)" + timestamp_role +
         "}";
}

// ---- What is published, each at the limit of something.

Published plain() { return publish(a_repository(kNow)); }

// Nobody signed it: it has to be refused before its keys have cost anything.
void root_of_many_keys(ProbeWorld& world) {
  std::string const key = ec_key();
  auto const entry = [&](int i) { return "\"" + number(i) + "\":" + key; };
  std::string const fields = root_fields(repeat(4'000, entry), R"({"keyids":["0"],"threshold":1})");
  world.server.serve("metadata/2.root.json",
                     R"({"signatures":[],"signed":)" + signed_json("root", fields, 2) + "}");
}

void root_of_many_key_ids(ProbeWorld& world) {
  auto const id = [](int i) { return "\"" + number(i) + "\""; };
  std::string const fields =
      root_fields("\"0\":" + kKey, R"({"keyids":[)" + repeat(kMany, id) + R"(],"threshold":1})");
  world.server.serve("metadata/2.root.json",
                     R"({"signatures":[],"signed":)" + signed_json("root", fields, 2) + "}");
}

// The root's owner signed it, and so large keys decide about the timestamp.
void large_rsa_keys(ProbeWorld& world) {
  constexpr int kKeys = 100;
  world.spec.limits.timestamp = 1U << 20;
  std::string const key = rsa_key(16'384);
  auto const entry = [&](int i) { return "\"" + number(i) + "\":" + key; };
  auto const id = [](int i) { return "\"" + number(i) + "\""; };
  SigningKey const owner = a_repository(kNow).roots[0].root.keys[0];
  std::string const timestamp = R"({"keyids":[)" + repeat(kKeys, id) + R"(],"threshold":1})";
  std::string const one = R"({"keyids":[")" + owner.id() + R"("],"threshold":1})";
  std::string const fields = R"("consistent_snapshot":true,"keys":{")" + owner.id() +
                             "\":" + owner.public_json() + "," + repeat(kKeys, entry) +
                             R"(},"roles":{"root":)" + one + R"(,"snapshot":)" + one +
                             R"(,"targets":)" + one + R"(,"timestamp":)" + timestamp + "}";
  world.server.serve("metadata/2.root.json",
                     sign_metadata(signed_json("root", fields, 2), std::vector{owner}));
  auto const signature = [](int i) {
    return R"({"keyid":")" + number(i) + R"(","sig":")" + std::string(4'096, '7') + "\"}";
  };
  std::string const meta = R"("meta":{"snapshot.json":{"version":1}})";
  world.server.serve("metadata/timestamp.json", R"({"signatures":[)" + repeat(kKeys, signature) +
                                                    R"(],"signed":)" +
                                                    signed_json("timestamp", meta) + "}");
}

void many_signatures(ProbeWorld& world) {
  auto const signature = [](int i) { return R"({"keyid":")" + number(i) + R"(","sig":"00"})"; };
  std::string const meta = R"("meta":{"snapshot.json":{"version":1}})";
  world.server.serve("metadata/timestamp.json", R"({"signatures":[)" + repeat(25'000, signature) +
                                                    R"(],"signed":)" +
                                                    signed_json("timestamp", meta) + "}");
}

void deep_json(ProbeWorld& world) {
  world.server.serve("metadata/timestamp.json", std::string(1'000'000, '['));
}

void many_roots(ProbeWorld& world) {
  Repository repository = a_repository(kNow);
  for (int i = 0; i < 300; ++i) add_root(repository);
  world.serve(publish(repository));
}

void many_targets(ProbeWorld& world) {
  auto const entry = [](int i) {
    return R"("path/to/a/target/)" + number(i) + R"(":{"hashes":{"sha256":")" +
           std::string(64, 'a') + R"("},"length":2})";
  };
  world.serve(with_signed_targets(R"("targets":{)" + repeat(kMany, entry) + "}"));
  world.spec.max_target_bytes = 1;
}

void many_listed_roles(ProbeWorld& world) {
  auto const entry = [](int i) { return ",\"role-" + number(i) + R"(.json":{"version":1})"; };
  world.serve(with_signed_targets(R"("targets":{})", repeat(kMany, entry, "")));
}

void many_delegated_roles(ProbeWorld& world) {
  auto const each = [](int i) { return role("role-" + number(i), "\"*\""); };
  world.serve(with_signed_targets(delegating(R"("roles":[)" + repeat(60'000, each) + "]")));
}

void many_patterns(ProbeWorld& world) {
  std::string const tail(50, 'a');
  auto const pattern = [&](int i) { return "\"*" + tail + "b" + number(i) + "\""; };
  std::string const roles = R"("roles":[)" + role("d", repeat(20'000, pattern)) + "]";
  world.serve(with_signed_targets(delegating(roles), R"(,"d.json":{"version":1})"));
  world.spec.targets.kind = config::Selection::Kind::names;
  for (int i = 0; i < 3; ++i) {
    world.spec.targets.names.push_back(std::string(200, 'a') + number(i));
  }
}

void endless_pattern(ProbeWorld& world) {
  std::string const pattern = "\"*" + std::string(100'000, 'a') + "b\"";
  std::string const roles = R"("roles":[)" + role("d", pattern) + "]";
  world.serve(with_signed_targets(delegating(roles), R"(,"d.json":{"version":1})"));
  world.spec.targets.kind = config::Selection::Kind::names;
  world.spec.targets.names = {std::string(100'000, 'a')};
}

void long_role_names(ProbeWorld& world) {
  std::string const name(1'000'000, 'n');
  auto const each = [&](int i) { return role(name + number(i), "\"*\""); };
  auto const listed = [&](int i) { return ",\"" + name + number(i) + R"(.json":{"version":1})"; };
  std::string const roles = R"("roles":[)" + repeat(5, each) + "]";
  world.serve(with_signed_targets(delegating(roles), repeat(5, listed, "")));
}

void long_target_names(ProbeWorld& world) {
  std::string const name(1'000'000, '%');
  auto const entry = [&](int i) {
    return "\"" + name + number(i) + R"(":{"hashes":{"sha256":")" + std::string(64, 'a') +
           R"("},"length":2})";
  };
  world.serve(with_signed_targets(R"("targets":{)" + repeat(5, entry) + "}"));
}

void sparse_bins(ProbeWorld& world) {
  world.serve(with_signed_targets(delegating(
      R"("succinct_roles":{"bit_length":32,"keyids":["k"],"name_prefix":"bin","threshold":1})")));
}

void sparse_bins_with_a_small_limit(ProbeWorld& world) {
  sparse_bins(world);
  world.spec.limits.delegated_roles = 10;
}

// Every role of a layer delegates to every role of the next.
void diamonds(ProbeWorld& world) {
  constexpr int kLayers = 12;
  constexpr int kWidth = 12;
  Repository repository = a_repository(kNow);
  Signers const signers{{SigningKey::ed25519("diamond")}};
  auto const name = [](int layer, int i) { return number(layer) + "-" + number(i); };
  std::vector<DelegationSpec> next;
  for (int layer = kLayers; layer > 0; --layer) {
    for (int i = 0; i < kWidth; ++i) {
      repository.delegated[name(layer, i)] = {.expires = kNow + kYear, .delegations = next};
    }
    next.clear();
    for (int i = 0; i < kWidth; ++i) {
      next.push_back({.name = name(layer, i), .signers = signers, .paths = {"*"}});
    }
  }
  repository.targets.delegations = next;
  world.serve(publish(repository));
}

void large_body(ProbeWorld& world) {
  auto const keys = a_repository(kNow).roots.back().targets.keys;
  std::string const targets = sign_metadata(signed_json("targets", R"("targets":{})"), keys);
  world.serve(with_targets(targets + std::string(32U << 20U, ' ')));
}

struct Attack {
  char const* name;
  void (*publish)(ProbeWorld& world);
  char const* found;  // among what is not ok
};

class HostileWorld : public testing::TestWithParam<Attack> {};

TEST_P(HostileWorld, EndsAsAFindingAndHoldsTheLoopForNoLongerThanAHandlerMay) {
  if (support::kSanitizer && GetParam().publish == many_patterns) {
    GTEST_SKIP() << "so many steps of matching take a sanitizer minutes";
  }
  ProbeWorld world{plain()};
  GetParam().publish(world);
  auto const begun = runtime::Clock::now();
  runtime::HandlerMeter const meter;
  probes::Report const report = world.run();
  milliseconds const longest = std::chrono::ceil<milliseconds>(meter.longest());
  auto const took = std::chrono::ceil<milliseconds>(runtime::Clock::now() - begun);
  std::printf("hostile world: %-32s longest handler %3d ms, run %6d ms\n", GetParam().name,
              int(longest.count()), int(took.count()));
  EXPECT_NE(bad(report).find(GetParam().found), std::string::npos) << bad(report).substr(0, 2'000);
  EXPECT_LE(report.findings.size(), 300U);
  if (!support::kSanitizer) EXPECT_LE(longest, kHandler);
}

INSTANTIATE_TEST_SUITE_P(
    Attacks, HostileWorld,
    testing::Values(Attack{"root_of_many_keys", root_of_many_keys, "root_chain root"},
                    Attack{"root_of_many_key_ids", root_of_many_key_ids, "root_chain root"},
                    Attack{"large_rsa_keys", large_rsa_keys, "signatures timestamp"},
                    Attack{"many_signatures", many_signatures, "timestamp"},
                    Attack{"deep_json", deep_json, "metadata timestamp"},
                    Attack{"many_roots", many_roots, "warning root_chain root (size_limit)"},
                    Attack{"many_targets", many_targets, "unknown targets path/to/a/target/0, "},
                    Attack{"many_listed_roles", many_listed_roles, ""},
                    Attack{"many_delegated_roles", many_delegated_roles,
                           "unknown delegations targets"},
                    Attack{"many_patterns", many_patterns, "unknown targets"},
                    Attack{"endless_pattern", endless_pattern, "unknown targets"},
                    Attack{"long_role_names", long_role_names, "unknown delegations nnn"},
                    Attack{"long_target_names", long_target_names, "unknown targets %%%"},
                    Attack{"sparse_bins", sparse_bins, "unknown delegations targets (size_limit)"},
                    Attack{"sparse_bins_with_a_small_limit", sparse_bins_with_a_small_limit,
                           "unknown delegations targets (size_limit)"},
                    Attack{"diamonds", diamonds, ""}, Attack{"large_body", large_body, ""}),
    [](testing::TestParamInfo<Attack> const& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace canary::tuf
