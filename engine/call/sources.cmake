# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  call/call.cpp
  call/kept_files.cpp
  call/keys.cpp
  call/line.cpp
  call/placed_call.cpp
  call/placed_call_called.cpp
  call/placed_call_media.cpp
  call/placed_call_transfer.cpp
  call/reception.cpp
  call/encryption.cpp
  call/stream_terms.cpp
  call/switchboard.cpp
  call/synthesis.cpp
  call/time.cpp
  call/transfer.cpp
  call/waiting_runs.cpp
)
