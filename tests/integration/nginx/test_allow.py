"""Allow lists against certificates of the right CA that look like an allowed one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from counterseal.nginx.site import Allow
from counterseal.pki.subject import nginx_name
from integration.nginx.lab import client, issue
from integration.nginx.visitor import Visitor

if TYPE_CHECKING:
    from integration.nginx.conftest import Start

pytestmark = pytest.mark.nginx

PROBE = "/.well-known/counterseal"
COUNTRY = NameOID.COUNTRY_NAME
ORG = NameOID.ORGANIZATION_NAME
OU = NameOID.ORGANIZATIONAL_UNIT_NAME
CN = NameOID.COMMON_NAME
CITY = NameOID.LOCALITY_NAME


def name(*pairs: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """Return a name, most significant attribute first."""
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in pairs])


ALICE = name((ORG, "Lab"), (OU, "eng"), (CN, "alice"))
LOOKALIKES: tuple[x509.Name, ...] = (
    name((ORG, "Lab"), (OU, "eng"), (CN, "Alice")),
    name((ORG, "lab"), (OU, "eng"), (CN, "alice")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "alice2")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "alice ")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "\u0430lice")),
    name((ORG, "Lab2"), (OU, "eng"), (CN, "alice")),
    name((COUNTRY, "DE"), (ORG, "Lab"), (OU, "eng"), (CN, "alice")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "alice"), (CN, "eve")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "eve"), (CN, "alice")),
    name((CN, "alice"), (OU, "eng"), (ORG, "Lab")),
    name((CN, "alice,OU=eng,O=Lab")),
    name((ORG, "Lab"), (CN, "alice,OU=eng")),
    name((ORG, "Lab"), (CN, "alice\\,OU=eng")),
    name((ORG, "Lab"), (OU, "eng,CN=alice")),
    name((ORG, "Lab"), (OU, "eng"), (CN, "x|SUCCESS|1|0|1|00|CN=alice,OU=eng,O=Lab")),
    name((CN, "CN=alice,OU=eng,O=Lab")),
)
OPS_MEMBERS: tuple[x509.Name, ...] = (
    name((OU, "ops")),
    name((ORG, "Lab"), (OU, "ops"), (CN, "olga")),
    name((OU, "ops"), (ORG, "Lab"), (CN, "olga")),
    name((ORG, "Lab"), (OU, "eng"), (OU, "ops"), (CN, "olga, a\\b+c")),
    name((ORG, "Lab"), (CN, "x\\"), (OU, "ops"), (CITY, "y\\")),
    x509.Name(
        [
            x509.RelativeDistinguishedName([x509.NameAttribute(ORG, "Lab")]),
            x509.RelativeDistinguishedName([x509.NameAttribute(CN, "olga"), x509.NameAttribute(OU, "ops")]),
        ]
    ),
)
NOT_OPS: tuple[x509.Name, ...] = (
    name((ORG, "Lab"), (OU, "OPS"), (CN, "x")),
    name((ORG, "Lab"), (OU, "ops2"), (CN, "x")),
    name((ORG, "Lab"), (OU, "devops"), (CN, "x")),
    name((ORG, "Lab"), (OU, "ops "), (CN, "x")),
    name((ORG, "Lab"), (OU, "ops,x"), (CN, "x")),
    name((ORG, "Lab"), (OU, "ops+x"), (CN, "x")),
    name((ORG, "ops"), (CN, "ops")),
    name((ORG, "OU=ops"), (CN, "OU=ops")),
    name((CN, "x,OU=ops")),
    name((CN, "x,OU=ops,O=Lab")),
    name((CN, "x+OU=ops")),
    name((CN, "x\\,OU=ops")),
    name((CN, "x\\\\,OU=ops")),
    name((CN, "x\\"), (CITY, ",OU=ops")),
    name((CN, "x\n,OU=ops")),
    name((CN, "x"), (OU, "a,OU=ops")),
    name((CN, "|OU=ops")),
)


def admitted(port: int, subjects: tuple[x509.Name, ...]) -> list[str]:
    """Return the subjects that get in, each with a fresh certificate of the right CA."""
    return [nginx_name(one) for one in subjects if Visitor(port, issue(one)).get(PROBE).decision == "admitted"]


def test_an_exact_subject_is_one_subject(start: Start) -> None:
    """Only the very same name, letter for letter."""
    port = start(allow=Allow(subjects=("CN=alice,OU=eng,O=Lab",)))
    assert admitted(port, (ALICE,)) == ["CN=alice,OU=eng,O=Lab"]
    assert admitted(port, LOOKALIKES) == []


def test_both_spellings_of_a_subject_mean_the_same(start: Start) -> None:
    """The slash form, and characters that nginx prints escaped."""
    odd = name((ORG, "Löwe, Söhne & Co"), (CN, '#é+;<>"\\'))
    port = start(allow=Allow(subjects=("/O=Lab/OU=eng/CN=alice", r'/O=Löwe, Söhne & Co/CN=#é\+;<>"\\')))
    assert admitted(port, (ALICE, odd)) == [nginx_name(ALICE), nginx_name(odd)]


@pytest.mark.parametrize("text", ["CN=olga+OU=ops,O=Lab", "OU=ops+CN=olga,O=Lab"])
def test_a_subject_with_several_values_in_one_part_has_no_order(start: Start, text: str) -> None:
    """They are a set in the certificate, so either order of writing means the same."""
    both = OPS_MEMBERS[-1]
    assert admitted(start(allow=Allow(subjects=(text,))), (both, OPS_MEMBERS[1])) == [nginx_name(both)]


def test_a_group_is_an_attribute_of_its_own(start: Start) -> None:
    """Wherever it stands in the name, and never a piece of another value."""
    port = start(allow=Allow(groups=("ops",)))
    assert len(admitted(port, OPS_MEMBERS)) == len(OPS_MEMBERS)
    assert admitted(port, NOT_OPS) == []


def test_a_group_may_have_any_name(start: Start) -> None:
    """Commas, plus signs, regular expression characters and umlauts in a group are taken literally."""
    port = start(allow=Allow(groups=("R&D, (a+b)|.* Ü\\",)))
    assert admitted(port, (name((OU, "R&D, (a+b)|.* Ü\\"), (CN, "x")),)) != []
    assert admitted(port, (name((OU, "R&D"), (CN, "x")), name((OU, "x"), (CN, "x")))) == []


def test_serial_numbers_of_any_length_are_matched(start: Start) -> None:
    """Odd numbers of digits are padded as nginx prints them; another number is refused with 403."""
    serials = (0x7, 0x0A1B, (1 << 159) - 1)
    port = start(allow=Allow(serial_numbers=serials))
    for serial in serials:
        assert Visitor(port, client("CN=x,O=Lab", serial=serial)).get(PROBE).decision == "admitted"
    for serial in (0x70, 0xA1, 0x0A1B0A1B):
        answer = Visitor(port, client("CN=x,O=Lab", serial=serial)).get(PROBE)
        assert (answer.status, answer.title, answer.decision) == (403, "Not on the list", "refused 403")


def test_any_entry_admits(start: Start) -> None:
    """Subject, group and serial number are alternatives."""
    port = start(allow=Allow(("CN=alice,OU=eng,O=Lab",), ("ops",), (0x0B,)))
    for one in (issue(ALICE), client("CN=x,OU=ops,O=Lab"), client("CN=y,O=Lab", serial=0x0B)):
        assert Visitor(port, one).get(PROBE).decision == "admitted"
    assert Visitor(port, client("CN=y,O=Lab")).get(PROBE).decision == "refused 403"


def test_a_subject_may_be_bound_to_its_ca(start: Start) -> None:
    """With two client CAs, the same name from the other one is another person."""
    port = start(client_cas=("staff", "partners"), allow=Allow(subjects=("staff:CN=alice,OU=eng,O=Lab",)))
    assert Visitor(port, issue(ALICE)).get(PROBE).decision == "admitted"
    assert Visitor(port, issue(ALICE, ca="partners"), issuer="partners").get(PROBE).decision == "refused 403"


def test_the_same_subject_from_a_ca_that_is_not_admitted_is_refused(start: Start) -> None:
    """The issuer is pinned before the list is looked at."""
    port = start(allow=Allow(subjects=("CN=alice,OU=eng,O=Lab",)))
    assert Visitor(port, issue(ALICE, ca="partners"), issuer="partners").get(PROBE).decision == "refused 495"
