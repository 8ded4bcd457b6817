// SPDX-License-Identifier: GPL-3.0-or-later
#include "media/io_ring.h"

#include <liburing.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "media/socket_message.h"

namespace linecheck::media {

class IoRing::Impl {
 public:
  Impl() {
    for (unsigned i = 0; i < kSends; ++i) {
      Outgoing& out = outgoing_[i];
      out.buffer.iov_base = out.bytes.data();
      out.header.msg_name = &out.to;
      out.header.msg_iov = &out.buffer;
      out.header.msg_iovlen = 1;
    }
  }
  ~Impl() {
    if (up_) io_uring_queue_exit(&ring_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int start() {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_COOP_TASKRUN;
    int code = io_uring_queue_init_params(2 * (kSends + kReceives), &ring_, &parameters);
    if (code == -EINVAL) {  // a kernel before 5.19
      parameters = {};
      code = io_uring_queue_init_params(2 * (kSends + kReceives), &ring_, &parameters);
    }
    up_ = code == 0;
    return code;
  }

  void send(int fd, std::span<const std::uint8_t> packet, const Address& to, std::uint64_t& failures) {
    if (sends_ == kSends) submit();
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr || packet.size() > kMaxDatagram) {
      ++failures;
      return;
    }
    Outgoing& out = outgoing_[sends_];
    std::copy(packet.begin(), packet.end(), out.bytes.begin());
    out.buffer.iov_len = packet.size();
    out.to = to;
    out.header.msg_name = const_cast<sockaddr*>(out.to.data());
    out.header.msg_namelen = out.to.size();
    out.failures = &failures;
    io_uring_prep_sendmsg(entry, fd, &out.header, MSG_DONTWAIT | MSG_NOSIGNAL);
    io_uring_sqe_set_data64(entry, sends_++);
  }

  int receive(int fd) {
    if (taking_) {
      receives_ = 0;
      taking_ = false;
    }
    if (receives_ == kReceives) return -1;
    io_uring_sqe* entry = io_uring_get_sqe(&ring_);
    if (entry == nullptr) return -1;
    Incoming& in = incoming_[receives_];
    in.message.prepare({in.bytes.data(), in.bytes.size()});
    in.result = -1;
    io_uring_prep_recvmsg(entry, fd, &in.message.header, MSG_DONTWAIT);
    io_uring_sqe_set_data64(entry, kFirstReceive + receives_);
    return static_cast<int>(receives_++);
  }

  void submit() {
    const unsigned waiting = io_uring_sq_ready(&ring_);
    if (waiting == 0) return;
    int code = 0;
    do code = io_uring_submit_and_wait(&ring_, waiting);
    while (code == -EINTR);
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_cqe* entry = nullptr;
    io_uring_for_each_cqe(&ring_, head, entry) {
      ++seen;
      if (entry->user_data >= kFirstReceive) {
        incoming_[entry->user_data - kFirstReceive].result = entry->res;
      } else if (const Outgoing& out = outgoing_[entry->user_data];
                 entry->res != static_cast<int>(out.buffer.iov_len)) {
        ++*out.failures;
      }
    }
    io_uring_cq_advance(&ring_, seen);
    sends_ = 0;
    taking_ = true;
    now_ = BothClocks::read();
  }

  bool take(int token, Datagram& datagram, std::int64_t& now_ns) {
    const Incoming& in = incoming_[static_cast<std::size_t>(token)];
    if (in.result < 0) return false;
    in.message.finish(static_cast<std::size_t>(in.result), now_, datagram);
    std::copy_n(in.bytes.begin(), datagram.size, datagram.bytes.begin());
    now_ns = now_.mono_ns;
    return true;
  }

 private:
  static constexpr std::uint64_t kFirstReceive = kSends;

  struct Outgoing {
    std::array<std::uint8_t, kMaxDatagram> bytes;
    Address to;
    iovec buffer{};
    msghdr header{};
    std::uint64_t* failures = nullptr;
  };
  struct Incoming {
    std::array<std::uint8_t, kMaxDatagram> bytes;
    SocketMessage message;
    int result = -1;
  };

  io_uring ring_{};
  bool up_ = false;
  bool taking_ = true;  // receives of the last submit() may still be taken
  unsigned sends_ = 0;
  unsigned receives_ = 0;
  BothClocks now_;
  std::array<Outgoing, kSends> outgoing_;
  std::array<Incoming, kReceives> incoming_;
};

IoRing::IoRing(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {
}
IoRing::~IoRing() = default;

std::unique_ptr<IoRing> IoRing::make(std::string& why) {
  auto impl = std::make_unique<Impl>();
  if (const int code = impl->start(); code != 0) {
    why = std::string("io_uring is not available (") + std::strerror(-code) + ")";
    return nullptr;
  }
  return std::unique_ptr<IoRing>(new IoRing(std::move(impl)));
}

void IoRing::send(int fd, std::span<const std::uint8_t> packet, const Address& to,
                  std::uint64_t& failures) noexcept {
  impl_->send(fd, packet, to, failures);
}
int IoRing::receive(int fd) noexcept {
  return impl_->receive(fd);
}
void IoRing::submit() noexcept {
  impl_->submit();
}
bool IoRing::take(int token, Datagram& datagram, std::int64_t& now_ns) noexcept {
  return impl_->take(token, datagram, now_ns);
}

}  // namespace linecheck::media
