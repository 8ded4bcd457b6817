# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The steps of scripts/test: what each prints is shown as it comes and counted afterwards, doctest's own summary lines
# and the lines of tap.sh alike; at the end come a table of times, what was skipped and why, and the closing line.

STEP_TABLE=()
STEP_PASSED=0 STEP_FAILED=0 STEP_SKIPPED=0
STEP_SKIPS=() STEP_FAILURES=()
STEP_FILTER='' STEP_MS=''

steps_begin() {
  STEP_FILTER="$1"
  STEP_START=$(now_ms)
  STEP_LOG="$(mktemp)"
  trap 'rm -f "$STEP_LOG"; end_behind' EXIT
}

# step NAME COMMAND...: the command's own exit code matters only when it printed no failure to count.
step() {
  local name="$1" begun code=0 p=0 f=0 s=0 line took
  shift
  begun=$(now_ms)
  say "$name"
  { "$@" 2>&1 | tee "$STEP_LOG"; } || code=$?
  while IFS= read -r line; do
    case "$line" in
      'ok - '*) p=$((p + 1)) ;;
      'not ok - '*)
        f=$((f + 1))
        STEP_FAILURES+=("$name: ${line#not ok - }")
        ;;
      'skip - '*)
        s=$((s + 1))
        STEP_SKIPS+=("$name: ${line#skip - }")
        ;;
      '[doctest] test cases:'*)
        [[ "$line" =~ ([0-9]+)\ passed.*\ ([0-9]+)\ failed.*\ ([0-9]+)\ skipped ]] || continue
        p=$((p + BASH_REMATCH[1]))
        f=$((f + BASH_REMATCH[2]))
        ((BASH_REMATCH[2] == 0)) || STEP_FAILURES+=("$name: ${BASH_REMATCH[2]} test cases")
        # With a filter, what it leaves out is no news.
        if [[ -z "$STEP_FILTER" ]] && ((BASH_REMATCH[3] > 0)); then
          s=$((s + BASH_REMATCH[3]))
          STEP_SKIPS+=("$name: ${BASH_REMATCH[3]} test cases marked as skipped in the sources")
        fi
        ;;
    esac
  done <"$STEP_LOG"
  if ((code != 0 && f == 0)); then
    f=1
    STEP_FAILURES+=("$name: ended with $code")
  fi
  STEP_PASSED=$((STEP_PASSED + p)) STEP_FAILED=$((STEP_FAILED + f)) STEP_SKIPPED=$((STEP_SKIPPED + s))
  took="${STEP_MS:-$(($(now_ms) - begun))}"
  STEP_TABLE+=("$(printf '%-28s %7.1f s %6d passed %4d failed %4d skipped%s' \
    "$name" "$((took / 100))e-1" "$p" "$f" "$s" "${STEP_MS:+, beside others}")")
}

# skip_step NAME REASON
skip_step() {
  STEP_SKIPPED=$((STEP_SKIPPED + 1))
  STEP_SKIPS+=("$1 # $2")
}

steps_end() {
  local row
  printf '\n'
  for row in "${STEP_TABLE[@]}"; do printf '%s\n' "$row"; done
  printf '%-28s %7.1f s\n' "in all" "$((($(now_ms) - STEP_START) / 100))e-1"
  if ((${#STEP_SKIPS[@]} > 0)); then
    printf '\nskipped:\n'
    printf '  %s\n' "${STEP_SKIPS[@]}"
  fi
  if ((${#STEP_FAILURES[@]} > 0)); then
    printf '\n%sfailed:%s\n' "$RED" "$PLAIN"
    printf '  %s\n' "${STEP_FAILURES[@]}"
  fi
  printf '\n%d passed, %d failed, %d skipped\n' "$STEP_PASSED" "$STEP_FAILED" "$STEP_SKIPPED"
  ((STEP_FAILED == 0))
}

build_checked() { # PRESET [TARGET...]
  judge_build "$1" build "$@"
}

judge_build() { # PRESET COMMAND...
  local preset="$1"
  shift
  if "$@"; then
    echo "ok - the $preset build has no error and no warning"
  else
    echo "not ok - the $preset build has no error and no warning"
    return 1
  fi
}

# step_behind NAME: a step that was begun before with `behind`, when it has ended.
step_behind() {
  await_behind "$1"
  STEP_MS="$(time_behind "$1")"
  step "$1" shown_behind "$1"
  STEP_MS=''
}

# Without effect on a build that has no sanitizer.
sanitizer_options() {
  # Sofia, oRTP and the other libraries are not instrumented for ThreadSanitizer: only what our code does is judged.
  export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1"
  export LSAN_OPTIONS="suppressions=$REPO_ROOT/tests/sanitizers/lsan.supp:print_suppressions=0"
  export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
  export TSAN_OPTIONS="ignore_noninstrumented_modules=1:halt_on_error=1:second_deadlock_stack=1:suppressions=$REPO_ROOT/tests/sanitizers/tsan.supp"
}

# Runs every doctest program of a build, as many at a time as there are cores. A program that dies before its summary
# counts as one failure.
unit_tests() { # PRESET
  local program name code bad=0 kept
  local -a arguments=(--no-colors) programs=()
  [[ -z "$STEP_FILTER" ]] || arguments+=("--test-case=*$STEP_FILTER*")
  sanitizer_options
  for program in "$BUILD_ROOT/$1"/tests/*/*_tests; do
    [[ ! -x "$program" ]] || programs+=("$program")
  done
  kept="$(mktemp -d)"
  # shellcheck disable=SC2016  # expanded by the shells that xargs starts
  printf '%s\0' "${programs[@]}" | (cd "$BUILD_ROOT/$1" && xargs -0 -P "$(nproc)" -I {} bash -c '
    program="$1" kept="$2" limit="$3" code=0
    shift 3
    timeout -k 10 "$limit" "$program" "$@" >"$kept/${program##*/}" 2>&1 || code=$?
    echo "$code" >"$kept/${program##*/}.code"' _ {} "$kept" "${LINECHECK_UNIT_TIMEOUT:-600}" "${arguments[@]}")
  for program in "${programs[@]}"; do
    name="${program##*/}"
    code="$(cat "$kept/$name.code" 2>/dev/null || echo 1)"
    printf '%s\n' "$name"
    if ((code == 0)); then
      # A filter that nothing matches leaves "0 passed": nothing to say.
      grep -F '[doctest]' "$kept/$name" || true
    else
      bad=1
      cat "$kept/$name"
      if ((code == 124 || code == 137)); then
        echo "not ok - $name ran out of its time"
      elif ! grep -qE '^\[doctest\] test cases:.* [1-9][0-9]* failed' "$kept/$name"; then
        echo "not ok - $name ended with $code"
      fi
    fi
  done
  rm -rf "$kept"
  return "$bad"
}

# With the long campaigns of the unit tests whole.
long_unit_tests() { # PRESET
  LINECHECK_SIMULATION_SEEDS=10000 LINECHECK_UNIT_TIMEOUT=3600 unit_tests "$@"
}

# Runs every *_test.sh of a folder; with a filter, those whose name contains it.
script_tests() { # FOLDER
  local script code bad=0
  export LINECHECK="$BUILD_ROOT/release/engine/linecheck"
  for script in "$1"/*_test.sh; do
    [[ "${script##*/}" == *"$STEP_FILTER"* ]] || continue
    printf '%s\n' "$script"
    code=0
    timeout -k 10 "${LINECHECK_SCRIPT_TIMEOUT:-240}" "$script" || code=$?
    ((code == 0)) || bad=1
    # 1 is what a script ends with that has named its failures itself.
    ((code <= 1)) || echo "not ok - ${script##*/} ended with $code"
  done
  return "$bad"
}

# The whole program of a sanitizer's build, placing and answering calls.
whole_calls() { # PRESET
  sanitizer_options
  LINECHECK="$BUILD_ROOT/$1/engine/linecheck" timeout -k 10 240 tests/system/calls_test.sh
}

# Each fuzzer for so many seconds, as many at a time as there are cores, from the seeds that tests/fuzz/seeds.py writes.
# A finding is kept and named.
fuzzers() { # SECONDS
  local program target folder bad=0 running=0
  local -a targets=()
  for program in "$BUILD_ROOT"/fuzz/tests/fuzz/*_fuzz; do
    target="$(basename "$program" _fuzz)"
    targets+=("$target")
    folder="$BUILD_ROOT/fuzz/corpus/$target"
    "$REPO_ROOT/tests/fuzz/seeds.py" "$target" "$folder"
    if ((running < $(nproc))); then running=$((running + 1)); else wait -n; fi
    rm -f "$folder.passed"
    {
      timeout -k 10 "$(($1 * 3 + 60))" "$program" -max_total_time="$1" -max_len=4096 -timeout=20 \
        -artifact_prefix="$BUILD_ROOT/fuzz/finding-$target-" "$folder" >"$folder.log" 2>&1 &&
        touch "$folder.passed"
      true
    } &
  done
  wait
  for target in "${targets[@]}"; do
    folder="$BUILD_ROOT/fuzz/corpus/$target"
    if [[ -e "$folder.passed" ]]; then
      echo "ok - nothing found by the $target fuzzer in $1 s"
    else
      bad=1
      tail -n 40 "$folder.log"
      echo "not ok - nothing found by the $target fuzzer in $1 s (see $BUILD_ROOT/fuzz/finding-$target-*)"
    fi
  done
  return "$bad"
}
