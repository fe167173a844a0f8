// SPDX-License-Identifier: Apache-2.0
// Builds the JSON of each role as text and signs its canonical form.
// Thread: none.
#include "probes/tuf/authoring.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <utility>

#include "probes/tuf/canonical_json.h"
#include "probes/tuf/delegation.h"
#include "probes/tuf/digest.h"
#include "probes/tuf/parse.h"
#include "probes/tuf/role_name.h"

namespace canary::tuf {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

template <class Items, class Text>
std::string join(Items const& items, Text text) {
  std::string joined;
  for (auto const& item : items) {
    if (!joined.empty()) joined += ',';
    joined += text(item);
  }
  return joined;
}

std::string array(std::vector<std::string> const& texts) {
  return "[" + join(texts, [](std::string const& text) { return json_quote(text); }) + "]";
}

std::string common(std::string_view type, std::uint64_t version, Time expires) {
  return R"("_type":)" + json_quote(type) + R"(,"expires":)" + json_quote(expires_text(expires)) +
         R"(,"spec_version":"1.0.34","version":)" + std::to_string(version);
}

std::string keys_json(std::vector<Signers const*> const& roles) {
  std::map<std::string, std::string> keys;
  for (Signers const* role : roles) {
    for (SigningKey const& key : role->keys) keys.emplace(key.id(), key.public_json());
  }
  return "{" +
         join(keys, [](auto const& key) { return json_quote(key.first) + ":" + key.second; }) + "}";
}

// `"keyids":[…],"threshold":1`
std::string signers_json(Signers const& signers) {
  return R"("keyids":[)" +
         join(signers.keys, [](SigningKey const& key) { return json_quote(key.id()); }) +
         R"(],"threshold":)" + std::to_string(signers.threshold);
}

std::string hashes_json(std::string_view bytes, bool sha512) {
  std::string hashes = R"({"sha256":")" + sha256_hex(bytes) + "\"";
  if (sha512) hashes += R"(,"sha512":")" + sha512_hex(bytes) + "\"";
  return hashes + "}";
}

std::string listed_json(ListedFile const& file) {
  std::string object = "{";
  if (!file.bytes.empty() && file.hashes) {
    object += R"("hashes":)" + hashes_json(file.bytes, false) + ",";
  }
  if (!file.bytes.empty() && file.length) {
    object += R"("length":)" + std::to_string(file.bytes.size()) + ",";
  }
  return object + R"("version":)" + std::to_string(file.version) + "}";
}

std::string delegation_json(DelegationSpec const& role) {
  std::string const which = role.path_hash_prefixes.empty()
                                ? R"("paths":)" + array(role.paths)
                                : R"("path_hash_prefixes":)" + array(role.path_hash_prefixes);
  return R"({"name":)" + json_quote(role.name) + "," + signers_json(role.signers) + "," + which +
         R"(,"terminating":)" + (role.terminating ? "true" : "false") + "}";
}

std::string delegations_json(TargetsSpec const& targets) {
  if (targets.succinct) {
    SuccinctSpec const& succinct = *targets.succinct;
    return R"({"keys":)" + keys_json({&succinct.signers}) + R"(,"succinct_roles":{"bit_length":)" +
           std::to_string(succinct.bit_length) + R"(,"name_prefix":)" +
           json_quote(succinct.name_prefix) + "," + signers_json(succinct.signers) + "}}";
  }
  std::vector<Signers const*> signers;
  signers.reserve(targets.delegations.size());
  for (DelegationSpec const& role : targets.delegations) signers.push_back(&role.signers);
  return R"({"keys":)" + keys_json(signers) + R"(,"roles":[)" +
         join(targets.delegations, delegation_json) + "]}";
}

std::vector<SigningKey> const& signing(Signers const& signers) {
  return signers.signing ? *signers.signing : signers.keys;
}

// Publishes the targets role and everything below it; collects what the snapshot lists.
class Publisher {
 public:
  Publisher(Repository const& repository, Published& out) : repository_(repository), out_(out) {}

  void publish_targets();
  void publish_rest();

 private:
  bool consistent() const { return repository_.roots.back().consistent_snapshot; }
  void collect(TargetsSpec const& targets);
  void collect(std::string const& role, Signers const& signers);
  TargetsSpec spec_of(std::string const& role) const;
  void put_role(std::string const& role, TargetsSpec const& spec,
                std::vector<SigningKey> const& keys);
  void put_metadata(std::string const& role, std::uint64_t version, std::string bytes);
  void put_target(std::string const& path, std::string const& content);

  Repository const& repository_;
  Published& out_;
  std::map<std::string, std::vector<SigningKey>> signers_;               // by delegated role
  std::map<std::string, std::pair<std::uint64_t, std::string>> listed_;  // version and bytes
};

void Publisher::collect(std::string const& role, Signers const& signers) {
  bool const fresh = !signers_.contains(role);
  std::vector<SigningKey>& keys = signers_[role];
  for (SigningKey const& key : signing(signers)) {
    bool const known = std::any_of(keys.begin(), keys.end(),
                                   [&](SigningKey const& other) { return other.id() == key.id(); });
    if (!known) keys.push_back(key);
  }
  auto const spec = repository_.delegated.find(role);
  if (fresh && spec != repository_.delegated.end()) collect(spec->second);
}

void Publisher::collect(TargetsSpec const& targets) {
  for (DelegationSpec const& role : targets.delegations) collect(role.name, role.signers);
  if (!targets.succinct) return;
  SuccinctRoles roles;
  roles.bit_length = targets.succinct->bit_length;
  roles.name_prefix = targets.succinct->name_prefix;
  for (std::uint64_t bin = 0; bin < roles.count(); ++bin) {
    collect(bin_name(roles, bin), targets.succinct->signers);
  }
}

TargetsSpec Publisher::spec_of(std::string const& role) const {
  auto const at = repository_.delegated.find(role);
  if (at != repository_.delegated.end()) return at->second;
  TargetsSpec empty;
  empty.version = repository_.targets.version;
  empty.expires = repository_.targets.expires;
  return empty;
}

void Publisher::put_metadata(std::string const& role, std::uint64_t version, std::string bytes) {
  std::optional<std::uint64_t> const prefix =
      consistent() ? std::optional<std::uint64_t>(version) : std::nullopt;
  out_.metadata.insert_or_assign(metadata_file(role, prefix), std::move(bytes));
}

void Publisher::put_target(std::string const& path, std::string const& content) {
  if (!consistent()) {
    out_.targets.insert_or_assign(path, content);
    return;
  }
  out_.targets.insert_or_assign(target_file_path(path, sha256_hex(content)), content);
  if (repository_.list_sha512) {
    out_.targets.insert_or_assign(target_file_path(path, sha512_hex(content)), content);
  }
}

void Publisher::put_role(std::string const& role, TargetsSpec const& spec,
                         std::vector<SigningKey> const& keys) {
  std::string bytes = sign_metadata(targets_json(spec, repository_.list_sha512), keys);
  listed_.emplace(role + ".json", std::pair(spec.version, bytes));
  put_metadata(role, spec.version, std::move(bytes));
  for (auto const& [path, content] : spec.files) put_target(path, content);
}

void Publisher::publish_targets() {
  put_role("targets", repository_.targets, signing(repository_.roots.back().targets));
  collect(repository_.targets);
  for (auto const& [role, keys] : signers_) put_role(role, spec_of(role), keys);
}

void Publisher::publish_rest() {
  RootSpec const& root = repository_.roots.back();
  std::vector<ListedFile> files;
  files.reserve(listed_.size());
  for (auto const& [name, file] : listed_) {
    files.push_back(
        {name, file.first, file.second, repository_.list_lengths, repository_.list_hashes});
  }
  std::string snapshot =
      sign_metadata(snapshot_json(repository_.snapshot, files), signing(root.snapshot));
  ListedFile const listed{"snapshot.json", repository_.snapshot.version, snapshot,
                          repository_.list_lengths, repository_.list_hashes};
  out_.metadata.insert_or_assign(
      "timestamp.json",
      sign_metadata(timestamp_json(repository_.timestamp, listed), signing(root.timestamp)));
  put_metadata("snapshot", repository_.snapshot.version, std::move(snapshot));
}

}  // namespace

std::string json_quote(std::string_view text) {
  std::string quoted = "\"";
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.append({'\\', c});
    } else if (byte < 0x20) {
      quoted.append("\\u00").append({kDigits[byte >> 4U], kDigits[byte & 15U]});
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string root_json(RootSpec const& root) {
  auto const role = [](Signers const& signers) { return "{" + signers_json(signers) + "}"; };
  return "{" + common("root", root.version, root.expires) + R"(,"consistent_snapshot":)" +
         (root.consistent_snapshot ? "true" : "false") + R"(,"keys":)" +
         keys_json({&root.root, &root.timestamp, &root.snapshot, &root.targets}) +
         R"(,"roles":{"root":)" + role(root.root) + R"(,"snapshot":)" + role(root.snapshot) +
         R"(,"targets":)" + role(root.targets) + R"(,"timestamp":)" + role(root.timestamp) + "}}";
}

std::string targets_json(TargetsSpec const& targets, bool list_sha512) {
  std::string json = "{" + common("targets", targets.version, targets.expires);
  if (!targets.delegations.empty() || targets.succinct) {
    json += R"(,"delegations":)" + delegations_json(targets);
  }
  return json + R"(,"targets":{)" +
         join(targets.files,
              [&](auto const& file) {
                return json_quote(file.first) + R"(:{"hashes":)" +
                       hashes_json(file.second, list_sha512) + R"(,"length":)" +
                       std::to_string(file.second.size()) + "}";
              }) +
         "}}";
}

std::string timestamp_json(VersionSpec const& spec, ListedFile const& snapshot) {
  return "{" + common("timestamp", spec.version, spec.expires) + R"(,"meta":{)" +
         json_quote(snapshot.name) + ":" + listed_json(snapshot) + "}}";
}

std::string snapshot_json(VersionSpec const& spec, std::span<ListedFile const> files) {
  return "{" + common("snapshot", spec.version, spec.expires) + R"(,"meta":{)" +
         join(files,
              [](ListedFile const& file) {
                return json_quote(file.name) + ":" + listed_json(file);
              }) +
         "}}";
}

std::string sign_metadata(std::string_view signed_json, std::span<SigningKey const> keys) {
  auto const document = json::Document::parse(std::string(signed_json), "authored", {});
  auto const canonical = document ? canonical_json(document.value()->root(), "authored", "signed")
                                  : Result<std::string>(document.error());
  if (!canonical) {
    std::fprintf(stderr, "canaryd: authored metadata: %s\n", sentence(canonical.error()).c_str());
    std::abort();
  }
  return R"({"signatures":[)" +
         join(keys,
              [&](SigningKey const& key) {
                return R"({"keyid":)" + json_quote(key.id()) + R"(,"sig":")" +
                       key.sign(canonical.value()) + "\"}";
              }) +
         R"(],"signed":)" + std::string(signed_json) + "}";
}

std::string const& Published::root(std::uint64_t version) const {
  return metadata.at(metadata_file("root", version));
}

Repository a_repository(Time now) {
  Time const expires = now + std::chrono::days{365};
  auto const signers = [](std::string_view seed) { return Signers{{SigningKey::ed25519(seed)}}; };
  RootSpec root{.expires = expires,
                .root = signers("root"),
                .timestamp = signers("timestamp"),
                .snapshot = signers("snapshot"),
                .targets = signers("targets")};
  Repository repository{.roots = {std::move(root)},
                        .timestamp = {1, expires},
                        .snapshot = {1, expires},
                        .targets = {.expires = expires}};
  repository.targets.files = {{"hello.txt", "hello\n"}, {"dir/readme.txt", "read me\n"}};
  return repository;
}

RootSpec& add_root(Repository& repository) {
  RootSpec next = repository.roots.back();
  ++next.version;
  repository.roots.push_back(std::move(next));
  return repository.roots.back();
}

Published publish(Repository const& repository) {
  Published out;
  for (std::size_t i = 0; i < repository.roots.size(); ++i) {
    RootSpec const& root = repository.roots[i];
    std::vector<SigningKey> keys = signing(root.root);
    if (i > 0 && !root.root.signing) {
      for (SigningKey const& old : signing(repository.roots[i - 1].root)) {
        bool const known = std::any_of(keys.begin(), keys.end(),
                                       [&](SigningKey const& key) { return key.id() == old.id(); });
        if (!known) keys.push_back(old);
      }
    }
    out.metadata.insert_or_assign(metadata_file("root", root.version),
                                  sign_metadata(root_json(root), keys));
  }
  Publisher publisher(repository, out);
  publisher.publish_targets();
  publisher.publish_rest();
  return out;
}

}  // namespace canary::tuf
