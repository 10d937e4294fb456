"""The linter over a generation that is about to be deployed, together with the configuration that includes it.

What is wrong in our own files, or makes them unsafe from outside, stops the deploy. What is wrong elsewhere in the
user's configuration is told, and so is what two of the sites do to each other: whoever leads an open site and a closed
one to the same application has asked for both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.findings import Severity
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.gather import gather_files
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.target import HTTP_FILE, include_line

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from counterseal.authority.ground import Ground
    from counterseal.fileset import FileSet
    from counterseal.findings import Finding
    from counterseal.nginx.lint.engine import Located

REFUSED_FROM = Severity.HIGH
UNSEEN = frozenset(
    {
        "id-dn-legacy-format",
        "id-fingerprint-format",
        "id-serial-format",
        "mtls-ca-file-contains-leaf",
        "tls-key-world-readable",
        "tls-legacy-protocols",
    }
)
"""Rules below that which stop, too: no row of the proof sees what they find, and nobody can ask us for it."""


def lint_generation(files: FileSet, ground: Ground, *, now: datetime) -> tuple[Finding, ...]:
    """Return what is to be told of the user's configuration; raises RefusedError ``nginx.lint`` for what stops us."""
    planned = {str(ground.layout.current / file.path): file for file in files}
    # The lists behind the maps hold values alone, and may be long.
    texts = {
        path: "" if path.endswith(".map") else file.content.decode()
        for path, file in planned.items()
        if path.endswith((".conf", ".map"))
    }
    target = ground.place.nginx.target
    if target.include_file is not None and not target.include_file.exists():
        texts[str(target.include_file)] = include_line(ground.place.base)
    whole = read_configuration(target.conf, overlay=texts)
    if not any(path in whole.texts for path in planned):  # nothing includes us yet
        whole = read_configuration(Path(ground.layout.current / HTTP_FILE), overlay=texts)
    named = gather_files(whole.tree, target.conf.parent, overlay=planned)
    model = build(whole.tree, version=ground.version, now=now, files=named)
    located = lint(model, whole.texts).at_or_above(Severity.LOW)
    stopping = tuple(one.finding for one in located if _stops(one, texts))
    if stopping:
        raise RefusedError(
            "nginx.lint",
            f"the linter refuses the sites: {stopping[0].message}",
            findings=stopping,
            hint=f"counterseal nginx lint --explain {stopping[0].code} says what a real nginx did",
        )
    return tuple(one.finding for one in located)


def _stops(located: Located, ours: Collection[str]) -> bool:
    if located.finding.severity < REFUSED_FROM and located.finding.code not in UNSEEN:
        return False
    is_ours = located.place.file in ours
    return is_ours if located.harmed is None else located.harmed.file in ours and not is_ours
