// SPDX-License-Identifier: Apache-2.0
#include "probes/fetch/oddity.h"

#include <algorithm>

namespace canary::fetch {

std::string to_text(Oddity oddity) {
  switch (oddity) {
    case Oddity::version:
      return "a version of HTTP that is none of 1.0 and 1.1, which some clients refuse (curl, or "
             "for 2.0 python-tuf)";
    case Oddity::reason_nul:
      return "a NUL in the status line, which curl refuses";
    case Oddity::folded_length:
      return "a Content-Length folded onto a second line, which curl refuses";
    case Oddity::tab_before_colon:
      return "a tab before a header's colon, which Go refuses";
    case Oddity::header_name:
      return "a header without a name or with a name that HTTP does not allow, which Go refuses";
    case Oddity::header_value:
      return "control characters in a header, which Go refuses";
    case Oddity::content_length:
      return "a Content-Length that is more than a number, which Go refuses";
    case Oddity::transfer_encoding:
      return "a Transfer-Encoding with more than \"chunked\", which Go refuses";
    case Oddity::chunked_http10:
      return "a chunked body in HTTP/1.0, which Go does not decode";
    case Oddity::content_encoding:
      return "a Content-Encoding that the body does not have and that Python decodes: python-tuf "
             "fails";
    case Oddity::long_header:
      return "a header above 64 KiB, which Python refuses";
    case Oddity::many_headers:
      return "100 or more headers, which Python refuses";
    case Oddity::interim:
      return "an interim answer (1xx) that Python takes for the answer";
    case Oddity::status_not_200:
      return "a status that is another 2xx than 200, which go-tuf refuses";
    case Oddity::chunk_extension:
      return "an extension of a chunk with a blank before it or above 4 KiB, which Go refuses";
    case Oddity::chunk_line_end:
      return "a chunk's size that ends without CR, which Go refuses";
    case Oddity::many_redirects:
      return "more than three redirects, which python-tuf does not follow";
    case Oddity::location_bytes:
      return "a Location with bytes that are not ASCII, which Python takes for others";
    case Oddity::location_escape:
      return "a Location with a '%' that begins no escape, which Go refuses";
    case Oddity::locations:
      return "two Location headers, which Python takes for one";
    case Oddity::downgraded:
      return "a redirect from https to http, where everybody on the way can read and withhold it";
  }
  return "";
}

void note(Oddities& oddities, Oddity oddity) {
  if (std::ranges::find(oddities, oddity) == oddities.end()) oddities.push_back(oddity);
}

}  // namespace canary::fetch
