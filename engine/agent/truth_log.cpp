// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/agent/truth_log.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace linecheck::engine {

TruthLog::TruthLog(const std::string& path) {
  if (path.empty()) return;
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;  // the open below says what is wrong
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  out_.open(path, std::ios::trunc);
  if (!out_) throw std::runtime_error("the truth log '" + path + "' can't be written");
}

void TruthLog::write(const Truth& truth) {
  if (!out_.is_open()) return;
  nlohmann::ordered_json line;
  line["call_id"] = truth.call_id;
  line["mono_ns"] = truth.mono_ns;
  line["sample_in_packet"] = truth.sample_in_packet;
  line["ssrc"] = truth.ssrc;
  line["rtp_timestamp"] = truth.rtp_timestamp;
  line["event"] = truth.event;
  line["text"] = truth.text;
  out_ << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

}  // namespace linecheck::engine
