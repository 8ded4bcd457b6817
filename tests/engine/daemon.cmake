# SPDX-License-Identifier: GPL-3.0-or-later
list(APPEND engine_test_sources
  daemon/config_test.cpp
  daemon/job_folder_test.cpp
  daemon/log_test.cpp
  daemon/notify_test.cpp
  daemon/preflight_test.cpp
  daemon/reload_test.cpp
  daemon/webhook_test.cpp
)
