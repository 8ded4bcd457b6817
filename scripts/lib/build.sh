# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Configures once, then leaves it to ninja to find out what has changed.

# Where the presets' build folders are.
BUILD_ROOT="${LINECHECK_BUILD_ROOT:-$REPO_ROOT/build}"

# configure PRESET: unless it has been.
configure() {
  [[ -f "$BUILD_ROOT/$1/build.ninja" ]] || (cd "$REPO_ROOT" && cmake --preset "$1" -B "$BUILD_ROOT/$1")
}

# build PRESET [TARGET...]: into BUILD_ROOT/PRESET.
build() {
  local preset="$1" dir="$BUILD_ROOT/$1"
  shift
  local -a targets=() tool=()
  [[ $# -eq 0 ]] || targets=(--target "$@")
  [[ -t 2 ]] || tool=(-- --quiet)
  configure "$preset" >&2 || return 1
  cmake --build "$dir" "${targets[@]}" "${tool[@]}" >&2
}
