// SPDX-License-Identifier: GPL-3.0-or-later
//
// A user's sound file: either it is a clip of sane length or an error that names it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "engine/persona/clip_shaping.h"
#include "engine/persona/sound_file.h"

using namespace linecheck::engine;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const int file = ::memfd_create("sound", 0);
  if (file < 0 || ::ftruncate(file, 0) != 0) std::abort();
  if (::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  try {
    (void)sound_file_seconds(path);
    constexpr double kSeconds = 2;
    constexpr int kRate = 16'000;
    const auto samples = read_sound_file(path, kSeconds, kRate);
    if (samples.empty() || samples.size() > static_cast<std::size_t>(kSeconds + 1) * kRate) std::abort();
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).empty()) std::abort();
  }
  return 0;
}
