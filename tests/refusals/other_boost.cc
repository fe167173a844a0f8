// SPDX-License-Identifier: Apache-2.0
// Nothing but a name: libboost_json.so.1.74.0, as another release of Debian has it.
extern "C" [[gnu::visibility("default")]] int boost_json_of_another_version() { return 1'074; }
