#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# clang-tidy over the sources, with the debug build's compile commands (the others compile several at a time).
#
#   tidy.sh --all      every source
#   tidy.sh SECONDS    what has changed since origin/main, then others in turn (a different start for each commit),
#                      until the time is up; the rest is named as skipped
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO_ROOT/scripts/lib/tap.sh"
source "$REPO_ROOT/scripts/lib/build.sh"
cd "$REPO_ROOT"

budget="${1:---all}"
database="$BUILD_ROOT/debug"
configure debug >&2
git() { command git -c safe.directory='*' "$@"; }

mapfile -t all < <(git ls-files 'media/*.cpp' 'sip/*.cpp' 'scheduler/*.cpp' 'engine/*.cpp')
total=${#all[@]}
if [[ "$budget" == --all ]]; then
  queue=("${all[@]}")
  deadline=0
else
  start=$(($(git rev-list --count HEAD) * 7 % (total > 0 ? total : 1)))
  mapfile -t changed < <(git diff --name-only --diff-filter=d origin/main -- 'media/*.cpp' 'sip/*.cpp' 'scheduler/*.cpp' \
    'engine/*.cpp' 2>/dev/null || true)
  mapfile -t queue < <(printf '%s\n' "${changed[@]}" "${all[@]:start}" "${all[@]:0:start}" | awk 'NF && !seen[$0]++')
  deadline=$(($(now_ms) / 1000 + budget))
fi

logs="$(mktemp -d)"
trap 'rm -rf "$logs"' EXIT
# clang 14 knows coroutines but does not say so to libstdc++ 12, which then hides <coroutine>.
one() { # DEADLINE LOGS DATABASE FILE
  (($1 == 0 || EPOCHSECONDS < $1)) || exit 0
  log="$2/${4//\//_}"
  if clang-tidy --quiet -p "$3" --extra-arg=-Wno-unknown-warning-option --extra-arg=-D__cpp_impl_coroutine=201902L \
    "$4" >"$log" 2>"$log.err"; then
    echo "$4" >"$log.ok"
  else
    echo "$4" >"$log.bad"
    grep -v 'warnings\? generated' "$log.err" >>"$log" || true
  fi
}
export -f one
printf '%s\n' "${queue[@]}" | xargs -r -P "$(nproc)" -I{} bash -c 'one "$@"' _ "$deadline" "$logs" "$database" {}

shopt -s nullglob
passed=("$logs"/*.ok)
for bad in "$logs"/*.bad; do
  not_ok "clang-tidy $(cat "$bad")" "$(cat "${bad%.bad}")"
done
failed=("$logs"/*.bad)
done_count=$((${#passed[@]} + ${#failed[@]}))
[[ ${#failed[@]} -gt 0 ]] || ok "clang-tidy finds nothing in $done_count of $total sources"
((done_count == total)) ||
  skip "clang-tidy of $((total - done_count)) sources" "the short run has ${budget} s for it; scripts/test --long does them all"
tap_exit
