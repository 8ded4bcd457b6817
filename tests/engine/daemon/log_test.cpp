// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/log.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace linecheck::engine;

TEST_CASE("log: a line of text has its fields behind it and stays one line") {
  const std::string payload = log_payload("call ended:\nfailed", {{"RUN_ID", "274"}, {"TRUNK", ""}});
  CHECK(text_line("T", Part::calls, LogLevel::warn, payload) ==
        "T warn calls: call ended:\\x0afailed run_id=274\n");
}

TEST_CASE("log: JSON has a key for each field, whatever is in it") {
  const std::string payload = log_payload("a \"b\" \xff\x1f\x1e", {{"CALL_ID", "x\x1fy"}});
  const auto line = nlohmann::json::parse(json_line("T", Part::jobs, LogLevel::error, payload));
  CHECK(line["level"] == "error");
  CHECK(line["part"] == "jobs");
  CHECK(line["call_id"] == "x y");
  CHECK(line["message"].get<std::string>().starts_with("a \"b\" "));
}

TEST_CASE("log: the journal gets native fields, a value of several lines with its length") {
  const std::string entry =
      journal_entry(Part::calls, LogLevel::error, log_payload("one\ntwo", {{"RUN_ID", "7"}}));
  CHECK(entry.starts_with("RUN_ID=7\n"));
  CHECK(entry.find("PRIORITY=3\n") != std::string::npos);
  CHECK(entry.find("PART=calls\n") != std::string::npos);
  const std::string message = std::string("MESSAGE\n") + std::string("\x07\0\0\0\0\0\0\0", 8) + "one\ntwo\n";
  CHECK(entry.find(message) != std::string::npos);
}

TEST_CASE("log: each part has a level of its own") {
  Log log(LogFormat::text);
  CHECK(log.level(Part::calls) == LogLevel::info);
  log.set_level(Part::calls, LogLevel::off);
  log.set_level(Part::jobs, LogLevel::debug);
  CHECK(log.level(Part::calls) == LogLevel::off);
  CHECK(log.level(Part::jobs) == LogLevel::debug);
  CHECK(log.level(Part::daemon) == LogLevel::info);
  CHECK(part_named("watch") == Part::watch);
  CHECK_FALSE(part_named("wash"));
  CHECK_FALSE(level_named("loud"));
}
