# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  persona/noise_test.cpp
  persona/voice_choice_test.cpp
  persona/voices_test.cpp
)
linecheck_optimise(persona/noise_test.cpp)
