// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace linecheck::engine {

/// A call from outside that fitted no waiting run.
struct RefusedCall {
  std::string at;  ///< RFC 3339, UTC
  std::size_t endpoint = 0;
  std::string source;  ///< address:port
  std::string called;
  std::string caller;
  int status = 0;
  std::string reason;
  std::int64_t run_id = 0;     ///< that it was nearest to; 0: none
  std::int64_t result_id = 0;  ///< of that run
};

}  // namespace linecheck::engine
