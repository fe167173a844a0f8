// SPDX-License-Identifier: Apache-2.0
// A shared library with an Asio of its own, for all to see: compiled without canaryd's hook and
// with everything visible.
#include <boost/asio/io_context.hpp>

extern "C" [[gnu::visibility("default")]] unsigned long run_other_asio() {
  boost::asio::io_context other;
  return other.run();
}
