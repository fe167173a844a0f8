// SPDX-License-Identifier: Apache-2.0
// Length and hashes of a file while it streams by; nothing of it is kept.
// Thread: none (one caller at a time; may move between threads). Source: TUF 1.0.34 §5.7.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/tuf/metadata.h"
#include "probes/tuf/rejection.h"

struct evp_md_ctx_st;

namespace canary::tuf {

// Every listed hash that OpenSSL can compute must match; one at least is needed.
class TargetDigest {
 public:
  // Copies what it needs of `expected`. `path` names the target in rejections.
  TargetDigest(std::string path, TargetFile const& expected);
  TargetDigest(TargetDigest&&) noexcept;
  TargetDigest& operator=(TargetDigest&&) noexcept;
  ~TargetDigest();

  // Rejects: target_length_mismatch as soon as there is too much.
  Result<void> update(std::string_view piece);
  // Call once, at the end. Rejects: target_length_mismatch, target_hash_mismatch,
  // hash_unsupported.
  Result<void> finish();

  std::uint64_t received() const { return received_; }
  std::uint64_t expected_length() const { return length_; }

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_md_ctx_st, Free>;
  struct Listed {
    std::string algorithm;
    std::string hex;
    Context context;
  };
  std::string path_;
  std::uint64_t length_;
  std::uint64_t received_ = 0;
  std::vector<Listed> listed_;
  std::string unsupported_;  // names of listed algorithms that OpenSSL has not
};

// Checks bytes in memory against what timestamp or snapshot lists about metadata.
// Rejects: length_mismatch, hash_mismatch, hash_unsupported.
Result<void> check_meta_file(std::string_view role, MetaFile const& listed, std::string_view bytes);

}  // namespace canary::tuf
