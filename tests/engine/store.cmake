# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  store/result_store_test.cpp
  store/state_directory_test.cpp
)
