#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Checks of the sources as text: layout, layering, length, licence, and what must never be written into the tree.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO_ROOT/scripts/lib/tap.sh"
cd "$REPO_ROOT"

# What belongs to the tree: tracked files, and new ones that are not ignored.
files() { git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do
  [[ -f "$f" ]] && printf '%s\n' "$f"
done; }
scripts_of_bash() { files scripts tests bench .ci | xargs -r grep -lE -m1 '^#!.*bash|^# shellcheck shell=bash'; }

format() {
  local bad
  bad="$(files '*.h' '*.cpp' | xargs -r clang-format --dry-run -Werror 2>&1 | sed -n 's/^\([^ :]*\):[0-9].*error: .*/\1/p' | sort -u)"
  [[ -z "$bad" ]] || {
    echo "clang-format -i these:"
    echo "$bad"
    return 1
  }
}

# media, sip and scheduler know nothing of each other nor of the engine (ARCHITECTURE.md), in code and in linking.
layering() {
  local part bad=0
  for part in media sip scheduler; do
    files "$part" | xargs -r grep -nE '#include "(media|sip|scheduler|engine)/|linecheck_(media|sip|scheduler|engine)' /dev/null |
      grep -vE "^[^:]+:[0-9]+:.*(#include \"$part/|linecheck_$part)" && bad=1
  done
  files '*.h' '*.cpp' | xargs -r grep -nE '#include "\.\.?/' /dev/null && bad=1
  return "$bad"
}

lengths() {
  local f n bad=0
  while read -r f; do
    n=$(wc -l <"$f")
    if ((n > 600)); then
      echo "$f: $n lines; 600 at most: one idea each"
      bad=1
    fi
  done < <(files '*.h' '*.cpp' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' 'scripts/*')
  return "$bad"
}

licence() {
  local f bad=0
  while read -r f; do
    if ! head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-3.0-or-later'; then
      echo "$f: no SPDX line at its top"
      bad=1
    fi
  done < <(files '*.h' '*.cpp' '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' 'scripts/*' '.ci/*')
  return "$bad"
}

# Brackets around a letter keep a pattern from matching its own line here.
no_machine() {
  ! files | grep -v '^LICENSE$' | xargs -r grep -nIE \
    '(deb|security|snapshot|ftp[.a-z]*)[.]debian[.]org|archive[.]ubuntu|pypi[.]org|registry[.]npmjs|githubuserconten[t]|proxy[.]golang|[^a-z.]/wor[k]/|/roo[t]/|/hom[e]/[a-z]' /dev/null
}

no_leftovers() { ! files | grep -v '^LICENSE$' | xargs -r grep -nIE '\b(TO[D]O|FIXM[E]|XX[X]|HAC[K])\b' /dev/null; }

# g++ 12 destroys an aggregate temporary inside a co_await expression twice: named locals are moved in instead.
co_await_temporaries() {
  # shellcheck disable=SC2016
  files '*.h' '*.cpp' | xargs -r python3 -c '
import re, sys
bad = 0
for path in sys.argv[1:]:
    text = open(path).read()
    for m in re.finditer(r"\bco_await\b[^;]*;", text):
        if re.search(r"[(,]\s*\{|\{\s*\.\w+\s*=|[A-Z]\w*\{", m.group(0)):
            print(f"{path}:{text.count(chr(10), 0, m.start()) + 1}: a braced temporary inside co_await")
            bad = 1
sys.exit(bad)'
}

python_compiles() { files '*.py' | xargs -r python3 -c '
import ast, sys
for path in sys.argv[1:]:
    ast.parse(open(path).read(), path)'; }

executable_bits() {
  local f bad=0
  while read -r f; do
    if head -c 2 "$f" | grep -q '#!' && [[ ! -x "$f" ]]; then
      echo "$f: begins with #! but is not executable"
      bad=1
    fi
  done < <(files scripts tests bench .ci)
  return "$bad"
}

if command -v clang-format >/dev/null; then
  check "sources are formatted" format
else
  skip "sources are formatted" "clang-format is not installed"
fi
check "media, sip and scheduler stand alone" layering
check "no file is longer than 600 lines" lengths
check "every source names its licence" licence
check "no machine's path and no package host" no_machine
check "nothing is left for later" no_leftovers
check "no braced temporary inside co_await" co_await_temporaries
check "names are unique in each target" scripts/lib/unique_names.py
check "Python sources parse" python_compiles
check "scripts can be executed" executable_bits
if command -v shellcheck >/dev/null; then
  mapfile -t scripts < <(scripts_of_bash)
  check "shellcheck finds nothing" shellcheck -x "${scripts[@]}"
else
  skip "shellcheck finds nothing" "shellcheck is not installed"
fi
tap_exit
