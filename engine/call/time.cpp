// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/time.h"

#include <time.h>

#include <cstdio>

namespace linecheck::engine {
namespace {

timespec read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return now;
}

std::string text_of(const timespec& now) {
  tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                now.tv_nsec / 1000);
  return text;
}

}  // namespace

std::int64_t mono_ns() {
  const timespec now = read(CLOCK_MONOTONIC);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

std::int64_t unix_ms() {
  const timespec now = read(CLOCK_REALTIME);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

std::string utc_now() {
  return text_of(read(CLOCK_REALTIME));
}

std::string utc_text(std::int64_t unix_ms) {
  timespec moment{};
  moment.tv_sec = unix_ms / 1000;
  moment.tv_nsec = unix_ms % 1000 * 1'000'000;
  return text_of(moment);
}

}  // namespace linecheck::engine
