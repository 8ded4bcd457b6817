// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/sofia.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "sip/clock.h"
#include "sip/digest.h"

// Sofia's hook for its clock; exported and used by its own tests, declared in none of its headers.
extern "C" void (*_su_time)(su_time_t* now);
// Its logs of transports and transactions, which say why a request did not leave.
extern "C" su_log_t tport_log[];
extern "C" su_log_t nta_log[];

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

thread_local std::string t_complaint;  // at most one line

void no_log(void* /*stream*/, const char* /*format*/, va_list /*arguments*/) {
}

/// Keeps what a user would want to know; the rest of level 3 is chatter.
void listen_to_log(void* /*stream*/, const char* format, va_list arguments) noexcept try {
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  std::string_view text(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto holds = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (text.starts_with("err ")) {  // tls_verify_cb: "err 18:self-signed certificate"
    t_complaint =
        "the peer's certificate is not trusted (" + std::string(text.substr(text.find(':') + 1)) + ")";
  } else if (holds("Peer Subject Mismatch")) {
    t_complaint =
        "the peer's certificate is for another name than " + std::string(text.substr(text.rfind('(')));
  } else if (text.starts_with("nta_agent: tport: ")) {
    if (t_complaint.empty()) t_complaint = text.substr(18);
  }
} catch (...) {
}

}  // namespace

void sofia_init() {
  static std::once_flag once;
  std::call_once(once, [] {
    su_init();
    if (std::getenv("SOFIA_DEBUG") == nullptr) {
      su_log_redirect(nullptr, &no_log, nullptr);
      su_log_redirect(tport_log, &listen_to_log, nullptr);
      su_log_redirect(nta_log, &listen_to_log, nullptr);
      su_log_set_level(tport_log, 3);
      su_log_set_level(nta_log, 1);
    }
    install_digest();
    // Seconds since 1900, as su_time() counts them, at this moment; from here on they advance monotonically.
    const su_time_t wall = su_now();
    g_epoch_ns = static_cast<std::int64_t>(wall.tv_sec) * kBillion +
                 static_cast<std::int64_t>(wall.tv_usec) * 1000 - mono_now_ns();
    _su_time = &monotonic_time;
  });
}

std::string take_transport_complaint() {
  return std::exchange(t_complaint, {});
}

}  // namespace linecheck::sip
