# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The Debian 12 packages that are needed, by name, and how missing ones get installed.

# To build and to run.
# shellcheck disable=SC2034
BUILD_PACKAGES=(
  clang g++ cmake ninja-build pkg-config
  libsofia-sip-ua-dev libortp-dev libsrtp2-dev libspandsp-dev libopus-dev libspeexdsp-dev libsndfile1-dev
  liburing-dev flite1-dev libespeak-ng-dev espeak-ng-data
  libboost1.81-dev libyaml-cpp-dev libspdlog-dev libcli11-dev nlohmann-json3-dev libsqlite3-dev libssl-dev ca-certificates
  doctest-dev
)

# To test: the peers that we did not write, and what reads their captures and sounds.
# shellcheck disable=SC2034
TEST_PACKAGES=(git ccache clang-format clang-tidy libclang-rt-14-dev shellcheck python3 sip-tester
  curl baresip-core kamailio kamailio-tls-modules tshark sox multimon-ng openssl iproute2 systemd)

# Prints those of the named packages that are not installed, one a line.
missing_packages() {
  local installed
  installed="$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
    awk '$2 == "installed" {print $1}')" || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(sort -u <<<"$installed")
}

# install_packages NAME...: installs what is missing; asks for root only then.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    warn "this is not Debian: make sure yourself that these are there: $*"
    return 0
  fi
  local -a missing apt
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0)
  # A known package list is tried first: it is only fetched anew when it is absent or turns out to be stale.
  if apt-cache show "${missing[@]}" >/dev/null 2>&1 &&
    as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >&2; then
    return 0
  fi
  as_root "${apt[@]}" update >&2 || warn "the package lists could not all be fetched"
  as_root "${apt[@]}" install --no-install-recommends "${missing[@]}" >&2 ||
    die "these Debian packages could not be installed: ${missing[*]}
Check the network and the package sources (apt-get update), then run this again."
}
