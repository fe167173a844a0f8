// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/signed_file.h"

#include <algorithm>
#include <utility>

#include "probes/openpgp/cpu_time.h"
#include "probes/openpgp/key_blocks.h"
#include "probes/openpgp/keys.h"
#include "probes/openpgp/packets.h"
#include "probes/openpgp/rnp.h"

namespace canary::openpgp {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;
using Status = DataSignature::Status;

constexpr std::string_view kMessage = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kBegin = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----";

SignedFile refused(std::string problem, bool too_much = false) {
  SignedFile file;
  file.problem = std::move(problem);
  file.too_much = too_much;
  return file;
}

struct Found {
  SignatureSays says;
  std::string_view packet;
};

// librnp reads any message here, packed and nested ones too: only signatures get to it. They are
// added to `found`.
std::optional<SignedFile> wrong_signatures(std::string_view packets, Budget const& budget,
                                           std::vector<Found>& found) {
  PacketReader reader{packets};
  while (auto const packet = reader.next()) {
    if (packet->tag == kMarker || packet->tag == kPadding) continue;
    if (packet->tag != kSignature) return refused("beside its signatures stands something else");
    if (packet->body.size() > budget.packet_bytes) {
      return refused("a signature of " + std::to_string(packet->body.size()) + " bytes", true);
    }
    if (found.size() == budget.data_signatures) {
      return refused("more than " + std::to_string(budget.data_signatures) + " signatures", true);
    }
    found.push_back({signature_says(packet->body), packet->whole});
  }
  if (!reader.problem().empty()) return refused("the signature is damaged: " + reader.problem());
  if (found.empty()) return refused("there is no signature");
  return std::nullopt;
}

bool blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Up to its signatures, and these.
struct Message {
  std::string_view text, armour;
};

// One clearsigned message and nothing around it, as apt demands.
std::optional<SignedFile> wrong_message(std::string_view data, Message& message) {
  if (!data.starts_with(kMessage)) return refused("it is no clearsigned message");
  auto const begin = data.find(kBegin);
  auto const end = begin == std::string_view::npos ? begin : data.find(kEnd, begin);
  if (end == std::string_view::npos) return refused("the message ends without its signature");
  if (!blank(data.substr(end + kEnd.size()))) {
    return refused("something stands behind the signed message");
  }
  message.text = data.substr(0, begin);
  message.armour = data.substr(begin, end + kEnd.size() - begin);
  return std::nullopt;
}

bool names_one_of(std::string_view issuer, KeyBlock const& block) {
  return names(issuer, block.fingerprint) ||
         std::ranges::any_of(block.subkeys, [&](auto const& key) { return names(issuer, key); });
}

// Loads the keys that signatures name; others would cost time alone. The signatures of which there
// is a key: librnp writes a line on standard error for each of the others. Nothing where that takes
// more CPU time than there is.
std::optional<std::vector<Found>> with_keys(rnp_ffi_t keyring,
                                            std::vector<std::string_view> const& files,
                                            std::vector<Found> const& all, Budget const& budget) {
  CpuTime const used;
  std::vector<bool> known(all.size(), false);
  for (std::string_view const file : files) {
    for (KeyBlock const& block : read_blocks(file, budget).keys) {
      if (used.since() > budget.cpu) return std::nullopt;
      bool wanted = false;
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!names_one_of(all[i].says.issuer, block)) continue;
        known[i] = true;
        wanted = true;
      }
      // Of a revoked key librnp calls every signature wrong; whether it is, is wanted.
      if (wanted) import_keys(keyring, without_revocations(block.bytes));
    }
  }
  std::vector<Found> some;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (known[i]) some.push_back(all[i]);
  }
  return some;
}

Status status_of(rnp_result_t result) {
  switch (result) {
    case RNP_SUCCESS:
      return Status::good;
    case RNP_ERROR_SIGNATURE_EXPIRED:
      return Status::ended;
    case RNP_ERROR_KEY_NOT_FOUND:
      return Status::no_key;
    case RNP_ERROR_SIGNATURE_INVALID:
      return Status::bad;
    default:
      return Status::unusable;
  }
}

DataSignature signature_of(rnp_op_verify_signature_t at) {
  DataSignature signature;
  signature.status = status_of(rnp().op_verify_signature_get_status(at));
  rnp_signature_handle_t found = nullptr;
  if (rnp().op_verify_signature_get_handle(at, &found) != RNP_SUCCESS) return signature;
  SignatureHandle const handle{found};
  rnp_key_handle_t signer = nullptr;
  if (rnp().signature_get_signer(found, &signer) == RNP_SUCCESS && signer != nullptr) {
    KeyHandle const key{signer};
    signature.key = text_of(rnp().key_get_fprint, signer);
  }
  if (signature.key.empty()) signature.key = text_of(rnp().signature_get_key_fprint, found);
  if (signature.key.empty()) signature.key = text_of(rnp().signature_get_keyid, found);
  signature.hash = text_of(rnp().signature_get_hash_alg, found);
  signature.made = sys_seconds{seconds{value_of(rnp().signature_get_creation, found)}};
  return signature;
}

Verification make_verification(rnp_ffi_t keyring, rnp_input_t data, rnp_input_t signature,
                               rnp_output_t output) {
  rnp_op_verify_t made = nullptr;
  auto const result = signature != nullptr
                          ? rnp().op_verify_detached_create(&made, keyring, data, signature)
                          : rnp().op_verify_create(&made, keyring, data, output);
  return result == RNP_SUCCESS ? Verification{made} : nullptr;
}

void add_verified(rnp_ffi_t keyring, std::string_view data,
                  std::optional<std::string_view> detached, SignedFile& into) {
  rnp_output_t nowhere = nullptr;
  if (rnp().output_to_null(&nowhere) != RNP_SUCCESS) return;
  Output const output{nowhere};
  Input const input = make_input(data);
  Input const signature = make_input(detached.value_or(""));
  auto const verification =
      make_verification(keyring, input.get(), detached ? signature.get() : nullptr, nowhere);
  if (!verification) return;
  rnp().op_verify_execute(verification.get());  // each signature's own status counts
  std::size_t const count = value_of(rnp().op_verify_get_signature_count, verification.get());
  for (std::size_t i = 0; i < count; ++i) {
    rnp_op_verify_signature_t at = nullptr;
    if (rnp().op_verify_get_signature_at(verification.get(), i, &at) != RNP_SUCCESS) continue;
    into.signatures.push_back(signature_of(at));
  }
}

}  // namespace

SignedFile verify(ToVerify const& what, Budget const& budget) {
  Message message;
  if (!what.signature) {
    if (auto wrong = wrong_message(what.data, message)) return std::move(*wrong);
  }
  std::string_view const given = what.signature ? *what.signature : message.armour;
  bool const armoured = given.starts_with(kBegin);
  std::string const packets = armoured ? dearmoured(given, given.size()) : std::string{given};
  std::vector<Found> found;
  if (auto wrong = wrong_signatures(packets, budget, found)) return std::move(*wrong);
  Keyring const keyring = make_keyring();
  if (!keyring) return refused(why_no_keyring(), true);
  auto const usable = with_keys(keyring.get(), what.keys, found, budget);
  if (!usable) {
    return refused("reading the keys takes more than " + std::to_string(budget.cpu.count()) +
                       " ms of processor time",
                   true);
  }
  SignedFile file;
  std::string kept;
  for (Found const& each : found) {
    bool const known = std::ranges::find(*usable, each.packet.data(), [](Found const& one) {
                         return one.packet.data();
                       }) != usable->end();
    if (known) {
      kept += each.packet;
    } else {
      file.signatures.push_back({Status::no_key, each.says.issuer, each.says.hash, each.says.made});
    }
  }
  if (kept.empty()) return file;
  if (what.signature) {
    add_verified(keyring.get(), what.data, kept, file);
  } else {
    std::string const whole = std::string{message.text} + armoured_signatures(kept);
    add_verified(keyring.get(), whole, std::nullopt, file);
  }
  if (file.signatures.empty()) return refused("it has no signature that can be read");
  return file;
}

}  // namespace canary::openpgp
