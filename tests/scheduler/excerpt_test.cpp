// SPDX-License-Identifier: GPL-3.0-or-later
#include "scheduler/excerpt.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/scheduler/temporary_folder.h"

using namespace linecheck::scheduler;

TEST_CASE("the line of a problem, with a caret under its place") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("f.yaml", "id: 1\n\xC3\xA9\tx: y\r\n" + std::string(300, 'a') + "b\n\n").string();
  CHECK(excerpt({file, 1, 5}) == "    id: 1\n        ^\n");
  CHECK(excerpt({file, 2, 3}) == "    \xC3\xA9 x: y \n      ^\n");
  CHECK(excerpt({file, 3, 301}) == "    " + std::string(60, 'a') + "b\n" + std::string(64, ' ') + "^\n");
  CHECK(excerpt({file, 4, 1}).empty());
  CHECK(excerpt({file, 9, 1}).empty());
  CHECK(excerpt({file, 1, 50}).empty());
  CHECK(excerpt({file, 0, 0}).empty());
  CHECK(excerpt({"/nowhere", 1, 1}).empty());
  CHECK(excerpt({folder.path().string(), 1, 1}).empty());
}
