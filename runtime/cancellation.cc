// SPDX-License-Identifier: Apache-2.0
#include "runtime/cancellation.h"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace canary::runtime {

void throw_operation_aborted() {
  throw boost::system::system_error{boost::asio::error::operation_aborted};
}

bool is_cancellation(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    return error.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace canary::runtime
