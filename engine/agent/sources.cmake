# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  agent/attendant.cpp
  agent/behaviour.cpp
  agent/order_listener.cpp
  agent/reference_agent.cpp
  agent/reference_agent_outbound.cpp
  agent/truth_log.cpp
)

# g++ 12 at -O2 takes the inactive alternative of a moved std::variant for uninitialised memory.
set_source_files_properties(agent/reference_agent.cpp agent/reference_agent_outbound.cpp PROPERTIES COMPILE_OPTIONS "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>")
