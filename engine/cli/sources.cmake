# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  cli/admin_client.cpp
  cli/agent_command.cpp
  cli/check_command.cpp
  cli/daemon_commands.cpp
  cli/files.cpp
  cli/foreground.cpp
  cli/key_command.cpp
  cli/look_commands.cpp
  cli/run_by_daemon.cpp
  cli/run_command.cpp
  cli/run_reports.cpp
)
