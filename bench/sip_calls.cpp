// SPDX-License-Identifier: GPL-3.0-or-later
//
// Places calls to a peer at a steady rate, INVITE to BYE, without media or jobs, and prints what they cost as
// JSON:
//   bench_sip_calls PEER_PORT CALLS CALLS_PER_SECOND ENDPOINTS SETTLE_SECONDS
// Run by bench/sip. Nothing here fails for being slow: it measures.
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "sip/endpoint.h"
#include "sip/sdp.h"

using namespace linecheck::sip;
using Clock = std::chrono::steady_clock;

namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Requests of ours that left more than once.
int repeats(const Finished& finished) {
  int count = 0;
  const auto& trace = finished.trace;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!trace[i].sent || !trace[k].sent || trace[i].text != trace[k].text) continue;
      ++count;
      break;
    }
  }
  return count;
}

struct Caller {
  std::atomic<int> answered{0};
  std::atomic<int> finished{0};
  std::atomic<int> retransmissions{0};
  std::atomic<Endpoint*> self{nullptr};
  std::unique_ptr<Endpoint> endpoint;

  Caller() {
    endpoint = std::make_unique<Endpoint>(EndpointOptions{}, [this](Event&& event) {
      if (std::holds_alternative<Answered>(event.what)) {
        answered.fetch_add(1);
        self.load()->hang_up(event.leg);
      } else if (const auto* over = std::get_if<Finished>(&event.what)) {
        retransmissions.fetch_add(repeats(*over));
        finished.fetch_add(1);
      }
    });
    self = endpoint.get();
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: bench_sip_calls PEER_PORT CALLS CALLS_PER_SECOND ENDPOINTS SETTLE_SECONDS\n", stderr);
    return 2;
  }
  const std::string peer = argv[1];
  const int calls = std::atoi(argv[2]);
  const double rate = std::atof(argv[3]);
  const auto endpoints = static_cast<std::size_t>(std::atoi(argv[4]));
  const double settle = std::atof(argv[5]);
  std::vector<std::unique_ptr<Caller>> callers;
  for (std::size_t i = 0; i < endpoints; ++i) callers.push_back(std::make_unique<Caller>());
  const auto sum = [&](std::atomic<int> Caller::*count) {
    int all = 0;
    for (const auto& caller : callers) all += ((*caller).*count).load();
    return all;
  };
  OfferOptions offer;
  offer.address = "127.0.0.1";
  offer.port = 12000;
  const std::string sdp = make_offer(offer);
  ::malloc_trim(0);
  const auto heap_before = static_cast<long long>(::mallinfo2().uordblks);
  const double cpu_before = cpu_seconds();
  const auto begun = Clock::now();
  for (int i = 0; i < calls; ++i) {
    std::this_thread::sleep_until(
        begun + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(i / rate)));
    Endpoint& endpoint = *callers[static_cast<std::size_t>(i) % endpoints]->endpoint;
    DialRequest request;
    request.id = endpoint.new_leg_id();
    request.target_uri = "sip:bench@127.0.0.1:" + peer;
    request.from_uri = "sip:+15550100001@127.0.0.1";
    request.sdp = sdp;
    endpoint.dial(std::move(request));
  }
  const auto limit = Clock::now() + std::chrono::seconds(40);
  while (sum(&Caller::finished) < calls && Clock::now() < limit)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const double seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  const double cpu = cpu_seconds() - cpu_before;
  // Transactions are remembered for 64*T1 = 32 s after they end.
  std::this_thread::sleep_for(std::chrono::duration<double>(settle));
  const auto heap_after = static_cast<long long>(::mallinfo2().uordblks);
  std::size_t handles = 0;
  for (const auto& caller : callers) handles += caller->endpoint->live_handles();
  const int answered = sum(&Caller::answered);
  std::printf(
      "{\"calls_per_second\": %.1f, \"seconds\": %.2f, \"cpu_us_per_call\": %.1f, \"retransmissions\": %d, "
      "\"failed_calls\": %d, \"heap_growth_bytes\": %lld, \"live_handles\": %zu}\n",
      answered / seconds, seconds, cpu * 1e6 / calls, sum(&Caller::retransmissions), calls - answered,
      heap_after - heap_before, handles);
  for (const auto& caller : callers) caller->endpoint->shutdown();
  return 0;
}
