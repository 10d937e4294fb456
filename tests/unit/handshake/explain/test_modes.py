"""Required, optional or by the path: read from who got in with what."""

from __future__ import annotations

import pytest

from counterseal.handshake.explain.modes import COMPARED_WORDS, Compared, Mode, Visit, compare, mode_of
from counterseal.handshake.explain.story import Story
from counterseal.handshake.observation import Observation
from counterseal.handshake.wire.messages import CertificateRequest, Side

ASKED = Story(request=CertificateRequest(()), server_chain=(b"",))
IN, OUT = Observation(status=200), Observation(status=400, code=496)
ALERT, GONE = Observation(alert="certificate_required"), Observation(closed=True)


def test_a_server_that_is_silent_without_a_certificate_only() -> None:
    """As nginx's stream block: with one it speaks, in whatever protocol."""
    spoke = Observation(error="not HTTP: b'hello'")
    visits = [Visit("/", with_certificate=True, seen=spoke), Visit("/", with_certificate=False, seen=GONE)]
    assert mode_of(ASKED, visits) is Mode.REQUIRED


@pytest.mark.parametrize(
    ("story", "without", "mode"),
    [
        (Story(server_chain=(b"",)), [IN], Mode.ONE_WAY),
        (Story(server_chain=(b"",), resumed=True), [IN], Mode.UNKNOWN),
        (Story(server_chain=(b"",), alert=(Side.SERVER, 40)), [], Mode.UNKNOWN),
        (Story(), [GONE], Mode.UNKNOWN),
        (ASKED, [OUT], Mode.REQUIRED),
        (ASKED, [ALERT], Mode.REQUIRED),
        (ASKED, [IN], Mode.OPTIONAL),
        (ASKED, [Observation(status=301, location="/x")], Mode.OPTIONAL),
        (ASKED, [IN, Observation(status=403)], Mode.SOME_PATHS),
        (ASKED, [GONE], Mode.ASKED),
        (ASKED, [], Mode.ASKED),
    ],
)
def test_how_clients_are_treated(story: Story, without: list[Observation], mode: Mode) -> None:
    """By the answers to clients without a certificate."""
    visits = [Visit(f"/{number}", with_certificate=False, seen=seen) for number, seen in enumerate(without)]
    assert mode_of(story, visits) is mode


@pytest.mark.parametrize(
    ("with_one", "without", "compared", "mode"),
    [
        (IN, IN, Compared.SAME, Mode.OPTIONAL),
        (IN, Observation(status=302, location="/login"), Compared.ANOTHER_ANSWER, Mode.ANOTHER_ANSWER),
        (IN, Observation(status=200, page=b"another"), Compared.ANOTHER_PAGE, Mode.OPTIONAL),
        (OUT, IN, Compared.UNSEEN, Mode.OPTIONAL),
        (None, IN, Compared.UNSEEN, Mode.OPTIONAL),
        (IN, OUT, None, Mode.REQUIRED),
    ],
)
def test_the_answers_with_and_without_are_compared(
    with_one: Observation | None, without: Observation, compared: Compared | None, mode: Mode
) -> None:
    """A redirect shows; a page alone may be an error page or change by itself; who is refused tells nothing."""
    visits = [Visit("/", with_certificate=False, seen=without)]
    visits += [] if with_one is None else [Visit("/", with_certificate=True, seen=with_one)]
    assert compare(visits) == ({} if compared is None else {"/": compared})
    assert mode_of(ASKED, visits) is mode


def test_each_comparison_has_words() -> None:
    """Different ones."""
    assert {*COMPARED_WORDS} == {*Compared}
    assert len({*COMPARED_WORDS.values()}) == len(Compared)
