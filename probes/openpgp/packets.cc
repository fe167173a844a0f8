// SPDX-License-Identifier: Apache-2.0
#include "probes/openpgp/packets.h"

#include <utility>

#include "probes/openpgp/bytes.h"

namespace canary::openpgp {

std::optional<Packet> PacketReader::fail(std::string why) {
  problem_ = std::move(why);
  rest_ = {};
  return std::nullopt;
}

std::optional<Packet> PacketReader::next() {
  if (rest_.empty()) return std::nullopt;
  Bytes in{rest_};
  auto const first = in.number(1);
  if ((*first & 0x80) == 0) return fail("no OpenPGP packet begins with this byte");
  Packet packet;
  std::optional<std::size_t> length;
  if ((*first & 0x40) != 0) {  // section 4.2.2
    packet.tag = static_cast<std::uint8_t>(*first & 0x3F);
    auto const one = in.number(1);
    if (!one) return fail("it ends within a packet's header");
    if (*one >= 224 && *one < 255) return fail("a packet of a length that is not stated");
    if (*one < 192) length = one;
    if (*one >= 192 && *one < 224) {
      auto const two = in.number(1);
      if (two) length = ((*one - 192) << 8) + *two + 192;
    }
    if (*one == 255) length = in.number(4);
  } else {  // section 4.2.1
    packet.tag = static_cast<std::uint8_t>((*first & 0x3C) >> 2);
    if ((*first & 3) == 3) return fail("a packet of a length that is not stated");
    length = in.number(std::size_t{1} << (*first & 3));
  }
  if (!length) return fail("it ends within a packet's header");
  auto const body = in.take(*length);
  if (!body) return fail("it ends within a packet");
  packet.body = *body;
  packet.whole = rest_.substr(0, rest_.size() - in.rest().size());
  rest_ = in.rest();
  return packet;
}

}  // namespace canary::openpgp
