#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in anonymous namespaces that two sources of a target have: they may be compiled as one (CMAKE_UNITY_BUILD)."""
import collections
import pathlib
import re
import sys

ANONYMOUS = re.compile(r"^namespace \{\n(.*?)^\}  // namespace\n", re.M | re.S)
TYPE = r"^(?:struct|class|enum class|enum)\s+(?P<type>\w+)"
VALUE = r"^(?:const|constexpr|thread_local)\b[^\n=({]*?\b(?P<value>\w+)\s*(?:\{|=|\[)"
FUNCTION = r"^(?:template <[^>]*>\s+)?[A-Za-z_][\w:<>,&\* \[\]]*?[ &\*](?P<function>\w+)\((?P<parameters>[^\n]*)"
NAME = re.compile("|".join((TYPE, VALUE, FUNCTION)), re.M)


def names(text):
    outer = re.search(r"^namespace (linecheck[\w:]*)", text, re.M)
    for body in ANONYMOUS.findall(text):
        for found in NAME.finditer(body):
            name = found["type"] or found["value"]
            if name is None:  # functions of one name may differ in their parameters' types
                parameters = re.sub(r"\b\w+(?=[,)])", "", found["parameters"])
                name = f"{found['function']}({parameters}"
            yield outer[1] if outer else "", name


def main():
    bad = 0
    for target in ("media", "sip", "scheduler", "engine"):
        for folder in (target, f"tests/{target}"):
            where = collections.defaultdict(set)
            for path in pathlib.Path(folder).rglob("*.cpp"):
                for name in names(path.read_text()):
                    where[name].add(str(path))
            for (_, name), paths in sorted(where.items()):
                if len(paths) > 1:
                    print(f"{name}: in {' and in '.join(sorted(paths))}")
                    bad = 1
    return bad


sys.exit(main())
