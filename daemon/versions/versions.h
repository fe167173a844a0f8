// SPDX-License-Identifier: Apache-2.0
// What this program was compiled against and what is loaded now, and whether that fits together:
// two versions of one library in a process fail at run time, in ways that look like anything else.
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace canary::daemon {

// A shared object of the process.
struct LoadedObject {
  std::string file;      // "/lib/x86_64-linux-gnu/libssl.so.3"; "canaryd" for the program itself
  std::string build_id;  // hexadecimal; empty where it has none
  std::string asio;      // a function of Boost.Asio that it brings along; empty where it has none
};
std::vector<LoadedObject> loaded_objects();

// A library canaryd stands on. A version at run time is what the library says of itself; those
// that cannot say (Boost, yaml-cpp, prometheus-cpp, spdlog) are known by their file's name.
struct Component {
  std::string name;
  std::string compiled;  // version of the headers; empty where they don't say
  std::string loaded;    // what the library says at run time; empty where it cannot
  std::string object;    // file of the loaded library; empty where it is in the program itself
};
std::vector<Component> components(std::vector<LoadedObject> const& objects);

// Each a sentence that names both sides; empty where everything fits: one version of each library,
// and at run time the one compiled against (for Boost to the letter, for others the same ABI).
std::vector<std::string> conflicts(std::vector<Component> const& components,
                                   std::vector<LoadedObject> const& objects);

// "libssl.so.3" -> {"libssl", "3"}; "libboost_json.so.1.81.0" -> {"libboost_json", "1.81.0"}.
struct LibraryName {
  std::string name, version;
  friend bool operator==(LibraryName const&, LibraryName const&) = default;
};
LibraryName split_library_name(std::string_view file);

// What `canaryd version` prints.
std::string version_text(std::vector<Component> const& components,
                         std::vector<LoadedObject> const& objects);

}  // namespace canary::daemon
