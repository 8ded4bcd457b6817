# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  persona/babble.cpp
  persona/clip_cache.cpp
  persona/clip_shaping.cpp
  persona/noise.cpp
  persona/noise_signals.cpp
  persona/persona.cpp
  persona/script.cpp
  persona/sound_file.cpp
  persona/speaker.cpp
  persona/spoken_text.cpp
  persona/voice_choice.cpp
  persona/voice_lists.cpp
  persona/voices.cpp
  persona/voices_client.cpp
  persona/voices_link.cpp
  persona/voices_process.cpp
  persona/voices_protocol.cpp
)
linecheck_optimise(persona/babble.cpp persona/noise.cpp persona/noise_signals.cpp)
