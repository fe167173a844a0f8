// SPDX-License-Identifier: Apache-2.0
// The TLS sessions of libmicrohttpd's connections.
// Thread: the one that serves the connection.
// Source: libmicrohttpd 0.9.75, connection_https.c.
#pragma once

#include <microhttpd.h>

#include <gnutls/gnutls.h>

namespace canary::daemon {

// Null where the connection is plain.
gnutls_session_t session_of(MHD_Connection* connection);

// The server's end of the watchdog's questions where the address speaks TLS, which the watchdog
// does not: its handshake never comes to an end, and the thread that would go on with it answers
// the question where the first bytes of a client would be read.
void answer_questions_on(gnutls_session_t session);

}  // namespace canary::daemon
