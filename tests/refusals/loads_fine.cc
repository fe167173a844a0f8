// SPDX-License-Identifier: Apache-2.0
// What the linker is to refuse or accept: a main() that needs the other translation unit.
#include <boost/asio/io_context.hpp>

void posts_without_the_hook(boost::asio::io_context& context);

int main(int count, char**) {
  if (count > 1) {
    boost::asio::io_context context;
    posts_without_the_hook(context);
  }
  return 0;
}
