// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/keys.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "probes/openpgp/cpu_time.h"
#include "probes/openpgp/key_blocks.h"
#include "probes/openpgp/read_key.h"
#include "probes/openpgp/rnp.h"

namespace canary::openpgp {
namespace {

using Why = Unread::Why;

// One primary key with what belongs to it.
class Reader {
 public:
  explicit Reader(KeyFile& file) : file_(file), keyring_(make_keyring()) {}
  bool works() const { return keyring_ != nullptr; }
  void read(KeyBlock const& block);
  std::size_t wrong_signatures() const { return wrong_signatures_; }

 private:
  KeyFile& file_;
  Keyring keyring_;
  std::size_t wrong_signatures_ = 0;
};

void Reader::read(KeyBlock const& block) {
  bool const loaded = import_keys(keyring_.get(), block.bytes);
  rnp_key_handle_t found = nullptr;
  rnp().locate_key(keyring_.get(), "fingerprint", block.fingerprint.c_str(), &found);
  KeyHandle const handle{found};
  if (loaded && found != nullptr) {
    PublicKey key = read_key(found);
    wrong_signatures_ += block.signatures - std::min(block.signatures, key.right_signatures);
    if (key.subkeys.size() < block.subkeys.size()) {
      file_.unread.push_back({Why::unsupported, block.fingerprint,
                              std::to_string(block.subkeys.size() - key.subkeys.size()) +
                                  " of its subkeys are of a form that is not known"});
    }
    file_.keys.push_back(std::move(key));
  } else {
    file_.unread.push_back(
        {Why::unsupported, block.fingerprint, "a key of a form that is not known"});
    wrong_signatures_ += block.signatures;
  }
  rnp().unload_keys(keyring_.get(), RNP_KEY_UNLOAD_PUBLIC);
}

}  // namespace

std::string Key::kind() const {
  if (algorithm == "EDDSA" && !curve.empty()) return curve;
  if (!curve.empty()) return algorithm + " " + curve;
  return algorithm + " " + std::to_string(bits);
}

std::optional<std::chrono::sys_seconds> PublicKey::end_of(Key const& key) const {
  if (!primary.ends || !key.ends) return primary.ends ? primary.ends : key.ends;
  return std::min(*primary.ends, *key.ends);
}

std::vector<Key const*> PublicKey::signing() const {
  std::vector<Key const*> all;
  auto const add = [&](Key const& key) {
    if (key.signs && !key.signatures.empty()) all.push_back(&key);
  };
  if (primary.signatures.empty()) return all;
  add(primary);
  for (Key const& subkey : subkeys) add(subkey);
  return all;
}

bool names(std::string_view text, std::string_view fingerprint) {
  bool const whole = text.size() == fingerprint.size() || text.size() == 16 || text.size() == 8;
  return whole && std::ranges::equal(
                      text, fingerprint.substr(fingerprint.size() - text.size()),
                      [](char a, char b) { return (a >= 'a' && a <= 'f' ? a - 32 : a) == b; });
}

Key const* PublicKey::find(std::string_view fingerprint_or_id) const {
  if (names(fingerprint_or_id, primary.fingerprint)) return &primary;
  auto const found = std::ranges::find_if(
      subkeys, [&](Key const& key) { return names(fingerprint_or_id, key.fingerprint); });
  return found == subkeys.end() ? nullptr : &*found;
}

KeyFile read_keys(std::string_view bytes, Budget const& budget) {
  CpuTime const used;
  KeyFile file;
  KeyBlocks blocks = read_blocks(bytes, budget);
  file.unread = std::move(blocks.unread);
  if (blocks.keys.empty()) return file;
  Reader reader{file};
  if (!reader.works()) {
    file.unread.push_back({Why::too_much, "", why_no_keyring()});
    return file;
  }
  std::size_t done = 0;
  for (KeyBlock const& block : blocks.keys) {
    std::string beyond;
    if (used.since() > budget.cpu) {
      beyond = "it takes more than " + std::to_string(budget.cpu.count()) + " ms of processor time";
    } else if (reader.wrong_signatures() > budget.wrong_signatures) {
      beyond = "more than " + std::to_string(budget.wrong_signatures) +
               " of its self-signatures are wrong";
    }
    if (!beyond.empty()) {
      file.unread.push_back({Why::too_much, "",
                             beyond + ": " + std::to_string(done) + " of " +
                                 std::to_string(blocks.keys.size()) + " keys were looked at"});
      break;
    }
    reader.read(block);
    ++done;
  }
  return file;
}

}  // namespace canary::openpgp
