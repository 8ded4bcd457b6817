// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace linecheck::sip {

/// Files are PEM. TLS 1.2 is the oldest that is spoken: OpenSSL's security level 2, Debian's default, has no
/// cipher for what came before.
struct TlsOptions {
  std::string ca_file;           ///< who may vouch for peers; empty: the system's certificate authorities
  std::string certificate_file;  ///< ours, shown to peers that call, and to servers that ask; empty: none
  std::string key_file;          ///< empty: the key is in certificate_file
  bool verify = true;            ///< of servers that we connect to: the chain, the dates and the name
};

}  // namespace linecheck::sip
