// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sofia.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>

#include <cstdlib>
#include <mutex>

#include "sip/clock.h"

// Sofia's hook for its clock; exported and used by its own tests, declared in none of its headers.
extern "C" void (*_su_time)(su_time_t* now);

namespace linecheck::sip {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;
std::int64_t g_epoch_ns = 0;  // added to CLOCK_MONOTONIC; set once, before any Sofia thread

void monotonic_time(su_time_t* now) {
  if (now == nullptr) return;
  const std::int64_t ns = mono_now_ns() + g_epoch_ns;
  now->tv_sec = static_cast<unsigned long>(ns / kBillion);
  now->tv_usec = static_cast<unsigned long>(ns % kBillion / 1000);
}

void no_log(void* /*stream*/, const char* /*format*/, va_list /*arguments*/) {
}

}  // namespace

void sofia_init() {
  static std::once_flag once;
  std::call_once(once, [] {
    su_init();
    if (std::getenv("SOFIA_DEBUG") == nullptr) su_log_redirect(nullptr, &no_log, nullptr);
    // Seconds since 1900, as su_time() counts them, at this moment; from here on they advance monotonically.
    const su_time_t wall = su_now();
    g_epoch_ns = static_cast<std::int64_t>(wall.tv_sec) * kBillion +
                 static_cast<std::int64_t>(wall.tv_usec) * 1000 - mono_now_ns();
    _su_time = &monotonic_time;
  });
}

}  // namespace linecheck::sip
