# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(media_tests PRIVATE
  speech_annotate_test.cpp
  speech_level_test.cpp
  speech_live_detector_test.cpp
  speech_refine_test.cpp
)
