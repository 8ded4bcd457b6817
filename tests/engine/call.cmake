# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  call/failure_test.cpp
  call/kept_files_test.cpp
  call/keys_test.cpp
  call/persona_test.cpp
  call/script_test.cpp
  call/waiting_runs_test.cpp
)
