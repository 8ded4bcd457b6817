// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sofia takes its TLS material from a folder with fixed names. This makes one, for the life of an endpoint,
// from the files that the user named. Internal.
#pragma once

#include <string>

#include "sip/tls_options.h"

namespace linecheck::sip {

class TlsFolder {
 public:
  /// Throws EndpointError naming the file that is missing or has not the form that it should.
  explicit TlsFolder(const TlsOptions& options);
  ~TlsFolder();
  TlsFolder(const TlsFolder&) = delete;
  TlsFolder& operator=(const TlsFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace linecheck::sip
