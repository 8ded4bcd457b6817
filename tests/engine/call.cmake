# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  call/persona_test.cpp
)
