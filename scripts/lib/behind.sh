# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What is done behind the steps that wait for real time: one after the other, on what those leave of the processor.

declare -A BEHIND_PIDS=() BEHIND_CODES=()
BEHIND_LAST='' BEHIND_LOGS=''

# behind NAME COMMAND...: begins when the one before it has ended, whatever came of that.
behind() {
  local name="$1" before="$BEHIND_LAST"
  shift
  [[ -n "$BEHIND_LOGS" ]] || BEHIND_LOGS="$(mktemp -d)"
  set -m # a process group of its own, so that all of it can be given up
  (
    set +m
    [[ -z "$before" ]] || tail --pid="$before" -s 0.2 -f /dev/null
    chrt --idle -p 0 "$BASHPID" 2>/dev/null || renice -n 19 -p "$BASHPID" >/dev/null
    begun=$(now_ms)
    code=0
    "$@" || code=$?
    echo $(($(now_ms) - begun)) >"$BEHIND_LOGS/$name.ms"
    exit "$code"
  ) >"$BEHIND_LOGS/$name" 2>&1 </dev/null &
  BEHIND_LAST=$!
  set +m
  BEHIND_PIDS[$name]=$BEHIND_LAST
}

# await_behind NAME: to be called by the shell that began it.
await_behind() {
  local code=0
  wait "${BEHIND_PIDS[$1]}" || code=$?
  unset "BEHIND_PIDS[$1]"
  BEHIND_CODES[$1]=$code
}

# What the command printed, and its exit code.
shown_behind() { # NAME
  cat "$BEHIND_LOGS/$1"
  return "${BEHIND_CODES[$1]}"
}

# How long it took, ms.
time_behind() { # NAME
  cat "$BEHIND_LOGS/$1.ms" 2>/dev/null || echo 0
}

# What has not ended is given up.
end_behind() {
  local pid
  for pid in "${BEHIND_PIDS[@]}"; do kill -- "-$pid" 2>/dev/null || true; done
  [[ -z "$BEHIND_LOGS" ]] || rm -rf "$BEHIND_LOGS"
}
