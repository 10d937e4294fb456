"""The one exception tree.

::

    CountersealError
    +-- InputError          what the caller gave is malformed or ambiguous          (exit code 2)
    |   +-- ConfigError     counterseal.toml is wrong; every fault at once
    |   +-- AmbiguousError  a name stands for several certificates
    +-- RefusedError        well formed, but policy or lint says no                 (exit code 4)
    +-- NotFoundError       nothing of that name or serial number                   (exit code 1)
    +-- KeyAccessError      a private key cannot be opened: passphrase, mode        (exit code 1)
    +-- StoreError          the store is locked, corrupt, or of another version     (exit code 1)
    +-- FileError           a file cannot be read or written                        (exit code 1)
    +-- NginxError          nginx is missing, too old, or refuses a configuration   (exit code 1)
    |   +-- DeployError     a deploy failed and was rolled back                     (exit code 1)
    +-- RemoteError         a service elsewhere cannot be reached, or answers amiss (exit code 1)

Every error has a stable dotted ``code``, a one-line message that holds the offending value, and where there is
something to do about it a ``hint``. Exit codes and protocol problems are mapped at the edges, never here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from counterseal.findings import Finding


class CountersealError(Exception):
    """Base of everything that Counterseal raises on purpose.

    ``code`` is dotted, stable and greppable (``csr.signature``); ``message`` is ``<what failed>: <value>``.
    """

    def __init__(self, code: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Be pickled with every field, so that a worker process can raise it where it is waited for."""
        return _restore, (type(self), self.args), self.__dict__


def _restore(kind: type[CountersealError], args: tuple[object, ...]) -> CountersealError:
    return kind.__new__(kind, *args)


class InputError(CountersealError):
    """What the caller gave is malformed; ``findings`` lists every fault where there can be several."""

    def __init__(self, code: str, message: str, *, findings: Sequence[Finding] = (), hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.findings = tuple(findings)


class ConfigError(InputError):
    """The configuration file is wrong."""


class AmbiguousError(InputError):
    """A name stands for several certificates; ``candidates`` lists them, one line each."""

    def __init__(self, code: str, message: str, *, candidates: Sequence[str], hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.candidates = tuple(candidates)


class RefusedError(CountersealError):
    """Well formed, but policy or lint refuses it; ``findings`` lists every reason."""

    def __init__(self, code: str, message: str, *, findings: Sequence[Finding] = (), hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.findings = tuple(findings)


class NotFoundError(CountersealError):
    """Nothing of that name or serial number."""


class KeyAccessError(CountersealError):
    """A private key cannot be opened."""


class StoreError(CountersealError):
    """The store cannot be used as it is."""


class FileError(CountersealError):
    """A file cannot be read or written."""


class NginxError(CountersealError):
    """nginx is missing, too old, or refuses; ``quote`` is its own line, verbatim."""

    def __init__(self, code: str, message: str, *, quote: str | None = None, hint: str | None = None) -> None:
        super().__init__(code, message, hint=hint)
        self.quote = quote


class DeployError(NginxError):
    """A deploy failed; what was served before is served again.

    ``proof`` is the proof that said no, if one did, ``advice`` cause and fix where they are known, a line each;
    ``findings`` are the faults of a configuration that could not be deployed.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        quote: str | None = None,
        hint: str | None = None,
        proof: object = None,
        advice: tuple[str, ...] = (),
        findings: Sequence[Finding] = (),
    ) -> None:
        super().__init__(code, message, quote=quote, hint=hint)
        self.proof = proof
        self.advice = advice
        self.findings = tuple(findings)


class RemoteError(CountersealError):
    """A service on another machine cannot be reached, or does not answer as it should."""


def hint_for(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return which of the ``known`` words was probably meant, else ``otherwise``, by default all of them."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a word that is wrong

    words = list(known)
    close = get_close_matches(word, words, n=1)
    return f"did you mean {close[0]!r}?" if close else otherwise or f"known are {', '.join(words)}"


def encoding_hint(content: bytes) -> str | None:
    """Return what to do with a file that is UTF-16 text, as Windows writes it; None for any other one."""
    return "save it as UTF-8" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else None


def shell_line(*words: object) -> str:
    """Return a command that can be pasted into a shell, whatever its words hold: ``counterseal show 'Ann Lee'``."""
    from shlex import join  # noqa: PLC0415 - only where a command is shown

    return join(map(str, words))
