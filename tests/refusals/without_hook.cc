// SPDX-License-Identifier: Apache-2.0
// A translation unit that uses Asio without canaryd's hook: its operations have another layout.
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

void posts_without_the_hook(boost::asio::io_context& context) {
  boost::asio::post(context, [] {});
}
