"""HTTP answers are read as far as they arrived, and our line is found wherever a page hides it."""

from __future__ import annotations

import pytest

from counterseal.handshake.answer import Answer, parse_answer, parse_response

LINE = (
    'counterseal: generation=7 site=panel decision=refused code=495 verify="FAILED:certificate has expired" serial=0A1B'
)
STOCK = "<html><head><title>400 {0}</title></head><body><center><h1>400 Bad Request</h1></center><center>{0}</center>"


@pytest.mark.parametrize(
    ("raw", "status", "body", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", 200, b"ok", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore", 200, b"ok", True),
        (b"HTTP/1.0 421\r\n\r\nrest", 421, b"rest", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;x=1\r\n...\r\n0\r\n\r\n",
            200,
            b"ok...",
            True,
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 200, b"ok", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\nok", 200, b"", False),
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            403,
            b"",
            True,
        ),
    ],
)
def test_an_answer_is_read(raw: bytes, status: int, body: bytes, complete: bool) -> None:  # noqa: FBT001 - a parameter
    """Lengths, chunks and interim answers, each also when cut short."""
    response = parse_response(raw)
    assert response is not None
    assert (response.status, response.body, response.complete) == (status, body, complete)


@pytest.mark.parametrize(
    "raw",
    [b"", b"HTTP/1.1 200 OK\r\nHalf", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/2 200\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n"],
)
def test_no_answer_is_made_of_something_else(raw: bytes) -> None:
    """What is not an HTTP/1 head, or not a whole one, is no response."""
    assert parse_response(raw) is None


def test_header_names_are_compared_without_case() -> None:
    """A header is found however the server spells it."""
    response = parse_response(b"HTTP/1.1 301 Moved\r\nLOCATION:https://a/\r\ncontent-length: 0\r\n\r\n")
    assert response is not None
    assert response.headers["location"] == "https://a/"


@pytest.mark.parametrize("page", [f"{LINE}\n", f"<html>\n<!-- {LINE} -->\n</html>"])
def test_the_line_is_found_in_text_and_comment(page: str) -> None:
    """Both places where our pages carry it."""
    assert parse_answer(400, page) == Answer(7, "refused", 495, "FAILED:certificate has expired")


def test_the_line_is_read_leniently() -> None:
    """Unknown, missing, empty and damaged fields leave the others alone."""
    assert parse_answer(200, "counterseal:  extra=1 generation=x decision=admitted verify= code=") == Answer(
        decision="admitted"
    )


@pytest.mark.parametrize(
    ("text", "code", "verify"),
    [
        ("No required SSL certificate was sent", 496, "NONE"),
        ("The SSL certificate error", 495, "FAILED"),
        ("The plain HTTP request was sent to HTTPS port", 497, None),
    ],
)
def test_stock_pages_are_told_apart(text: str, code: int, verify: str | None) -> None:
    """Stock pages say which of its three refusals a 400 is."""
    assert parse_answer(400, STOCK.format(text)) == Answer(code=code, verify=verify)


def test_a_page_that_quotes_a_stock_page_is_not_one() -> None:
    """Only a 400 is nginx's; an application may write about it."""
    assert parse_answer(200, STOCK.format("The SSL certificate error")) == Answer()
