// SPDX-License-Identifier: Apache-2.0
// The one copy of Asio's and Beast's compiled parts in the program.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
