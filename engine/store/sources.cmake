# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  store/result_store.cpp
  store/state_directory.cpp
)
