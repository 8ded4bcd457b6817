// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/call/synthesis.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <utility>

#include "engine/call/offload.h"

namespace linecheck::engine {
namespace {

/// Shared with the completions, which may come after the coroutine has been cancelled.
struct Batch {
  explicit Batch(boost::asio::any_io_executor executor) : all_done(executor) {}
  boost::asio::steady_timer all_done;
  std::vector<SynthResult> results;
  std::size_t left = 0;
};

/// Noise is the same for every call on purpose: the seed is fixed, and so a bed can be shared.
constexpr std::uint64_t kNoiseSeed = 1;

}  // namespace

boost::asio::awaitable<std::vector<SynthResult>> synthesize_all(Voices& voices, VoiceSpec voice,
                                                                std::vector<std::string> texts) {
  auto executor = co_await boost::asio::this_coro::executor;
  auto batch = std::make_shared<Batch>(executor);
  batch->results.resize(texts.size());
  batch->left = texts.size();
  batch->all_done.expires_at(std::chrono::steady_clock::time_point::max());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    voices.synthesize(voice, texts[i], [batch, executor, i](const SynthResult& result) {
      boost::asio::post(executor, [batch, i, result] {
        batch->results[i] = result;
        if (--batch->left == 0) batch->all_done.cancel();
      });
    });
  }
  while (batch->left > 0) {
    boost::system::error_code woken;
    co_await batch->all_done.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
  }
  co_return std::move(batch->results);
}

boost::asio::awaitable<media::ClipPtr> shared_noise_bed(boost::asio::thread_pool& pool, std::string name,
                                                        double snr_db, int rate) {
  static std::mutex guard;  // calls of several dispatchers may share it
  static std::map<std::tuple<std::string, double, int>, media::ClipPtr> beds;
  if (name.empty() || name == "off") co_return nullptr;
  auto key = std::make_tuple(name, snr_db, rate);
  {
    const std::lock_guard lock(guard);
    const auto found = beds.find(key);
    if (found != beds.end()) co_return found->second;
  }
  auto make = [name, snr_db, rate] { return make_noise_bed(name, snr_db, kNoiseSeed, {}, rate); };
  NoiseBed bed = co_await offload(pool, std::move(make));
  const std::lock_guard lock(guard);
  beds.emplace(std::move(key), bed.clip);
  co_return bed.clip;
}

}  // namespace linecheck::engine
