// SPDX-License-Identifier: Apache-2.0
// What librnp says of a key, and where it says less than is wanted, what the self-signatures say:
// of a primary key that signs itself directly, without an end, librnp forgets the end that the
// signature on its user ID gives (Debian's own archive keys are of this form). Ends and uses are
// settled as GnuPG does.
#include "probes/openpgp/read_key.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include <boost/json.hpp>

namespace canary::openpgp {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr unsigned kMaySign = 2;  // of key flags
constexpr int kKeyLifetime = 9, kKeyFlags = 27, kEmbedded = 32;

// The number of that name; nothing where there is none.
std::optional<std::int64_t> number_in(json::object const& object, std::string_view name) {
  auto const* const value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

std::string text_in(json::value const& value, std::string_view name) {
  auto const* const object = value.if_object();
  auto const* const text = object == nullptr ? nullptr : object->if_contains(name);
  return text != nullptr && text->is_string() ? std::string{text->get_string()} : std::string{};
}

// librnp has no other way to a signature's subpackets.
void read_subpacket(json::object const& subpacket, SelfSignature& into) {
  auto const type = number_in(subpacket, "type");
  auto const* const hashed = subpacket.if_contains("hashed");
  if (type == kEmbedded) {
    auto const* const inner = subpacket.if_contains("signature");
    if (inner != nullptr) into.back_hash = text_in(*inner, "hash algorithm.str");
    return;
  }
  if (hashed == nullptr || *hashed != true) return;
  if (type == kKeyLifetime) {
    auto const value = number_in(subpacket, "key expiration");
    if (value && *value > 0) into.key_lifetime = seconds{*value};
  } else if (type == kKeyFlags) {
    auto const value = number_in(subpacket, "flags");
    if (value) into.key_flags = static_cast<unsigned>(*value);
  }
}

void read_subpackets(rnp_signature_handle_t handle, SelfSignature& into) {
  char* text = nullptr;
  if (rnp().signature_packet_to_json(handle, 0, &text) != RNP_SUCCESS || text == nullptr) return;
  boost::system::error_code error;
  json::value const whole = json::parse(text, error);
  rnp().buffer_destroy(text);
  auto const* const packets = error ? nullptr : whole.if_array();
  if (packets == nullptr || packets->empty() || !packets->front().is_object()) return;
  auto const* const subpackets = packets->front().get_object().if_contains("subpackets");
  if (subpackets == nullptr || !subpackets->is_array()) return;
  for (json::value const& each : subpackets->get_array()) {
    if (each.is_object()) read_subpacket(each.get_object(), into);
  }
}

// Where it is right, which is counted; revocations are told of by themselves.
void add_signature(rnp_signature_handle_t handle, std::optional<std::size_t> user,
                   std::vector<SelfSignature>& into, std::size_t& right) {
  if (rnp().signature_is_valid(handle, 0) != RNP_SUCCESS) return;
  ++right;
  std::string const type = text_of(rnp().signature_get_type, handle);
  if (type.find("revocation") != std::string::npos) return;
  SelfSignature signature;
  signature.hash = text_of(rnp().signature_get_hash_alg, handle);
  signature.made = sys_seconds{seconds{value_of(rnp().signature_get_creation, handle)}};
  signature.user = user;
  read_subpackets(handle, signature);
  // The newest first; of equal ones the last.
  auto const older = std::ranges::find_if(
      into, [&](SelfSignature const& each) { return each.made <= signature.made; });
  into.insert(older, std::move(signature));
}

void add_key_signatures(rnp_key_handle_t handle, std::vector<SelfSignature>& into,
                        std::size_t& right) {
  std::size_t const count = value_of(rnp().key_get_signature_count, handle);
  for (std::size_t i = 0; i < count; ++i) {
    rnp_signature_handle_t found = nullptr;
    if (rnp().key_get_signature_at(handle, i, &found) != RNP_SUCCESS) continue;
    SignatureHandle const signature{found};
    add_signature(found, std::nullopt, into, right);
  }
}

void add_user_signatures(rnp_key_handle_t handle, std::vector<SelfSignature>& into,
                         std::size_t& right) {
  std::vector<SelfSignature> not_wanted;
  std::size_t const users = value_of(rnp().key_get_uid_count, handle);
  for (std::size_t i = 0; i < users; ++i) {
    rnp_uid_handle_t at = nullptr;
    if (rnp().key_get_uid_handle_at(handle, i, &at) != RNP_SUCCESS) continue;
    UserHandle const user{at};
    bool const revoked = value_of(rnp().uid_is_revoked, at);
    std::size_t const count = value_of(rnp().uid_get_signature_count, at);
    for (std::size_t j = 0; j < count; ++j) {
      rnp_signature_handle_t found = nullptr;
      if (rnp().uid_get_signature_at(at, j, &found) != RNP_SUCCESS) continue;
      SignatureHandle const signature{found};
      add_signature(found, i, revoked ? not_wanted : into, right);
    }
  }
}

// Those that count: on the key itself the newest, then of each user ID the newest.
std::vector<SelfSignature const*> in_force(std::vector<SelfSignature> const& newest_first) {
  std::map<std::optional<std::size_t>, SelfSignature const*> of_each;
  for (auto const& each : newest_first) of_each.try_emplace(each.user, &each);
  std::vector<SelfSignature const*> all;
  all.reserve(of_each.size());
  for (auto const& [user, signature] : of_each) all.push_back(signature);
  std::ranges::sort(all, [](SelfSignature const* a, SelfSignature const* b) {
    if (a->user.has_value() != b->user.has_value()) return !a->user.has_value();
    return a->made != b->made ? a->made > b->made : a->user < b->user;
  });
  return all;
}

// The end and the use, each as the first signature in force says that says anything of it.
void settle(Key& key) {
  auto const counting = in_force(key.signatures);
  auto const lifetime = std::ranges::find_if(
      counting, [](SelfSignature const* each) { return each->key_lifetime.has_value(); });
  if (lifetime != counting.end()) key.ends = key.created + *(*lifetime)->key_lifetime;
  auto const flags = std::ranges::find_if(
      counting, [](SelfSignature const* each) { return each->key_flags.has_value(); });
  if (flags != counting.end()) key.signs = (*(*flags)->key_flags & kMaySign) != 0;
}

Key key_of(rnp_key_handle_t handle, std::size_t& right) {
  Key key;
  key.fingerprint = text_of(rnp().key_get_fprint, handle);
  key.algorithm = text_of(rnp().key_get_alg, handle);
  key.curve = text_of(rnp().key_get_curve, handle);
  key.bits = static_cast<int>(value_of(rnp().key_get_bits, handle));
  key.created = sys_seconds{seconds{value_of(rnp().key_get_creation, handle)}};
  key.revoked = value_of(rnp().key_is_revoked, handle);
  if (key.revoked) key.revocation = text_of(rnp().key_get_revocation_reason, handle);
  bool signs = false;
  key.signs = rnp().key_allows_usage(handle, "sign", &signs) == RNP_SUCCESS && signs;
  add_key_signatures(handle, key.signatures, right);
  return key;
}

}  // namespace

PublicKey read_key(rnp_key_handle_t primary) {
  PublicKey key;
  key.primary = key_of(primary, key.right_signatures);
  add_user_signatures(primary, key.primary.signatures, key.right_signatures);
  settle(key.primary);
  key.user = text_of(rnp().key_get_primary_uid, primary);
  if (key.user.empty()) {  // none is marked as such, or none is right
    char* first = nullptr;
    if (rnp().key_get_uid_at(primary, 0, &first) == RNP_SUCCESS && first != nullptr)
      key.user = first;
    rnp().buffer_destroy(first);
  }
  std::size_t const count = value_of(rnp().key_get_subkey_count, primary);
  for (std::size_t i = 0; i < count; ++i) {
    rnp_key_handle_t found = nullptr;
    if (rnp().key_get_subkey_at(primary, i, &found) != RNP_SUCCESS) continue;
    KeyHandle const handle{found};
    Key subkey = key_of(found, key.right_signatures);
    settle(subkey);
    if (key.primary.revoked && !subkey.revoked) {  // no client uses it then
      subkey.revoked = true;
      subkey.revocation = key.primary.revocation;
    }
    key.subkeys.push_back(std::move(subkey));
  }
  return key;
}

}  // namespace canary::openpgp
