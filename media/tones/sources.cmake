# SPDX-License-Identifier: GPL-3.0-or-later
# Signalling tones: what they sound like, and what they mean.
target_sources(linecheck_media PRIVATE
  tones/music.cpp
  tones/plan.cpp
  tones/plan_table.cpp
  tones/spectrum.cpp
  tones/tracker.cpp
)
linecheck_optimise(tones/music.cpp tones/spectrum.cpp tones/tracker.cpp)
