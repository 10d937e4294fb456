"""From a path to the resource behind it: looked up in a table, where patterns would be tried one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send


class Paths:
    """The resources below ``root`` by their paths, such as ``order/{id}/finalize``; others have ``otherwise``.

    Every path begins with a literal segment. What a segment in braces holds is in ``path_params`` under its name; it is
    nothing with a NUL, which no store can look up. What ``{code}`` holds is a secret, which the log is not told.
    """

    def __init__(self, root: str, resources: Iterable[tuple[str, ASGIApp]], otherwise: ASGIApp) -> None:
        self._root = f"{root}/"
        self._otherwise = otherwise
        self._forms: dict[tuple[str, int], list[tuple[tuple[str, ...], ASGIApp]]] = {}
        for path, resource in resources:
            form = tuple(path.split("/"))
            self._forms.setdefault((form[0], len(form)), []).append((form, resource))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the resource answer."""
        resource, scope["path_params"] = self.find(scope["path"].removeprefix(self._root))
        code = scope["path_params"].get("code")
        if code:
            scope["state"]["log"]["path"] = scope["path"].removesuffix(code) + "..."
        await resource(scope, receive, send)

    def find(self, path: str) -> tuple[ASGIApp, dict[str, str]]:
        """Return the resource of a path below the root, and what is variable in it."""
        segments = path.split("/")
        for form, resource in self._forms.get((segments[0], len(segments)), ()):
            parameters = _match(form, segments)
            if parameters is not None:
                return resource, parameters
        return self._otherwise, {}


def _match(form: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    parameters = {}
    for expected, found in zip(form, segments, strict=True):
        if expected.startswith("{"):
            if not found or "\0" in found:
                return None
            parameters[expected[1:-1]] = found
        elif expected != found:
            return None
    return parameters
