// SPDX-License-Identifier: GPL-3.0-or-later
//
// The voices and the noise beds, for coroutines of the control thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <string>
#include <vector>

#include "engine/persona/noise.h"
#include "engine/persona/voices.h"

namespace linecheck::engine {

/// All texts in one voice, in their order; errors are in the results.
boost::asio::awaitable<std::vector<SynthResult>> synthesize_all(Voices& voices, VoiceSpec voice,
                                                                std::vector<std::string> texts);

/// The bed of that name, made once for each (name, SNR, rate) in this process and shared. Null for "off".
/// Every call starts it at its beginning, so a call can be repeated sample by sample. Throws like
/// make_noise_bed.
boost::asio::awaitable<media::ClipPtr> shared_noise_bed(boost::asio::thread_pool& pool, std::string name,
                                                        double snr_db, int rate);

}  // namespace linecheck::engine
