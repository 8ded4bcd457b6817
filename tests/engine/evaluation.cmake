# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  evaluation/evaluate_test.cpp
  evaluation/heard_test.cpp
  evaluation/numbers_test.cpp
  evaluation/recording_test.cpp
  evaluation/turns_test.cpp
  evaluation/verdict_test.cpp
)
