// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/daemon/reload.h"

#include <doctest/doctest.h>

using namespace linecheck::engine;

TEST_CASE("reload: what is different is said part by part") {
  const Fingerprints old{{"limits", 1}, {"scenario 11", 2}, {"scenario 12", 3}, {"trunk carrier", 4}};
  const Fingerprints now{{"limits", 1}, {"scenario 11", 5}, {"scenario 13", 3}, {"trunk carrier", 4}};
  CHECK(differences(old, now) ==
        std::vector<std::string>{"scenario 11 changed", "scenario 13 added", "scenario 12 removed"});
  CHECK(differences(old, old).empty());
}

TEST_CASE("reload: what a running process can't take up is named") {
  const Fingerprints old{{"state", 1}, {"media", 2}, {"limits", 3}};
  CHECK(what_takes_a_restart(old, {{"state", 1}, {"media", 2}, {"limits", 9}}).empty());
  CHECK(what_takes_a_restart(old, {{"state", 2}, {"limits", 3}}) ==
        std::vector<std::string>{"state", "media"});
}
