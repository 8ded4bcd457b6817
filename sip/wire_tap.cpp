// SPDX-License-Identifier: GPL-3.0-or-later
#include "sip/wire_tap.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

#include <algorithm>

#include "sip/clock.h"

namespace linecheck::sip {
namespace {

thread_local WireSink* t_sink = nullptr;
thread_local unsigned long long t_received = 0;

std::string join(const std::string& host, unsigned port) {
  const bool v6 = host.find(':') != std::string::npos && host.front() != '[';
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string remote_of(msg_t* message) {
  const su_sockaddr_t* address = msg_addr(message);
  char text[INET6_ADDRSTRLEN] = "";
  if (address->su_family == AF_INET6)
    inet_ntop(AF_INET6, &address->su_sin6.sin6_addr, text, sizeof text);
  else
    inet_ntop(AF_INET, &address->su_sin.sin_addr, text, sizeof text);
  return join(text, ntohs(address->su_port));
}

void tap(const tport_t* transport, msg_t* message, std::size_t size, const su_iovec_t* pieces,
         std::size_t count, bool sent) {
  WireMessage out;
  out.mono_ns = mono_now_ns();
  out.sent = sent;
  const tp_name_t* name = tport_name(transport);
  out.transport = name->tpn_proto != nullptr ? name->tpn_proto : "udp";
  std::transform(out.transport.begin(), out.transport.end(), out.transport.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  out.local = std::string(name->tpn_host != nullptr ? name->tpn_host : "") + ":" +
              (name->tpn_port != nullptr ? name->tpn_port : "");
  out.remote = remote_of(message);
  out.text.reserve(size);
  for (std::size_t i = 0; i < count && out.text.size() < size; ++i) {
    const std::size_t length = std::min<std::size_t>(pieces[i].siv_len, size - out.text.size());
    out.text.append(static_cast<const char*>(pieces[i].siv_base), length);
  }
  t_sink->on_wire(std::move(out));
}

}  // namespace

void set_wire_sink(WireSink* sink) {
  t_sink = sink;
}

unsigned long long wire_messages_received() {
  return t_received;
}

}  // namespace linecheck::sip

// The name and the parameters are Sofia's (tport/tport_internal.h of 1.12.11 and later).
extern "C" void tport_dump_iovec(const tport_t* self, msg_t* msg, std::size_t n, const su_iovec_t iov[],
                                 std::size_t iovused, const char* what, const char* /*how*/) noexcept {
  if (what == nullptr || what[0] != 's') ++linecheck::sip::t_received;
  if (linecheck::sip::t_sink == nullptr || self == nullptr || msg == nullptr) return;
  try {
    linecheck::sip::tap(self, msg, n, iov, iovused, what != nullptr && what[0] == 's');
  } catch (...) {  // out of memory: a message is missing in the trace, the call goes on
  }
}

namespace linecheck::sip {

bool wire_tap_in_place() {
  // What the dynamic linker finds first is what the library calls.
  return dlsym(RTLD_DEFAULT, "tport_dump_iovec") == reinterpret_cast<void*>(&tport_dump_iovec);
}

}  // namespace linecheck::sip
