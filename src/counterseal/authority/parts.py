"""What a use case works with, handed in once: store, keys, clock, source of randomness, and who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple, Protocol, Self

from counterseal.errors import NotFoundError, RefusedError, hint_for, shell_line
from counterseal.moments import moment, show_moment
from counterseal.pki.profile import BUILT_IN, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from cryptography import x509

    from counterseal.authority.ahead import Ahead
    from counterseal.errors import StoreError
    from counterseal.keystore.file import FileKeyStore
    from counterseal.pki.certificate import Issuer
    from counterseal.pki.profile import Profile
    from counterseal.store.records import CARecord, NewKeyUse
    from counterseal.store.store import Store

SERIAL_BITS = 128
SERIAL_OCTETS = SERIAL_BITS // 8
ROOT = "root"


def new_serial_number(random_bytes: Callable[[int], bytes]) -> int:
    """Return a random serial number: 128 random bits below a fixed leading one, so that all have 17 octets."""
    return 1 << SERIAL_BITS | int.from_bytes(random_bytes(SERIAL_OCTETS), "big")


def _read(contents: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    from cryptography import x509  # noqa: PLC0415 - 30 ms that who only looks into the store saves

    return tuple(map(x509.load_der_x509_certificate, contents))


@lru_cache(maxsize=16)
def _issuer(name: str, purpose: Purpose, contents: tuple[bytes, ...], rules: tuple[str | None, bool]) -> Issuer:
    """Read the path once; a service would do it for every certificate."""
    from counterseal.pki.certificate import Issuer  # noqa: PLC0415 - as above
    from counterseal.pki.pointers import pointers  # noqa: PLC0415 - as above

    path, (published_at, names_ocsp) = _read(contents), rules
    return Issuer.of(name, path, purpose, pointers(published_at, name, ocsp=names_ocsp) if published_at else ())


class Rules(NamedTuple):
    """What the configuration may change about the CA."""

    profiles: Mapping[str, Profile] = BUILT_IN
    crl_lifetime: timedelta = timedelta(days=7)
    crl_refresh: timedelta = timedelta(days=1)
    root_crl_lifetime: timedelta | None = None
    """Of the root's list, whose key may lie in a safe; None is as long as the others'."""
    published_at: str | None = None
    """The URL below which lists, OCSP and CA certificates are found; with None certificates name none."""
    names_ocsp: bool = True
    """Whether they name a responder there; without one they name the list and the CA's certificate alone."""


class ReadRules(Protocol):
    """The rules as the CA asks for them: those above, or those of a file, of which one that is amiss raises."""

    @property
    def profiles(self) -> Mapping[str, Profile]: ...  # noqa: D102 - as in Rules, and so below
    @property
    def crl_lifetime(self) -> timedelta: ...  # noqa: D102 - same
    @property
    def crl_refresh(self) -> timedelta: ...  # noqa: D102 - same
    @property
    def root_crl_lifetime(self) -> timedelta | None: ...  # noqa: D102 - same
    @property
    def published_at(self) -> str | None: ...  # noqa: D102 - same
    @property
    def names_ocsp(self) -> bool: ...  # noqa: D102 - same


@dataclass(frozen=True, slots=True)
class Authority:
    """The CA with all its parts."""

    store: Store
    keystore: FileKeyStore
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes] = field(repr=False)
    actor: str
    rules: ReadRules = field(default_factory=Rules)
    ahead: Ahead | None = None
    """Serial numbers that are reserved already; None where each is reserved when it is needed."""
    tell_unrecorded: Callable[[NewKeyUse, StoreError], None] = lambda _use, _error: None
    """Is told of a signature that nobody gets, and that the log of key uses does not take."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def serial_number(self) -> int:
        """Return a new random serial number."""
        return new_serial_number(self.random_bytes)

    def number_for(self, issuer: str) -> int:
        """Return the serial number for the CA's next certificate, reserved ahead or new; ``reserve`` makes it taken."""
        return (self.ahead and self.ahead.next(issuer)) or self.serial_number()

    def serial_numbers(self, count: int) -> list[int]:
        """Return so many new random serial numbers, of octets that are drawn at once."""
        octets = BytesIO(self.random_bytes(count * SERIAL_OCTETS))
        return [new_serial_number(octets.read) for _ in range(count)]

    def profile(self, name: str) -> Profile:
        """Return the profile of this name; raises NotFoundError."""
        try:
            return self.rules.profiles[name]
        except KeyError:
            known = sorted(profile.name for profile in self.rules.profiles.values() if not profile.probe)
            raise NotFoundError("profile.unknown", f"no such profile: {name!r}", hint=hint_for(name, known)) from None

    def issuer(self, name: str) -> Issuer:
        """Return the CA of this name as an issuer, with its path up to the root; raises NotFoundError."""
        record = self.store.ca(name)
        purpose = Purpose.ANY if record.purpose == ROOT else Purpose(record.purpose)
        at = self.rules.published_at
        return _issuer(name, purpose, self._contents(record), (at, at is not None and self.rules.names_ocsp))

    def path(self, record: CARecord) -> tuple[x509.Certificate, ...]:
        """Return the certificates from this CA up to its root."""
        return _read(self._contents(record))

    def _contents(self, record: CARecord) -> tuple[bytes, ...]:
        return tuple(one.certificate for one in (record, *self.above(record)))

    def above(self, record: CARecord) -> tuple[CARecord, ...]:
        """Return the CAs above this one, the nearest first and its root last."""
        found: list[CARecord] = []
        while record.parent is not None:
            record = self.store.ca(record.parent)
            found.append(record)
        return tuple(found)

    def revoked_at_or_above(self, record: CARecord) -> CARecord | None:
        """Return the CA itself where it is revoked, else the nearest revoked one above it, if there is one."""
        return next((one for one in (record, *self.above(record)) if one.revoked_at is not None), None)

    def without_list(self, records: Iterable[CARecord]) -> tuple[str, ...]:
        """Return which of these CAs and those above them have no list: an imported one's root, until it is brought."""
        names = dict.fromkeys(one.name for record in records for one in (record, *self.above(record)))
        return tuple(name for name in names if self.store.latest_crl_number(name) is None)

    def cas_for(self, purpose: Purpose) -> tuple[CARecord, ...]:
        """Return the CAs for this purpose, retired and revoked ones too, in the order they were made."""
        return tuple(record for record in self.store.cas() if record.purpose in {str(purpose), str(Purpose.ANY)})

    def issuer_for(self, purpose: Purpose) -> str:
        """Return the CA that issues for this purpose: the first made, or who succeeded it.

        Raises NotFoundError ``ca.missing``, RefusedError ``ca.revoked``.
        """
        return self.issuing(self.last_for(purpose))

    def last_for(self, purpose: Purpose) -> CARecord:
        """Return the CA that issues for this purpose, or did before it was revoked; raises NotFoundError."""
        for record in self.cas_for(purpose):
            return self.succession(record)[-1]
        raise NotFoundError(
            "ca.missing",
            f"there is no active CA for {purpose} certificates",
            hint="make one: counterseal init, or counterseal ca add",
        )

    def issuing(self, record: CARecord) -> str:
        """Return who issues for the CA, itself or who succeeded it; raises RefusedError ``ca.revoked``."""
        last = self.succession(record)[-1]
        revoked = self.revoked_at_or_above(last)
        if revoked is not None:
            below = "" if revoked == last else f" above {last.name}"
            raise RefusedError(
                "ca.revoked",
                f"CA {revoked.name}{below} is revoked since {show_moment(moment(revoked.revoked_at or 0))}, "
                "and issues nothing",
                hint=f"have another one issue in its place: {replacing(last)}",
            )
        return last.name

    def is_away(self, record: CARecord) -> bool:
        """Whether the key of a CA is not here: it issues nothing, and its list stays as it is."""
        return not self.keystore.has(record.key_id)

    def signs_no_more(self, record: CARecord) -> bool:
        """Whether the CA is revoked and its key is not here, as it may be destroyed then: not even a list is signed."""
        return record.revoked_at is not None and self.is_away(record)

    def succession(self, record: CARecord) -> tuple[CARecord, ...]:
        """Return the CA and those that succeeded it one after the other; the last of them issues for all."""
        line = [record]
        while line[-1].successor is not None:
            line.append(self.store.ca(line[-1].successor))
        return tuple(line)


def replacing(record: CARecord) -> str:
    """Return the commands that put another CA in the place of this one."""
    stem, _, number = record.name.rpartition("-")
    new = f"{stem}-{int(number) + 1}" if stem and number.isdecimal() else f"{record.name}-2"
    add = shell_line("counterseal", "ca", "add", new, "--purpose", record.purpose)
    if record.purpose == str(Purpose.ANY):  # it came from elsewhere, and so does the next one
        add = f"counterseal import-ca --certificate FILE --key FILE --chain FILE {shell_line('--name', new)}"
    return f"{add} && {shell_line('counterseal', 'ca', 'retire', record.name, '--successor', new)}"
