# SPDX-License-Identifier: GPL-3.0-or-later
# The live turn detector and the offline boundary refiner.
target_sources(linecheck_media PRIVATE
  speech/annotate.cpp
  speech/bands.cpp
  speech/energy.cpp
  speech/level.cpp
  speech/live_detector.cpp
  speech/refine.cpp
)
linecheck_optimise(speech/bands.cpp speech/energy.cpp speech/level.cpp speech/live_detector.cpp)
