"""Distinguished names: what both spellings mean, what is refused, and what nginx will print."""

from __future__ import annotations

from contextlib import suppress

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.pki import der
from counterseal.pki.attributes import ATTRIBUTE_TYPES
from counterseal.pki.subject import (
    common_name,
    has_control_characters,
    nginx_name,
    organizational_units,
    parse_subject,
    show_subject,
    subject_faults,
    subject_of,
)

RECIPE = [("C", "CN"), ("ST", "shanghai"), ("L", "shanghai"), ("O", "example"), ("OU", "eng"), ("CN", "Root CA")]
OIDS = {kind.name: kind.oid for kind in ATTRIBUTE_TYPES}
STRANGE = '\\/,+"<>;=# aé\u4e2d\U0001f600'


def name_of(*rdns: list[tuple[str, str]]) -> x509.Name:
    """Return a name built by the library alone, most significant RDN first."""
    return x509.Name(
        [x509.RelativeDistinguishedName([x509.NameAttribute(OIDS[key], value) for key, value in rdn]) for rdn in rdns]
    )


def refusal(text: str) -> InputError:
    """Return the error with which ``text`` is refused."""
    with pytest.raises(InputError) as caught:
        parse_subject(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=Root CA",
        "CN=Root CA,OU=eng,O=example,L=shanghai,ST=shanghai,C=CN",
        "CN = Root CA, OU=eng,\tO=example,L=shanghai,ST=shanghai,C=CN".replace("\t", " "),
        "cn=Root CA,ou=eng,o=example,l=shanghai,s=shanghai,c=CN",
        "2.5.4.3=Root CA,organizationalUnitName=eng,O=example,L=shanghai,stateOrProvinceName=shanghai,C=CN",
        "/C=CN/ST=shanghai/L=shanghai/O=example/OU=eng/CN=Root CA/",
    ],
)
def test_every_spelling_of_the_recipe_s_name_is_the_same_name(text: str) -> None:
    """Slash form, RFC 4514, spaces round separators, any case, long names and numbers."""
    assert parse_subject(text) == name_of(*([pair] for pair in RECIPE))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"/CN=a\/b", "a/b"),
        (r"/CN=a\+b", "a+b"),
        (r"/CN=a\\", "a\\"),
        (r"/CN=a\,b,c", "a,b,c"),
        (r"/CN=\41", "41"),
        ("/CN= a ", " a "),
        ("/CN=a=b", "a=b"),
        (r"CN=a\,b", "a,b"),
        (r"CN=a\2Cb", "a,b"),
        (r"CN=\\41", r"\41"),
        (r"CN=\C3\A9t\C3\A9", "été"),
        ("CN=été", "été"),
        (r"CN=\ a\ ", " a "),
        (r"CN=  a b  ", "a b"),
        (r"CN=\#1", "#1"),
        ("CN=a#1", "a#1"),
        ("CN=a=b", "a=b"),
        ("CN=a/b", "a/b"),
        ('CN="a, b"', "a, b"),
        ('CN=" a "', " a "),
        (r'CN="say \"a\""', 'say "a"'),
        ('CN="#1"', "#1"),
    ],
)
def test_escapes_and_quotes(text: str, value: str) -> None:
    """Each escape stands for exactly one value; spaces count only where they are escaped or quoted."""
    assert parse_subject(text) == name_of([("CN", value)])


@pytest.mark.parametrize("text", ["/O=x/CN=a+UID=b", "CN=a+UID=b,O=x", "CN=a + UID=b , O=x"])
def test_a_plus_makes_one_rdn_of_two_attributes(text: str) -> None:
    """Both spellings know multi-valued relative distinguished names."""
    assert parse_subject(text) == name_of([("O", "x")], [("CN", "a"), ("UID", "b")])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "subject.empty"),
        ("  ", "subject.empty"),
        ("CN=" + "x," * 3000, "subject.too_long"),
        ("/", "subject.syntax"),
        ("//CN=a", "subject.syntax"),
        ("/O=a//CN=b", "subject.syntax"),
        ("/CN", "subject.syntax"),
        ("Root CA", "subject.syntax"),
        ("CN=a,", "subject.syntax"),
        ("CN=a,,O=b", "subject.syntax"),
        ("CN=a+", "subject.syntax"),
        ("/CN=a+", "subject.syntax"),
        ("CN=a\\", "subject.syntax"),
        ("/CN=a\\", "subject.syntax"),
        ("CN=a;O=b", "subject.syntax"),
        ("CN=a<b", "subject.syntax"),
        ('CN="a', "subject.syntax"),
        ('CN="a"b', "subject.syntax"),
        ('CN=a"b"', "subject.syntax"),
        (r"CN=\C3", "subject.syntax"),
        (r"CN=\C3(", "subject.syntax"),
        ("CN=#0C0161", "subject.syntax"),
        ("CN=a+CN=a", "subject.syntax"),
        ("CN=\udcff", "subject.syntax"),
        ("XX=a", "subject.attribute"),
        ("=a", "subject.attribute"),
        ("1.2.3.4=a", "subject.attribute"),
        ("CN=", "subject.value"),
        (r"CN=\ ", "subject.value"),
        ("/CN=a\nb", "subject.value"),
        (r"CN=a\00b", "subject.value"),
        (r"CN=a\0A", "subject.value"),
        ("CN=a\u202eb", "subject.value"),
        ("CN=a\u200bb", "subject.value"),
        ("CN=a\xadb", "subject.value"),
        ("CN=a\u2060b", "subject.value"),
        ("CN=a\u061cb", "subject.value"),
        ("CN=a\U000e0041b", "subject.value"),
        ("CN=" + "x" * 65, "subject.value"),
        ("CN=" + "é" * 65, "subject.value"),
        ("OU=" + "x" * 65, "subject.value"),
        ("C=DEU", "subject.value"),
        ("C=D", "subject.value"),
        ("C=Ü1", "subject.value"),
        ("serialNumber=a_b", "subject.value"),
        ("emailAddress=ü@example.org", "subject.value"),
    ],
)
def test_what_is_no_subject_is_refused(text: str, code: str) -> None:
    """Nothing is guessed, dropped or cut; the message shows a bounded, printable part of what was given."""
    error = refusal(text)
    assert error.code == code
    assert error.message.isprintable()
    assert len(error.message) < 300


def test_a_lone_surrogate_in_the_slash_form_is_refused() -> None:
    """An argument that was not UTF-8 reaches Python so."""
    assert refusal("/CN=\udcff").code == "subject.value"


def test_common_name_and_groups_are_found() -> None:
    """The first CN, every OU, and none where there is none."""
    name = parse_subject("CN=b,OU=ops,OU=dev,CN=a")
    assert (common_name(name), organizational_units(name)) == ("a", ("dev", "ops"))
    assert common_name(parse_subject("O=x")) is None


@pytest.mark.filterwarnings("ignore:Attribute's length")  # of the library, which counts octets
def test_a_common_name_has_64_characters_of_any_kind() -> None:
    """RFC 5280 A.1 bounds the characters, whatever their octets."""
    for letter in "xü中\U0001d54f":
        name = subject_of(letter * 64)
        assert (common_name(name), subject_faults(name)) == (letter * 64, ())
        with pytest.raises(InputError, match="CN has 65 characters, at most 64"):
            subject_of(letter * 65)


def test_an_end_entity_s_name_is_put_together() -> None:
    """Group and common name, the unasked left out."""
    assert show_subject(subject_of("a", group="x, y")) == r"CN=a,OU=x\, y"
    assert show_subject(subject_of("a")) == "CN=a"
    with pytest.raises(InputError, match="OU is empty"):
        subject_of("a", group="")


def test_a_shown_name_is_safe_for_a_terminal() -> None:
    """Control characters and marks that turn the text around are shown as octets of their UTF-8."""
    name = name_of([("O", "a\x1b[2Jb\x85\u202ec\n")])
    assert show_subject(name) == r"O=a\1B[2Jb\C2\85\E2\80\AEc\0A"
    assert has_control_characters(name)
    assert not has_control_characters(name_of([("O", "é中 ,+\\")]))


def test_faults_of_a_foreign_name_are_all_told() -> None:
    """What parse_subject would refuse is told of a name that came from a CSR, every fault of it."""
    foreign = x509.Name(
        [
            x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "x"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "x" * 65),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "a\nb"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, ""),
            x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x01", _ASN1Type.BitString),
        ]
    )
    assert subject_faults(foreign) == (
        "unknown subject attribute: 1.2.3.4",
        f"subject attribute O has 65 characters, at most 64: '{'x' * 65}'",
        r"control character in subject attribute OU: 'a\nb'",
        "subject attribute L is empty: ''",
        "unknown subject attribute: 2.5.4.45",
    )
    assert subject_faults(parse_subject("CN=a,OU=b")) == ()


def test_nginx_names_are_openssl_s() -> None:
    """Reversed also inside an RDN, OpenSSL's short names, octets in hex, unknown types as DER."""
    name = x509.Name(
        [
            *name_of([("C", "DE")], [("emailAddress", "a@b"), ("CN", ' #é,+"\\<>; ')], [("street", "#")]).rdns,
            x509.RelativeDistinguishedName([x509.NameAttribute(x509.ObjectIdentifier("1.2.3.4"), "hi")]),
        ]
    )
    assert nginx_name(name) == r"1.2.3.4=#0C026869,street=#,CN=\ #\C3\A9\,\+\"\\\<\>\;\ +emailAddress=a@b,C=DE"


def test_nginx_names_of_old_string_types() -> None:
    """Latin-1, UCS-2 and UCS-4 become UTF-8; what is no string stands as DER."""
    octets = [(20, "é".encode(), "\\C3\\83\\C2\\A9"), (30, b"\0\xe9", "\\C3\\A9"), (28, b"\0\0\0\xe9", "\\C3\\A9")]
    for tag, content, shown in [*octets, (3, b"\0a", "#03020061")]:
        pair = der.sequence(der.object_identifier("2.5.4.45"), der.wrap(tag, content))
        assert (
            nginx_name(x509.Name.from_bytes(der.sequence(der.wrap(der.SET, pair)))) == f"x500UniqueIdentifier={shown}"
        )


VALUES = st.text(
    st.sampled_from(STRANGE) | st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp")), max_size=16
)
PAIRS = st.tuples(st.sampled_from(["O", "OU", "L", "ST", "street", "title", "GN", "UID"]), VALUES.filter(str.strip))
NAMES = st.lists(st.lists(PAIRS, min_size=1, max_size=3, unique=True), min_size=1, max_size=4)


@given(NAMES)
def test_a_shown_name_is_read_back(rdns: list[list[tuple[str, str]]]) -> None:
    """parse_subject(show_subject(name)) is the name, whatever stands in its values."""
    name = name_of(*rdns)
    assert parse_subject(show_subject(name)) == name


@given(NAMES)
def test_the_slash_form_is_read_back(rdns: list[list[tuple[str, str]]]) -> None:
    """With a backslash before each character of its values, the slash form holds any name."""
    spelt = "".join("/" + "+".join(f"{key}=" + "".join("\\" + c for c in value) for key, value in rdn) for rdn in rdns)
    assert parse_subject(spelt) == name_of(*rdns)


@given(st.text(st.sampled_from("CNOU=" + STRANGE) | st.characters(), max_size=40))
def test_any_text_is_a_name_or_an_input_error(text: str) -> None:
    """No other exception leaves the parser, and what it accepts can be encoded."""
    with suppress(InputError):
        assert parse_subject(text).public_bytes()
