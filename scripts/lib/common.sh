# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What every script here begins with: strict mode, the root of the tree, words for the user.
set -euo pipefail

REPO_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
export REPO_ROOT
export LC_ALL=C.UTF-8

# Colours only for a person: a terminal, and NO_COLOR (no-color.org) not set.
if [[ -t 1 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
  BOLD='' RED='' GREEN='' YELLOW='' PLAIN=''
fi
export BOLD RED GREEN YELLOW PLAIN

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*" >&2; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }
die() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
  exit 1
}

# Runs a command as root: directly, else with sudo, else says what the user can do.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: run it as root, or install sudo ($*)"
  fi
}

# Whether as_root would work without asking anything of anybody.
can_be_root() { [[ $EUID -eq 0 ]] || sudo -n true 2>/dev/null; }

now_ms() { local t=$EPOCHREALTIME; echo $((${t/./} / 1000)); }
