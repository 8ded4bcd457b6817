# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  agent/attendant.cpp
  agent/behaviour.cpp
  agent/reference_agent.cpp
  agent/truth_log.cpp
)
