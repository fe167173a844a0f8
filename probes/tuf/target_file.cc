// SPDX-License-Identifier: Apache-2.0
// Streams bytes through every listed hash.
// Thread: none.
#include "probes/tuf/target_file.h"

#include <array>
#include <new>
#include <utility>

#include <openssl/evp.h>

#include "probes/openssl_memory.h"
#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

std::string difference(std::string_view algorithm, std::string_view listed,
                       std::string_view found) {
  std::string text(algorithm);
  return text.append(" ").append(found).append(", listed is ").append(listed.substr(0, 128));
}

constexpr std::size_t kShownName = 40;  // bytes of an algorithm's name
constexpr std::size_t kShownNames = 200;

void append_name(std::string& names, std::string_view name) {
  if (names.size() > kShownNames) return;
  if (!names.empty()) names += ", ";
  names.append(name.substr(0, kShownName));
}

// Nothing but a want of memory can make a digest fail that has begun.
void require(int done) {
  if (done != 1) throw std::bad_alloc{};
}

Rejection unsupported(std::string subject, std::string const& names) {
  return {Rule::hash_unsupported, std::move(subject),
          "only hashes that canaryd cannot compute are listed: " + names};
}

}  // namespace

void TargetDigest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

TargetDigest::TargetDigest(std::string path, TargetFile const& expected)
    : path_(std::move(path)), length_(expected.length) {
  if (!expected.hashes.listed()) return;
  for (json::Member const& member : expected.hashes.all->object()) {
    probes::OpensslMemory const memory;
    evp_md_st const* const digest = digest_named(member.name);
    Context context(digest != nullptr ? EVP_MD_CTX_new() : nullptr);
    if (context && EVP_DigestInit_ex(context.get(), digest, nullptr) == 1) {
      listed_.push_back(
          {std::string(member.name), std::string(member.value.string()), std::move(context)});
    } else {
      if (digest != nullptr) memory.require();
      append_name(unsupported_, member.name);
    }
  }
}

TargetDigest::TargetDigest(TargetDigest&&) noexcept = default;
TargetDigest& TargetDigest::operator=(TargetDigest&&) noexcept = default;
TargetDigest::~TargetDigest() = default;

Result<void> TargetDigest::update(std::string_view piece) {
  if (piece.size() > length_ - received_) {
    return Rejection{Rule::target_length_mismatch, path_,
                     "more than the " + std::to_string(length_) + " bytes listed",
                     std::to_string(length_) + " bytes", "more"};
  }
  received_ += piece.size();
  for (Listed& listed : listed_) {
    require(EVP_DigestUpdate(listed.context.get(), piece.data(), piece.size()));
  }
  return outcome::success();
}

Result<void> TargetDigest::finish() {
  if (received_ != length_) {
    return Rejection{Rule::target_length_mismatch, path_,
                     std::to_string(received_) + " bytes, listed are " + std::to_string(length_),
                     std::to_string(length_) + " bytes", std::to_string(received_) + " bytes"};
  }
  if (listed_.empty()) return unsupported(path_, unsupported_);
  for (Listed& listed : listed_) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(listed.context.get(), digest.data(), &size));
    std::string const found = to_hex({reinterpret_cast<char const*>(digest.data()), size});
    if (!equal_hex(found, listed.hex)) {
      return Rejection{Rule::target_hash_mismatch, path_,
                       difference(listed.algorithm, listed.hex, found),
                       listed.algorithm + " " + listed.hex, listed.algorithm + " " + found};
    }
  }
  return outcome::success();
}

Result<void> check_meta_file(std::string_view role, MetaFile const& listed,
                             std::string_view bytes) {
  if (listed.length && *listed.length != bytes.size()) {
    return Rejection{
        Rule::length_mismatch, std::string(role),
        std::to_string(bytes.size()) + " bytes, listed are " + std::to_string(*listed.length),
        std::to_string(*listed.length) + " bytes", std::to_string(bytes.size()) + " bytes"};
  }
  if (!listed.hashes.listed()) return outcome::success();
  bool compared = false;
  std::string unknown;
  for (json::Member const& member : listed.hashes.all->object()) {
    evp_md_st const* const digest = digest_named(member.name);
    std::string const found = digest != nullptr ? digest_hex(*digest, bytes) : std::string{};
    if (found.empty()) {
      append_name(unknown, member.name);
    } else if (!equal_hex(found, member.value.string())) {
      return Rejection{Rule::hash_mismatch, std::string(role),
                       difference(member.name, member.value.string(), found),
                       std::string(member.name).append(" ").append(member.value.string()),
                       std::string(member.name).append(" ").append(found)};
    } else {
      compared = true;
    }
  }
  if (compared) return outcome::success();
  return unsupported(std::string(role), unknown);
}

}  // namespace canary::tuf
