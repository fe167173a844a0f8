// SPDX-License-Identifier: Apache-2.0
// A probe from flags on a command line: they are the fields of a configuration, and read by the
// same reader, so that a value is refused in the same words.
// Thread: none (pure).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace canary::config {

struct Flag {
  enum class Form {
    value,    // one
    url,      // one; a path that begins with /, ./ or ../ stands for its file: URL
    list,     // one or more
    headers,  // "NAME: VALUE" or "NAME: @FILE", any number of times
    secret,   // the path of a file that holds it
  };
  std::string name;               // "metadata-url", "expiry.root.warning"; without the dashes
  std::vector<std::string> path;  // of its field: {"tuf", "metadata_url"}
  std::string text;               // what it means
  Form form = Form::value;
  bool own = false;  // of the kind, not of all that fetch
};

// The kind's own, then `timeout`, then those of `http:` where it fetches. Names are unique.
std::vector<Flag> flags_of(Kind const& kind);

// What was given, by a flag's name.
using GivenFlags = std::map<std::string, std::vector<std::string>, std::less<>>;

// The probe that they describe, called as what it looks at; or what is wrong, a sentence each.
// Relative paths start at the working directory; files are not looked at, a run says what is wrong
// with them.
Result<ProbeSpec, std::vector<std::string>> probe_of(Kind const& kind, GivenFlags const& given);

// Every expiry below `warning` becomes a warning, and none critical before it has ended.
void set_thresholds(KindSpec& spec, seconds warning);

}  // namespace canary::config
