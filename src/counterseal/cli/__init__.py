"""The command line: one file a command that parses, calls one use case, and shows what it answered.

``main`` is the group of all commands; it loads a command's module only when that command is used.
"""

from __future__ import annotations

from counterseal.cli.group import main

__all__ = ["main"]
