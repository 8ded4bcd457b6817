#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The README's two commands, one after the other, on a Debian 12 that has nothing: a debootstrapped folder, a clone of
# this tree, and no step in between. Run by scripts/test --long.
#
# usage: bare_machine.sh [--whole] [--keep DIR]
#   --whole     scripts/test itself instead of scripts/test --quick
#   --keep DIR  the folder to use; it stays (without it: a temporary one)
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/common.sh"
source "$REPO_ROOT/scripts/lib/tap.sh"
source "$REPO_ROOT/scripts/lib/packages.sh"

test_options=(--quick)
keep=''
while [[ $# -gt 0 ]]; do
  case "$1" in
    --whole) test_options=() ;;
    --keep)
      keep="$2"
      shift
      ;;
    *) die "unknown option: $1" ;;
  esac
  shift
done

if ! can_be_root; then
  skip "the two commands on a bare machine" "needs root"
  exit 0
fi
install_packages debootstrap git

# The mirror is this machine's own.
# shellcheck disable=SC2016  # apt's placeholders, not ours
mirror="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
  awk '$2 == "bookworm" {print $1; exit}')"
if [[ -z "$mirror" ]]; then
  skip "the two commands on a bare machine" "this machine's package sources have no bookworm"
  exit 0
fi

root="${keep:-$(mktemp -d "${TMPDIR:-/tmp}/linecheck-bare.XXXXXX")}"
# mktemp's folders are for their owner only: as "/" of a machine, that would keep everybody but root from every file.
mkdir -p "$root"
chmod 755 "$root"
mounted=()
leave() {
  local at
  for at in "${mounted[@]}"; do as_root umount -l "$at" || true; done
  # Only what nothing is mounted in any more may be removed.
  if [[ -z "$keep" ]] && ! grep -qF " $root/" /proc/mounts; then as_root rm -rf --one-file-system "$root"; fi
}
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

say "debootstrap into $root"
if [[ ! -x "$root/usr/bin/apt-get" ]]; then
  as_root debootstrap --variant=minbase bookworm "$root" "$mirror" >&2
fi
# How this machine reaches its package sources (proxy, sources) holds in the folder too.
mapfile -t of_apt < <(grep -lsr Acquire /etc/apt/apt.conf /etc/apt/apt.conf.d || true)
for configured in "${of_apt[@]}" /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/trusted.gpg.d /etc/resolv.conf /etc/hosts; do
  [[ -e "$configured" ]] || continue
  as_root mkdir -p "$root$(dirname "$configured")"
  as_root cp -aL "$configured" "$root$(dirname "$configured")/"
done
for fs in proc sys dev; do
  as_root mount --rbind "/$fs" "$root/$fs"
  as_root mount --make-rslave "$root/$fs"
  mounted+=("$root/$fs")
done

as_root rm -rf "$root/opt/linecheck"
as_root git -c safe.directory='*' clone -q --no-hardlinks "$REPO_ROOT" "$root/opt/linecheck"
inside() { # a login's clean environment, without anything of ours
  as_root chroot "$root" /usr/bin/env -i HOME=/tmp TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
    bash -c 'cd /opt/linecheck && exec "$@"' _ "$@"
}

log="$(mktemp)"
begun=$(now_ms)
if inside scripts/demo 2>&1 | tee "$log"; then
  ok "scripts/demo on a bare machine ($((($(now_ms) - begun) / 1000)) s)"
else
  not_ok "scripts/demo on a bare machine" "$(tail -n 30 "$log")"
fi
for left in result.json junit.xml report.html; do
  check "it left out/demo/$left" as_root test -s "$root/opt/linecheck/out/demo/$left"
done
begun=$(now_ms)
# Its own lines are shown, but they are not counted a second time.
if inside scripts/test "${test_options[@]}" >"$log" 2>&1; then
  ok "scripts/test ${test_options[*]} on a bare machine ($((($(now_ms) - begun) / 1000)) s): $(tail -n 1 "$log")"
else
  not_ok "scripts/test ${test_options[*]} on a bare machine" "$(tail -n 60 "$log")"
fi
rm -f "$log"
tap_exit
