// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace linecheck::engine {

/// The address of ours that the kernel would send from towards `host` (a name or an address): what belongs
/// into our SDP where the endpoint listens on every address. Nothing is sent. "127.0.0.1" if there is no way
/// to it. Blocks for the resolver.
[[nodiscard]] std::string local_address_towards(const std::string& host);

}  // namespace linecheck::engine
