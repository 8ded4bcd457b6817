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

# Builds that go on while tests run, one after the other, at idle priority: they take only what the tests leave.
declare -A BUILDERS=() BUILDER_LOGS=() BUILDER_CODES=()

begin_builds() { # PRESET...
  local preset before=$BASHPID
  local -a idle=()
  ! chrt --idle 0 true 2>/dev/null || idle=(chrt --idle 0)
  for preset in "$@"; do
    BUILDER_LOGS[$preset]="$(mktemp)"
    (
      ((before == $$)) || tail --pid="$before" -s 0.2 -f /dev/null
      configure "$preset" && exec "${idle[@]}" ninja -C "$BUILD_ROOT/$preset" --quiet
    ) >"${BUILDER_LOGS[$preset]}" 2>&1 &
    before=$!
    BUILDERS[$preset]=$before
  done
}

# await_build PRESET: waits for its end; to be called by the shell that began it. built PRESET then shows it.
await_build() {
  local code=0
  wait "${BUILDERS[$1]}" || code=$?
  unset "BUILDERS[$1]"
  BUILDER_CODES[$1]=$code
}

built() { # PRESET
  cat "${BUILDER_LOGS[$1]}"
  ((BUILDER_CODES[$1] == 0))
}

# What is still being built is given up.
end_builds() {
  [[ ${#BUILDERS[@]} -eq 0 ]] || kill "${BUILDERS[@]}" 2>/dev/null || true
  [[ ${#BUILDER_LOGS[@]} -eq 0 ]] || rm -f "${BUILDER_LOGS[@]}"
}
