// SPDX-License-Identifier: Apache-2.0
// Task<T>: a coroutine on the loop. Rules: parameters by value (or a reference to something named
// as outliving all tasks); every wait through wait(); nothing detached; nothing awaited in a catch
// block; name lambdas and aggregates before `co_await` (GCC 12 frees such temporaries twice).
// Thread: loop.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/system/error_code.hpp>

namespace canary::runtime {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::any_io_executor;
template <class T>
using Task = asio::awaitable<T, Executor>;

}  // namespace canary::runtime
