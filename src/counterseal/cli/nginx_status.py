"""What nginx is doing, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from counterseal.nginx.status import NginxStatus


def status_lines(found: NginxStatus) -> Iterator[str]:
    """Yield a line for each thing that is known."""
    yield f"nginx       {(found.version or 'unknown').removeprefix('nginx version: ')}, {found.binary}"
    workers = f"{len(found.workers)} worker{'' if len(found.workers) == 1 else 's'}"
    yield f"running     {f'yes: master {found.master}, {workers}' if found.running else 'no'}"
    yield f"in force    {_in_force(found)}"
    if found.changed:
        yield f"changed     {', '.join(found.changed)}: not as they were written; deploy again, or roll back"
    if found.test is not None and found.generation is not None:
        yield f"nginx -t    {'passes' if found.test.passed else f'fails: {found.test.quote}'}"
    for fault in found.faults:
        yield f"fault       {fault.message}"
        if fault.hint:
            yield f"hint        {fault.hint}"
    if not found.running and found.generation is not None:
        yield "next: counterseal nginx deploy"


def _in_force(found: NginxStatus) -> str:
    if found.generation is None:
        return "no generation yet: counterseal nginx deploy"
    return f"generation {found.generation}, {'proved' if found.proven else 'never proved'}"
