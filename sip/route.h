// SPDX-License-Identifier: GPL-3.0-or-later
//
// What legs and trunks share: where a request goes first, and the answer to a challenge. Internal.
#pragma once

#include <sofia-sip/nua.h>
#include <sofia-sip/sip.h>

#include <set>
#include <string>

#include "sip/trunk.h"

namespace linecheck::sip {

/// A loose route to a proxy (RFC 3261, 8.1.2): the request goes there, its Request-URI stays what it is. With
/// an `address`, that is where it is sent (maddr), while the name still is what a TLS certificate must be
/// for.
[[nodiscard]] std::string route_to(const std::string& proxy, const std::string& address, bool v6);

/// `host:port` of a SIP URI, without user and parameters.
[[nodiscard]] std::string host_and_port(const std::string& uri);

/// Sends the request again with credentials for every realm of a 401 or 407 that has not had them; false:
/// there is no such realm, what it got was refused. (A nonce that merely expired is answered by Sofia
/// itself.) Only for digest: a password is never sent in the clear.
[[nodiscard]] bool answer_challenges(nua_handle_t* handle, const sip_t* sip, const Credentials& credentials,
                                     std::set<std::string>& realms);

/// What the library complained about lately, as ": text"; for a status that it made up itself.
[[nodiscard]] std::string local_trouble(int status);

}  // namespace linecheck::sip
