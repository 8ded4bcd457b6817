// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/events.h"

namespace linecheck::sip {

std::string_view name(FailureKind kind) {
  switch (kind) {
    case FailureKind::rejected:
      return "rejected";
    case FailureKind::media_not_acceptable:
      return "media_not_acceptable";
    case FailureKind::server_error:
      return "server_error";
    case FailureKind::redirected:
      return "redirected";
    case FailureKind::no_answer:
      return "no_answer";
    case FailureKind::timeout:
      return "timeout";
    case FailureKind::unresolved:
      return "unresolved";
    case FailureKind::transport:
      return "transport";
    case FailureKind::cancelled:
      return "cancelled";
    case FailureKind::not_allowed:
      return "not_allowed";
    case FailureKind::invalid_request:
      return "invalid_request";
  }
  return "unknown";
}

}  // namespace linecheck::sip
