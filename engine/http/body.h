// SPDX-License-Identifier: GPL-3.0-or-later
//
// The body of a run request, in the three forms that it may have, as one JSON object; and the problems of a
// request as the wire shows them.
#pragma once

#include <optional>

#include "engine/http/message.h"
#include "scheduler/model.h"

namespace linecheck::engine::http {

struct Body {
  std::optional<Json> json;           ///< an object
  std::optional<Response> refused{};  ///< else: 400 or 415
};

/// By its Content-Type: application/json (also where there is none), application/x-www-form-urlencoded,
/// multipart/form-data.
[[nodiscard]] Body read_body(const Request& request);

/// `{"<field>": ["message", ...]}`, every field at once; a bare list where all that is wrong is personalities
/// that are not enabled.
[[nodiscard]] Json problems_by_field(const scheduler::Problems& problems);

}  // namespace linecheck::engine::http
