"""The linter over a generation that is about to be deployed, together with the configuration that includes it.

What is wrong in our own files, or makes them unsafe from outside, stops the deploy. What is wrong elsewhere in the
user's configuration is told, and so is what two of the sites do to each other: whoever leads an open site and a closed
one to the same application has asked for both.

A revocation is not held up by what is in force already, and would stay so without it. Where anything in the user's own
files may wait for a reload, that is only what our files say by themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from counterseal.errors import RefusedError
from counterseal.files import read_file
from counterseal.fileset import FileSet, PlannedFile
from counterseal.findings import Severity
from counterseal.nginx.generations import MANIFEST
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.engine import lint
from counterseal.nginx.lint.gather import gather_files
from counterseal.nginx.reading import read_configuration
from counterseal.nginx.taken import has_taken
from counterseal.nginx.target import HTTP_FILE, include_line

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from counterseal.authority.ground import Ground
    from counterseal.findings import Finding
    from counterseal.nginx.lint.engine import Located
    from counterseal.nginx.reading import WholeConfiguration

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


UNSIGNED = "mtls-crl-wrong-signature"


@dataclass(frozen=True, slots=True)
class Linted:
    """What is to be told of the user's configuration, and what of it stops a deploy that locks nobody out."""

    told: tuple[Finding, ...]
    passed_over: tuple[Finding, ...] = ()


def lint_generation(
    files: FileSet, ground: Ground, *, now: datetime, locks_out: bool = False, rehearsed: bool = False
) -> Linted:
    """Return what the linter says; raises RefusedError ``nginx.lint`` for what stops us.

    ``locks_out``: nothing does that is in force already. ``rehearsed``: zeros stand for the signatures of our lists.
    """
    located, ours = _look(files, _whole(files, ground), ground, now)
    if rehearsed:
        located = tuple(one for one in located if one.finding.code != UNSIGNED or one.place.file not in ours)
    told = tuple(one.finding for one in located)
    stopping = [one for one in located if _stops(one, ours)]
    new = beyond(stopping, _in_force(ground, now) if stopping and locks_out else ())
    if not new:
        return Linted(told, tuple(one.finding for one in stopping))
    raise RefusedError(
        "nginx.lint",
        f"the linter refuses the sites: {new[0].message}",
        findings=new,
        hint=f"counterseal nginx lint --explain {new[0].code} says what a real nginx did",
    )


def beyond(stopping: Sequence[Located], stands: Sequence[Located]) -> list[Finding]:
    """Return what stops us more often than it stands: the same may be said twice of one file."""
    left = Counter(_key(one) for one in stands)
    new: list[Finding] = []
    for one in stopping:
        left[_key(one)] -= 1
        if left[_key(one)] < 0:
            new.append(one.finding)
    return new


def _key(located: Located) -> tuple[str, str, str]:
    return located.finding.code, located.place.file, located.finding.message


def _in_force(ground: Ground, now: datetime) -> Sequence[Located]:
    """Return what stops us in the generation in force, and in the configuration around it if nginx has taken all."""
    if ground.in_force is None:
        return ()
    directory = ground.place.directories.directory(ground.in_force)
    paths = (path for path in directory.rglob("*") if path.is_file() and path.name != MANIFEST)
    files = FileSet(tuple(PlannedFile(str(path.relative_to(directory)), read_file(path)) for path in paths))
    whole = _whole(files, ground)
    if not has_taken(ground.place.nginx, whole.includes, ours=ground.place.base):
        whole = _alone(files, ground)
    located, ours = _look(files, whole, ground, now)
    return [one for one in located if _stops(one, ours)]


def _planned(files: FileSet, ground: Ground) -> dict[str, PlannedFile]:
    return {str(ground.layout.current / file.path): file for file in files}


def _texts(files: FileSet, ground: Ground) -> dict[str, str]:
    """Return our configuration files as they will be."""
    # The lists behind the maps hold values alone, and may be long.
    texts = {
        path: "" if path.endswith(".map") else file.content.decode()
        for path, file in _planned(files, ground).items()
        if path.endswith((".conf", ".map"))
    }
    target = ground.place.nginx.target
    if target.include_file is not None and not target.include_file.exists():
        texts[str(target.include_file)] = include_line(ground.place.base)
    return texts


def _whole(files: FileSet, ground: Ground) -> WholeConfiguration:
    """Return our files in the configuration that includes them."""
    whole = read_configuration(ground.place.nginx.target.conf, overlay=_texts(files, ground))
    is_included = any(path in whole.texts for path in _planned(files, ground))
    return whole if is_included else _alone(files, ground)


def _alone(files: FileSet, ground: Ground) -> WholeConfiguration:
    """Return our files without what is around them."""
    return read_configuration(Path(ground.layout.current / HTTP_FILE), overlay=_texts(files, ground))


def _look(
    files: FileSet, whole: WholeConfiguration, ground: Ground, now: datetime
) -> tuple[tuple[Located, ...], Collection[str]]:
    """Return the findings, and the configuration files that are ours."""
    target = ground.place.nginx.target
    named = gather_files(whole.tree, target.conf.parent, overlay=_planned(files, ground))
    model = build(whole.tree, version=ground.version, now=now, files=named)
    return lint(model, whole.texts).at_or_above(Severity.LOW), _texts(files, ground)


def _stops(located: Located, ours: Collection[str]) -> bool:
    if located.finding.severity < REFUSED_FROM and located.finding.code not in UNSEEN:
        return False
    is_ours = located.place.file in ours
    return is_ours if located.harmed is None else located.harmed.file in ours and not is_ours
