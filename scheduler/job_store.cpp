// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/job_store.h"

namespace linecheck::scheduler {

Moment moment_now() {
  using std::chrono::duration_cast;
  Moment now;
  now.mono_ns =
      duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  now.unix_ms =
      duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  return now;
}

const char* to_string(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::completed:
      return "completed";
    case RunOutcome::failed:
      return "failed";
    case RunOutcome::timeout:
      return "timeout";
    case RunOutcome::cancelled:
      return "cancelled";
  }
  return "failed";
}

const char* to_string(ResultState state) {
  switch (state) {
    case ResultState::active:
      return "active";
    case ResultState::paused:
      return "paused";
    case ResultState::cancelling:
      return "cancelling";
    case ResultState::over:
      return "over";
    case ResultState::cancelled:
      return "cancelled";
  }
  return "active";
}

const char* to_string(Event::Kind kind) {
  switch (kind) {
    case Event::Kind::result_created:
      return "result_created";
    case Event::Kind::call_started:
      return "call_started";
    case Event::Kind::call_evaluating:
      return "call_evaluating";
    case Event::Kind::call_finished:
      return "call_finished";
    case Event::Kind::call_lost:
      return "call_lost";
    case Event::Kind::call_requeued:
      return "call_requeued";
    case Event::Kind::result_paused:
      return "result_paused";
    case Event::Kind::result_resumed:
      return "result_resumed";
    case Event::Kind::result_cancelled:
      return "result_cancelled";
    case Event::Kind::result_over:
      return "result_over";
    case Event::Kind::limits_changed:
      return "limits_changed";
    case Event::Kind::load_over:
      return "load_over";
  }
  return "";
}

}  // namespace linecheck::scheduler
