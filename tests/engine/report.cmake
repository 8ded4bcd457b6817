# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  report/console_test.cpp
  report/html_test.cpp
  report/json_test.cpp
  report/junit_test.cpp
  report/ladder_test.cpp
  report/overview_test.cpp
  report/progress_test.cpp
  report/sample.cpp
  report/waveform_test.cpp
  report/words_test.cpp
)
