// SPDX-License-Identifier: Apache-2.0
// Streams bytes through every listed hash.
// Thread: none.
#include "probes/tuf/target_file.h"

#include <array>
#include <utility>

#include <openssl/evp.h>

#include "probes/tuf/digest.h"

namespace canary::tuf {
namespace {

std::string difference(std::string_view algorithm, std::string_view listed,
                       std::string_view found) {
  std::string text(algorithm);
  return text.append(" ").append(found).append(", listed is ").append(listed.substr(0, 128));
}

}  // namespace

void TargetDigest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

TargetDigest::TargetDigest(std::string path, TargetFile const& expected)
    : path_(std::move(path)), length_(expected.length) {
  auto const start = [](std::string_view algorithm, std::string_view hex, EVP_MD const* digest) {
    Listed listed{algorithm, std::string(hex), Context(EVP_MD_CTX_new())};
    EVP_DigestInit_ex(listed.context.get(), digest, nullptr);
    return listed;
  };
  if (!expected.hashes.sha256.empty()) {
    sha256_ = start("sha256", expected.hashes.sha256, EVP_sha256());
  }
  if (!expected.hashes.sha512.empty()) {
    sha512_ = start("sha512", expected.hashes.sha512, EVP_sha512());
  }
}

TargetDigest::TargetDigest(TargetDigest&&) noexcept = default;
TargetDigest& TargetDigest::operator=(TargetDigest&&) noexcept = default;
TargetDigest::~TargetDigest() = default;

Result<void> TargetDigest::update(std::string_view piece) {
  if (piece.size() > length_ - received_) {
    return Rejection{Rule::target_length_mismatch, path_,
                     "more than the " + std::to_string(length_) + " bytes listed"};
  }
  received_ += piece.size();
  for (auto* listed : {&sha256_, &sha512_}) {
    if (*listed) EVP_DigestUpdate((*listed)->context.get(), piece.data(), piece.size());
  }
  return success();
}

Result<void> TargetDigest::finish() {
  if (received_ != length_) {
    return Rejection{Rule::target_length_mismatch, path_,
                     std::to_string(received_) + " bytes, listed are " + std::to_string(length_)};
  }
  if (!sha256_ && !sha512_) {
    return Rejection{Rule::hash_unsupported, path_, "neither sha256 nor sha512 is listed"};
  }
  for (auto* listed : {&sha256_, &sha512_}) {
    if (!*listed) continue;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex((*listed)->context.get(), digest.data(), &size);
    std::string const found = to_hex({reinterpret_cast<char const*>(digest.data()), size});
    if (!equal_hex(found, (*listed)->hex)) {
      return Rejection{Rule::target_hash_mismatch, path_,
                       difference((*listed)->algorithm, (*listed)->hex, found)};
    }
  }
  return success();
}

Result<void> check_meta_file(std::string_view role, MetaFile const& listed,
                             std::string_view bytes) {
  if (listed.length && *listed.length != bytes.size()) {
    return Rejection{
        Rule::length_mismatch, std::string(role),
        std::to_string(bytes.size()) + " bytes, listed are " + std::to_string(*listed.length)};
  }
  if (listed.hashes.listed() && !listed.hashes.known()) {
    return Rejection{Rule::hash_unsupported, std::string(role),
                     "neither sha256 nor sha512 is listed"};
  }
  if (!listed.hashes.sha256.empty()) {
    std::string const found = sha256_hex(bytes);
    if (!equal_hex(found, listed.hashes.sha256)) {
      return Rejection{Rule::hash_mismatch, std::string(role),
                       difference("sha256", listed.hashes.sha256, found)};
    }
  }
  if (!listed.hashes.sha512.empty()) {
    std::string const found = sha512_hex(bytes);
    if (!equal_hex(found, listed.hashes.sha512)) {
      return Rejection{Rule::hash_mismatch, std::string(role),
                       difference("sha512", listed.hashes.sha512, found)};
    }
  }
  return success();
}

}  // namespace canary::tuf
