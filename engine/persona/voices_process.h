// SPDX-License-Identifier: GPL-3.0-or-later
//
// The voices process: `linecheck voices --fd N`, started by Voices and never by a user.
#pragma once

namespace linecheck::engine {

/// Serves requests (voices_protocol.h) on the connected SOCK_SEQPACKET socket `fd` until its other end is
/// closed. Call it before the process starts any thread. Gives up real-time priority, capabilities and the
/// terminal's signals first. Returns an exit code: 0 when the daemon closed the socket, 1 when the socket
/// failed.
int serve_voices(int fd);

}  // namespace linecheck::engine
