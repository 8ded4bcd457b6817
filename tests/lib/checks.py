# SPDX-License-Identifier: GPL-3.0-or-later
"""One line for each check, as tap.sh writes them. A test ends with sys.exit(checks.failed)."""

failed = 0


def check(what, good, about=""):
    global failed
    print(("ok - " if good else "not ok - ") + what, flush=True)
    if not good:
        failed = 1
        print("    " + str(about)[-1500:].replace("\n", "\n    "), flush=True)
