"""Tells which modules a program imports, in whichever line of it, that this Python
does not have."""

import ast
import sys
from importlib.util import find_spec
from pathlib import Path


def imported(program):
    for node in ast.walk(ast.parse(program.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module):
                yield module


# What stands beside this file is found as each program finds it.
needed = {name.partition(".")[0] for name in imported(Path(sys.argv[1]))}
print(*sorted(name for name in needed if find_spec(name) is None))
