// SPDX-License-Identifier: GPL-3.0-or-later
//
// The messages of the calls in progress at one endpoint, kept by Call-ID. Only the endpoint's thread uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sip/types.h"
#include "sip/wire_tap.h"

namespace linecheck::sip {

/// What is read of a message for filing it.
struct MessageFacts {
  std::string start_line;
  std::string call_id;
  std::string cseq_method;
  std::string method;  ///< of a request; empty: it is a response
  int status = 0;      ///< of a response
};
[[nodiscard]] MessageFacts facts_of(std::string_view message);

/// The message with what follows the scheme in (Proxy-)Authorization replaced.
[[nodiscard]] std::string masked(std::string_view message);

class TraceBook : public WireSink {
 public:
  enum class Note { invite_sent, ack_received };
  /// `note` is called from within on_wire(): it must only remember.
  TraceBook(std::size_t limit, std::function<void(const std::string& call_id, Note)> note);

  void on_wire(WireMessage&& message) noexcept override;

  /// Messages of this call are kept from now on; those of an INVITE that just came in are there already.
  void claim(const std::string& call_id);
  struct Taken {
    std::vector<TraceMessage> messages;
    bool truncated = false;
  };
  /// Ends what claim() began.
  [[nodiscard]] Taken take(const std::string& call_id);

  // Times of messages of a claimed call; nullopt: there was none.
  [[nodiscard]] std::optional<std::int64_t> first_request(const std::string& call_id, bool sent,
                                                          std::string_view method) const;
  [[nodiscard]] std::optional<std::int64_t> last_request(const std::string& call_id, bool sent,
                                                         std::string_view method) const;
  /// status 0: any.
  [[nodiscard]] std::optional<std::int64_t> first_response(const std::string& call_id, bool sent,
                                                           std::string_view method, int status) const;
  [[nodiscard]] std::optional<std::int64_t> last_response(const std::string& call_id, bool sent,
                                                          std::string_view method, int status) const;
  /// Where the call's first message came from; empty: none came.
  [[nodiscard]] std::string source(const std::string& call_id) const;

  [[nodiscard]] std::size_t size() const { return calls_.size(); }

 private:
  struct Entry {
    TraceMessage message;
    std::string method;  ///< a request's, or that of a response's CSeq
    int status = 0;
  };
  struct Call {
    std::vector<Entry> entries;
    bool truncated = false;
    int claims = 0;
  };
  template <class Iterator, class Match>
  static std::optional<std::int64_t> time_of(Iterator begin, Iterator end, Match match);
  const Call* find(const std::string& call_id) const;
  void forget_unclaimed(std::int64_t now_ns);

  std::size_t limit_;
  std::function<void(const std::string&, Note)> note_;
  std::unordered_map<std::string, Call> calls_;
  struct Unclaimed {
    std::int64_t since_ns;
    std::string call_id;
  };
  std::deque<Unclaimed> unclaimed_;
};

}  // namespace linecheck::sip
