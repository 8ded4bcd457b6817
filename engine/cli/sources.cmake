# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  cli/agent_command.cpp
  cli/check_command.cpp
  cli/files.cpp
  cli/look_commands.cpp
  cli/run_command.cpp
)
