// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>

#include "engine/call/time.h"
#include "engine/lower_case.h"
#include "engine/persona/unique_fd.h"

namespace linecheck::engine {
namespace {

constexpr char kField = '\x1f';
constexpr char kValue = '\x1e';
constexpr std::size_t kQueued = 8192;
constexpr const char* kJournal = "/run/systemd/journal/socket";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

LogLevel our_level(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return LogLevel::debug;
    case spdlog::level::info:
      return LogLevel::info;
    case spdlog::level::warn:
      return LogLevel::warn;
    case spdlog::level::off:
      return LogLevel::off;
    default:
      return LogLevel::error;
  }
}

/// Calls `field(name, value)` for each field of a payload; returns its text.
template <class Each>
std::string_view split(std::string_view payload, Each field) {
  std::size_t end = payload.find(kField);
  const std::string_view text = payload.substr(0, end);
  while (end != std::string_view::npos) {
    const std::size_t begin = end + 1;
    end = payload.find(kField, begin);
    const std::string_view one =
        payload.substr(begin, end == std::string_view::npos ? std::string_view::npos : end - begin);
    const std::size_t middle = one.find(kValue);
    if (middle != std::string_view::npos) field(one.substr(0, middle), one.substr(middle + 1));
  }
  return text;
}

/// A line stays one line, whatever a peer put into a reason.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped;
    } else {
      out += c;
    }
  }
  return out;
}

bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  if (stream == nullptr) return false;
  unsigned long long device = 0;
  unsigned long long inode = 0;
  if (std::sscanf(stream, "%llu:%llu", &device, &inode) != 2) return false;
  struct stat about {};
  return ::fstat(STDERR_FILENO, &about) == 0 && about.st_dev == device && about.st_ino == inode;
}

/// Standard error, or the journal's socket.
class OperatorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit OperatorSink(LogFormat format) : format_(format) {
    if (format_ == LogFormat::journal) socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view payload(message.payload.data(), message.payload.size());
    const Part part =
        part_named({message.logger_name.data(), message.logger_name.size()}).value_or(Part::daemon);
    const LogLevel level = our_level(message.level);
    if (format_ == LogFormat::journal && send(journal_entry(part, level, payload))) return;
    const std::string line = format_ == LogFormat::json ? json_line(utc_now(), part, level, payload)
                                                        : text_line(utc_now(), part, level, payload);
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
  void flush_() override { std::fflush(stderr); }

 private:
  bool send(const std::string& entry) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, kJournal, sizeof to.sun_path - 1);
    const void* address = &to;
    return socket_.get() >= 0 && ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                                          static_cast<const sockaddr*>(address), sizeof to) >= 0;
  }

  LogFormat format_;
  UniqueFd socket_;
};

}  // namespace

const char* to_string(Part part) {
  constexpr const char* kNames[] = {"daemon", "jobs", "calls", "watch", "admin", "http"};
  return kNames[static_cast<std::size_t>(part)];
}

const char* to_string(LogLevel level) {
  constexpr const char* kNames[] = {"debug", "info", "warn", "error", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<Part> part_named(std::string_view name) {
  for (const Part part : kParts) {
    if (name == to_string(part)) return part;
  }
  return std::nullopt;
}

std::optional<LogLevel> level_named(std::string_view name) {
  for (const LogLevel level :
       {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error, LogLevel::off}) {
    if (name == to_string(level)) return level;
  }
  return std::nullopt;
}

std::string log_payload(std::string_view text, std::initializer_list<LogField> fields) {
  const auto plain = [](std::string_view part) {
    std::string kept(part);
    for (char& c : kept) {
      if (c == kField || c == kValue) c = ' ';
    }
    return kept;
  };
  std::string payload = plain(text);
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    payload += kField;
    payload += name;
    payload += kValue;
    payload += plain(value);
  }
  return payload;
}

std::string text_line(std::string_view time, Part part, LogLevel level, std::string_view payload) {
  std::string fields;
  const std::string_view text = split(payload, [&](std::string_view name, std::string_view value) {
    fields += " " + lower_case(name) + "=" + printable(value);
  });
  return std::string(time) + " " + to_string(level) + " " + to_string(part) + ": " + printable(text) +
         fields + "\n";
}

std::string json_line(std::string_view time, Part part, LogLevel level, std::string_view payload) {
  nlohmann::ordered_json line;
  line["time"] = time;
  line["level"] = to_string(level);
  line["part"] = to_string(part);
  line["message"] = "";
  line["message"] =
      split(payload, [&](std::string_view name, std::string_view value) { line[lower_case(name)] = value; });
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string journal_entry(Part part, LogLevel level, std::string_view payload) {
  std::string entry;
  const auto add = [&entry](std::string_view name, std::string_view value) {
    entry += name;
    if (value.find('\n') == std::string_view::npos) {
      entry += '=';
    } else {  // a value of several lines: its length first, 64 bits, little-endian
      entry += '\n';
      for (unsigned shift = 0; shift < 64; shift += 8) {
        entry += static_cast<char>((static_cast<std::uint64_t>(value.size()) >> shift) & 0xffU);
      }
    }
    entry += value;
    entry += '\n';
  };
  constexpr std::array<const char*, 5> kPriorities{"7", "6", "4", "3", "7"};  // syslog(3)
  const std::string_view text = split(payload, add);
  add("MESSAGE", text);
  add("PRIORITY", kPriorities[static_cast<std::size_t>(level)]);
  add("SYSLOG_IDENTIFIER", "linecheck");
  add("PART", to_string(part));
  return entry;
}

struct Log::Inside {
  std::shared_ptr<spdlog::details::thread_pool> thread;
  std::shared_ptr<OperatorSink> sink;
  std::array<std::shared_ptr<spdlog::async_logger>, std::size(kParts)> loggers;
};

Log::Log(LogFormat format, bool quiet) : format_(format) {
  if (format_ == LogFormat::automatic) {
    format_ = stderr_is_the_journal() ? LogFormat::journal : LogFormat::text;
  }
  if (quiet) return;
  inside_ = std::make_unique<Inside>();
  inside_->thread = std::make_shared<spdlog::details::thread_pool>(kQueued, 1);
  inside_->sink = std::make_shared<OperatorSink>(format_);
  for (const Part part : kParts) {
    auto logger = std::make_shared<spdlog::async_logger>(to_string(part), inside_->sink, inside_->thread,
                                                         spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::info);
    logger->flush_on(spdlog::level::info);
    inside_->loggers[static_cast<std::size_t>(part)] = std::move(logger);
  }
}

Log::~Log() = default;

void Log::write(Part part, LogLevel level, std::string_view text, std::initializer_list<LogField> fields) {
  if (!inside_ || level == LogLevel::off) return;
  const auto& logger = inside_->loggers[static_cast<std::size_t>(part)];
  if (!logger->should_log(spdlog_level(level))) return;
  logger->log(spdlog_level(level), spdlog::string_view_t(log_payload(text, fields)));
}

void Log::set_level(Part part, LogLevel level) {
  if (inside_) inside_->loggers[static_cast<std::size_t>(part)]->set_level(spdlog_level(level));
}

LogLevel Log::level(Part part) const {
  return inside_ ? our_level(inside_->loggers[static_cast<std::size_t>(part)]->level()) : LogLevel::off;
}

void Log::flush() {
  if (inside_) inside_->loggers[0]->flush();
}

}  // namespace linecheck::engine
