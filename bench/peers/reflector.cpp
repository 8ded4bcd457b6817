// SPDX-License-Identifier: GPL-3.0-or-later
//
// The far end of `scripts/bench media`, the same for us and for SIPp: answers calls, answers each RTP packet
// with one of its own, and is the independent witness of how the packets came. All calls share one SIP and
// one media socket, which are read and written in batches, so that one core serves thousands of them.
//
//   bench_reflector HOST SIP_PORT MEDIA_PORT CODEC      codec: pcmu, pcma, g722, opus
//
// Prints "ready", then obeys lines on its standard input: `begin` starts a window, `end` prints what was seen
// in it as one line of JSON; at the end of its input it ends. With G.711 it talks (3 s of sound, 4 s of
// silence), so that turn detectors have something to detect; with the other codecs it sends back what it
// gets.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/peers/reflector_sip.h"
#include "bench/peers/reflector_stats.h"

namespace linecheck::bench {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMost = 1500;
constexpr std::size_t kHeader = 12;
constexpr std::size_t kFrame = 160;
constexpr std::size_t kTalkFrames = 150;   // 3 s
constexpr std::size_t kCycleFrames = 350;  // 7 s
// Between two looks at the sockets. Arrival times are the kernel's, so that nothing depends on it but the
// size of the batches.
constexpr long kNapNs = 300'000;

std::int64_t now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "bench_reflector: %s: %s\n", what, std::strerror(errno));
  std::_Exit(3);
}

int bound(const char* host, int port) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  const int on = 1;
  const int room = 64 << 20;
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
  for (const int option : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    if (setsockopt(fd, SOL_SOCKET, option, &room, sizeof(room)) != 0) {
      setsockopt(fd, SOL_SOCKET, option == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF, &room, sizeof(room));
    }
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("address");
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) die("bind");
  return fd;
}

// ITU-T G.711, from its definition: not the encoder that is measured.
std::uint8_t g711(int sample, bool a_law) {
  const bool negative = sample < 0;
  int magnitude = std::min(negative ? -sample : sample, 32'635);
  if (!a_law) magnitude += 132;
  int segment = 7;
  for (int top = 0x4000; segment > 0 && (magnitude & top) == 0; top >>= 1) --segment;
  const int step = a_law && segment == 0 ? magnitude >> 4 : magnitude >> (segment + 3);
  const int code = (segment << 4) | (step & 0x0F);
  if (a_law) return static_cast<std::uint8_t>((negative ? code : code | 0x80) ^ 0x55);
  return static_cast<std::uint8_t>(~(negative ? code | 0x80 : code));
}

/// Something that swells four times a second, as syllables do, at about -20 dBov.
std::vector<std::uint8_t> talk(bool a_law) {
  std::vector<std::uint8_t> bytes(kCycleFrames * kFrame, g711(0, a_law));
  std::uint32_t random = 1;
  double low = 0;
  for (std::size_t i = 0; i < kTalkFrames * kFrame; ++i) {
    random = random * 1664525 + 1013904223;
    low += 0.3 * (static_cast<double>(static_cast<std::int32_t>(random) >> 16) - low);
    const double swell = 0.6 + 0.4 * std::sin(2 * M_PI * 4 * static_cast<double>(i) / 8000);
    bytes[i] = g711(static_cast<int>(0.35 * swell * low), a_law);
  }
  return bytes;
}

class Reflector {
 public:
  Reflector(const char* host, int sip_port, int media_port, const std::string& codec)
      : sip_(bound(host, sip_port)), media_(bound(host, media_port)) {
    answerer_ = {.host = host, .sip_port = sip_port, .media_port = media_port};
    if (codec == "pcma") {
      answerer_.codec = "PCMA";
      answerer_.static_payload_type = 8;
    } else if (codec == "g722") {
      answerer_.codec = "G722";
      answerer_.static_payload_type = 9;
    } else if (codec == "opus") {
      answerer_.codec = "opus";
      answerer_.static_payload_type = 111;
    }
    if (codec == "pcmu" || codec == "pcma") talk_ = talk(codec == "pcma");
    for (std::size_t i = 0; i < kBatch; ++i) {
      in_[i] = {packets_[i].data(), packets_[i].size()};
      out_[i] = {packets_[i].data(), 0};
    }
  }

  int run() {
    std::puts("ready");
    std::fflush(stdout);
    std::array<pollfd, 3> waiting{{{STDIN_FILENO, POLLIN, 0}, {sip_, POLLIN, 0}, {media_, POLLIN, 0}}};
    while (::poll(waiting.data(), waiting.size(), 1000) >= 0 || errno == EINTR) {
      if (waiting[2].revents != 0) {
        while (media_batch() == kBatch) {
        }
      }
      if (waiting[1].revents != 0) calls();
      if (waiting[0].revents != 0 && !command()) return 0;
      const timespec nap{0, kNapNs};
      nanosleep(&nap, nullptr);
    }
    return 3;
  }

 private:
  std::size_t media_batch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      msghdr& header = messages_[i].msg_hdr;
      header = {};
      header.msg_name = &sources_[i];
      header.msg_namelen = sizeof(sources_[i]);
      header.msg_iov = &in_[i];
      header.msg_iovlen = 1;
      header.msg_control = controls_[i].bytes.data();
      header.msg_controllen = controls_[i].bytes.size();
    }
    const int got = ::recvmmsg(media_, messages_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got <= 0) return 0;
    unsigned answers = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
      const std::size_t size = messages_[i].msg_len;
      if (size < kHeader) continue;
      const std::int64_t arrival_ns = note_control(messages_[i].msg_hdr);
      std::uint8_t* rtp = packets_[i].data();
      const auto word = [&](std::size_t at) {
        return static_cast<std::uint32_t>(rtp[at] << 24 | rtp[at + 1] << 16 | rtp[at + 2] << 8 | rtp[at + 3]);
      };
      if ((rtp[0] >> 6) != 2 || (rtp[1] & 0x7F) >= 64) continue;  // RTCP has types 192-223 (RFC 5761)
      Stream& stream = statistics_.stream(ntohs(sources_[i].sin_port), word(8));
      statistics_.add(stream, static_cast<std::uint16_t>(word(0)), arrival_ns);
      reply(stream, rtp);
      out_[i].iov_len = size;
      msghdr& header = replies_[answers++].msg_hdr;
      header = {};
      header.msg_name = &sources_[i];
      header.msg_namelen = sizeof(sources_[i]);
      header.msg_iov = &out_[i];
      header.msg_iovlen = 1;
    }
    for (unsigned sent = 0; sent < answers;) {
      const int now = ::sendmmsg(media_, &replies_[sent], answers - sent, 0);
      if (now <= 0) {
        ++unsent_;
        ++sent;
      } else {
        sent += static_cast<unsigned>(now);
      }
    }
    return static_cast<std::size_t>(got);
  }

  // Turns a packet into the next one of our own half of the call.
  void reply(Stream& stream, std::uint8_t* rtp) {
    const std::uint16_t sequence = stream.out_sequence++;
    rtp[2] = static_cast<std::uint8_t>(sequence >> 8);
    rtp[3] = static_cast<std::uint8_t>(sequence);
    rtp[1] &= 0x7F;
    rtp[8] ^= 0x5E;  // an SSRC of our own for each of theirs
    if (talk_.empty()) return;
    const std::uint32_t timestamp = stream.out_timestamp;
    stream.out_timestamp += kFrame;
    for (int i = 0; i < 4; ++i) rtp[4 + i] = static_cast<std::uint8_t>(timestamp >> (24 - 8 * i));
    std::memcpy(rtp + kHeader, &talk_[sequence % kCycleFrames * kFrame], kFrame);
  }

  std::int64_t note_control(const msghdr& header) {
    std::int64_t arrival_ns = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
      if (c->cmsg_level != SOL_SOCKET) continue;
      if (c->cmsg_type == SCM_TIMESTAMPNS) {
        timespec stamp{};
        std::memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
        arrival_ns = std::int64_t{stamp.tv_sec} * 1'000'000'000 + stamp.tv_nsec;
      } else if (c->cmsg_type == SO_RXQ_OVFL) {
        std::memcpy(&overflow_, CMSG_DATA(c), sizeof(overflow_));
      }
    }
    return arrival_ns;
  }

  void calls() {
    std::array<char, 8192> message{};
    for (int i = 0; i < 256; ++i) {
      sockaddr_in from{};
      socklen_t size = sizeof(from);
      const ssize_t got = ::recvfrom(sip_, message.data(), message.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 0) return;
      const std::string_view text(message.data(), static_cast<std::size_t>(got));
      if (text.starts_with("BYE ")) ++byes_;
      const auto answer = answerer_.answer(text);
      if (answer) {
        ::sendto(sip_, answer->data(), answer->size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
      }
    }
  }

  bool command() {
    std::array<char, 256> text{};
    const ssize_t got = ::read(STDIN_FILENO, text.data(), text.size());
    if (got <= 0) return false;
    const std::string_view word(text.data(), static_cast<std::size_t>(got));
    if (word.starts_with("begin")) {
      statistics_.begin();
      unsent_ = 0;
      overflow_before_ = overflow_;
      began_ns_ = now_ns(CLOCK_MONOTONIC);
      cpu_ns_ = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    } else if (word.starts_with("end")) {
      report();
    }
    return true;
  }

  void report() {
    const Statistics::Totals sum = statistics_.totals();
    const double seconds = static_cast<double>(now_ns(CLOCK_MONOTONIC) - began_ns_) / 1e9;
    const double busy = static_cast<double>(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns_) / 1e9 / seconds;
    std::printf(
        "{\"seconds\": %.3f, \"streams\": %llu, \"packets\": %llu, \"lost\": %llu, \"dropped_here\": %u, "
        "\"unsent\": %llu, \"busy\": %.3f, \"gaps\": %llu, \"gaps_over_30_ms\": %llu, "
        "\"p50\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f, \"byes\": %llu}\n",
        seconds, static_cast<unsigned long long>(sum.streams), static_cast<unsigned long long>(sum.received),
        static_cast<unsigned long long>(sum.lost), overflow_ - overflow_before_,
        static_cast<unsigned long long>(unsent_), busy, static_cast<unsigned long long>(statistics_.gaps()),
        static_cast<unsigned long long>(statistics_.over_30_ms()), statistics_.off_by_ms(0.5),
        statistics_.off_by_ms(0.99), statistics_.off_by_ms(0.999), statistics_.off_by_ms(1),
        static_cast<unsigned long long>(byes_));
    std::fflush(stdout);
  }

  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec)) + CMSG_SPACE(sizeof(std::uint32_t))> bytes;
  };

  int sip_;
  int media_;
  Answerer answerer_;
  Statistics statistics_;
  std::vector<std::uint8_t> talk_;
  std::array<std::array<std::uint8_t, kMost>, kBatch> packets_{};
  std::array<mmsghdr, kBatch> messages_{};
  std::array<mmsghdr, kBatch> replies_{};
  std::array<iovec, kBatch> in_{};
  std::array<iovec, kBatch> out_{};
  std::array<sockaddr_in, kBatch> sources_{};
  std::array<Control, kBatch> controls_{};
  std::uint32_t overflow_ = 0;
  std::uint32_t overflow_before_ = 0;
  std::uint64_t unsent_ = 0;
  std::uint64_t byes_ = 0;  // since the start
  std::int64_t began_ns_ = 0;
  std::int64_t cpu_ns_ = 0;
};

}  // namespace
}  // namespace linecheck::bench

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "usage: bench_reflector HOST SIP_PORT MEDIA_PORT pcmu|pcma|g722|opus\n");
    return 2;
  }
  static linecheck::bench::Reflector reflector(arguments[1], std::atoi(arguments[2]), std::atoi(arguments[3]),
                                               arguments[4]);
  return reflector.run();
}
