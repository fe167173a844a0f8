// SPDX-License-Identifier: Apache-2.0
#include "probes/http/body_look.h"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

namespace canary::http {

void BodyLook::Free::operator()(evp_md_ctx_st* context) const { ::EVP_MD_CTX_free(context); }

BodyLook::BodyLook(bool hashes, std::size_t kept) : hashes_(hashes), kept_(kept) { restart(); }
BodyLook::~BodyLook() = default;

bool BodyLook::take(std::string_view piece) {
  if (context_) ::EVP_DigestUpdate(context_.get(), piece.data(), piece.size());
  text_.append(piece.substr(0, std::min(piece.size(), kept_ - text_.size())));
  return true;
}

void BodyLook::restart() {
  text_.clear();
  if (!hashes_) return;
  context_.reset(::EVP_MD_CTX_new());
  if (context_) ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr);
}

std::string BodyLook::sha256() {
  if (!context_) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (::EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) != 1) return {};
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kDigits[bytes.at(i) >> 4];
    hex += kDigits[bytes.at(i) & 15];
  }
  return hex;
}

}  // namespace canary::http
