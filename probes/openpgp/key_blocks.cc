// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/key_blocks.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "probes/openpgp/rnp.h"

namespace canary::openpgp {
namespace {

using Why = Unread::Why;

constexpr std::string_view kBegin = "-----BEGIN PGP ";
constexpr std::string_view kEnd = "-----END PGP ";
constexpr std::string_view kPublic = "PUBLIC KEY BLOCK-----";
constexpr std::string_view kPrivate = "PRIVATE KEY BLOCK-----";

bool is_armoured(std::string_view bytes) { return bytes.find(kBegin) != std::string_view::npos; }
bool is_binary(std::string_view bytes) {
  return !bytes.empty() && (static_cast<std::uint8_t>(bytes.front()) & 0x80) != 0;
}

// The armoured blocks of public keys, put together.
std::string bodies_of(std::string_view text, Budget const& budget, std::vector<Unread>& unread) {
  std::string bodies;
  std::size_t blocks = 0;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin)) {
    text.remove_prefix(at);
    auto const what = text.substr(kBegin.size());
    auto const end = text.find(kEnd);
    auto const line = end == std::string_view::npos ? end : text.find('\n', end);
    auto const block = text.substr(0, line);
    text.remove_prefix(std::max(kBegin.size(), block.size()));
    if (what.starts_with(kPrivate)) unread.push_back({Why::secret, "", "a secret key"});
    if (!what.starts_with(kPublic)) continue;
    if (++blocks > budget.armoured_blocks) {
      unread.push_back(
          {Why::too_much, "",
           "more than " + std::to_string(budget.armoured_blocks) + " armoured blocks"});
      break;
    }
    std::string const body = dearmoured(block, block.size());
    if (body.empty()) unread.push_back({Why::malformed, "", "armour that is damaged"});
    bodies += body;
  }
  return bodies;
}

// GnuPG's own form of a keyring: gpgv and gpg know it, apt and Sequoia do not.
bool is_keybox(std::string_view bytes) { return bytes.substr(0, 12).ends_with("KBXf"); }

}  // namespace

KeyBlocks read_blocks(std::string_view bytes, Budget const& budget) {
  KeyBlocks blocks;
  if (is_keybox(bytes)) {
    blocks.unread.push_back({Why::unsupported, "",
                             "a keybox of GnuPG (.kbx), which apt does not read: export the keys"});
  } else if (is_binary(bytes)) {
    blocks = split_keys(bytes, budget);
  } else if (is_armoured(bytes)) {
    std::vector<Unread> unread;
    std::string const bodies = bodies_of(bytes, budget, unread);
    blocks = split_keys(bodies, budget);
    blocks.unread.insert(blocks.unread.begin(), unread.begin(), unread.end());
  }
  if (blocks.keys.empty() && blocks.unread.empty()) {
    blocks.unread.push_back(
        {Why::malformed, "",
         bytes.empty() ? "an empty file"
                       : "no OpenPGP key: it begins \"" + std::string{bytes.substr(0, 40)} + "\""});
  }
  return blocks;
}

}  // namespace canary::openpgp
