# SPDX-License-Identifier: GPL-3.0-or-later
target_sources(linecheck_engine PRIVATE
  daemon/admin_socket.cpp
  daemon/commands.cpp
  daemon/config.cpp
  daemon/credentials.cpp
  daemon/daemon.cpp
  daemon/dispatcher.cpp
  daemon/dispatcher_calls.cpp
  daemon/job_folder.cpp
  daemon/local_address.cpp
  daemon/log.cpp
  daemon/notify.cpp
  daemon/open_result.cpp
  daemon/preflight.cpp
  daemon/reload.cpp
  daemon/result_files.cpp
  daemon/settings.cpp
  daemon/sip_config.cpp
  daemon/store_writer.cpp
  daemon/trigger.cpp
  daemon/watch.cpp
  daemon/webhook.cpp
)

# The commit is read when the build is configured; a build outside git says so.
execute_process(COMMAND git -C "${CMAKE_SOURCE_DIR}" rev-parse --short=12 HEAD
  OUTPUT_VARIABLE LINECHECK_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT LINECHECK_COMMIT)
  set(LINECHECK_COMMIT "unknown")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/version.h.in" "${CMAKE_BINARY_DIR}/generated/engine/daemon/version.h" @ONLY)
target_include_directories(linecheck_engine PUBLIC "${CMAKE_BINARY_DIR}/generated")
