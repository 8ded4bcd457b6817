# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  http/body_test.cpp
  http/keys_test.cpp
  http/message_test.cpp
)
