# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  http/api.cpp
  http/api_operations.cpp
  http/api_results.cpp
  http/body.cpp
  http/keys.cpp
  http/message.cpp
  http/router.cpp
  http/server.cpp
  http/stored.cpp
)
