"""Reading nginx configuration: nothing is lost, words are what nginx reads, faults have a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterseal.errors import InputError
from counterseal.nginx.parse import DEEPEST, parse
from counterseal.nginx.tree import render_tree, walk

SAMPLE = """# top comment
user  www-data ;\t# trailing
http {
    log_format main '$remote_addr "$request"' ;
    server { listen 80; server_name "a b" c\\;d; } # one line
    map $x $y { default 0; "~^/x{2}$" 1; }
    content_by_lua_block { -- }
        local t = { a = "}", b = [[ } ]] } --[==[ } ]==]
    }
    location ~ ^/(a|b)${suffix}$ { return 200 "x\\"y"; }
}
# the end"""


def test_the_sample_is_written_back_unchanged() -> None:
    """Comments, white space, quoting and Lua survive to the byte."""
    assert render_tree(parse(SAMPLE)) == SAMPLE


def test_words_are_what_nginx_reads() -> None:
    """Quotes go, escapes are resolved, variables in braces stay one word."""
    found = {placed.directive.name: placed.directive.arguments for placed in walk(parse(SAMPLE))}
    assert found["log_format"] == ("main", '$remote_addr "$request"')
    assert found["server_name"] == ("a b", "c\\;d")
    assert found["location"] == ("~", "^/(a|b)${suffix}$")
    assert found["return"] == ("200", 'x"y')


def test_directives_know_their_context_and_place() -> None:
    """A walk yields the names of the blocks around, the line and the column."""
    listen = next(placed for placed in walk(parse(SAMPLE, file="a.conf")) if placed.directive.name == "listen")
    assert listen.context == ("http", "server")
    assert listen.directive.where == "a.conf:5:14"


def test_a_lua_block_is_one_directive_with_code() -> None:
    """Braces inside Lua strings and comments do not end the block."""
    lua = next(placed.directive for placed in walk(parse(SAMPLE)) if placed.directive.name.endswith("lua_block"))
    assert lua.block is not None
    assert lua.block.code is not None
    assert "[==[ } ]==]" in lua.block.code


def test_carriage_returns_are_kept() -> None:
    """A file from Windows round-trips and its words have no carriage return."""
    text = "http {\r\n  gzip on;\r\n}\r\n"
    tree = parse(text)
    assert render_tree(tree) == text
    assert next(p.directive.arguments for p in walk(tree) if p.directive.name == "gzip") == ("on",)


def test_bytes_that_are_not_utf8_survive() -> None:
    """A latin-1 comment is written back as the same bytes."""
    source = b"# caf\xe9\ngzip on;"
    assert render_tree(parse(source)).encode("utf-8", "surrogateescape") == source


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("http { server { listen 80 } }", "x.conf:1:17", 'directive "listen" is not ended by ";"'),
        ("http {\n  gzip on;\n", "x.conf:1:1", 'block "http" is never closed'),
        ("a 'unterminated;", "x.conf:1:3", "quote is never closed"),
        ("gzip on;\n}", "x.conf:2:1", 'unexpected "}"'),
        ("\n ;", "x.conf:2:2", 'unexpected ";"'),
        ("{ }", "x.conf:1:1", 'unexpected "{"'),
        ('return "a"b;', "x.conf:1:8", 'unexpected "b" after a closing quote'),
        ("gzip on", "x.conf:1:1", 'directive "gzip" is not ended by ";"'),
        ("a b\\", "x.conf:1:4", "unexpected end after a backslash"),
        ("init_by_lua_block { local a = 1", "x.conf:1:1", 'block "init_by_lua_block" is never closed'),
        ("init_by_lua_block { a = [=[ ]] }", "x.conf:1:1", 'block "init_by_lua_block" is never closed'),
    ],
)
def test_faults_name_file_line_and_column(text: str, where: str, why: str) -> None:
    """Each kind of broken file says where and what."""
    with pytest.raises(InputError) as caught:
        parse(text, file="x.conf")
    assert caught.value.code == "nginx.syntax"
    assert caught.value.message == f"cannot read nginx configuration: {where}: {why}"


def test_absurd_nesting_is_refused() -> None:
    """A thousand open blocks are a fault, not a crash of the interpreter."""
    with pytest.raises(InputError, match=f"nested deeper than {DEEPEST}"):
        parse("a {" * 1000 + "}" * 1000)


_QUOTED = st.text('ab ;{}#\n\t$é\\"').map(lambda t: '"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"')
_TRIVIA = st.sampled_from([" ", "\n", "\t ", " # note; }\n", "\r\n"])


@st.composite
def _configurations(draw: st.DrawFn, depth: int = 3) -> str:
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        words = draw(
            st.lists(st.sampled_from(["listen", "a.b", "80", "$x", "${y}z"]) | _QUOTED, min_size=1, max_size=3)
        )
        parts.append(draw(_TRIVIA) + draw(_TRIVIA).join(words) + draw(_TRIVIA))
        parts.append("{" + draw(_configurations(depth - 1)) + "}" if depth and draw(st.booleans()) else ";")
    return "".join(parts) + draw(_TRIVIA)


@given(_configurations())
def test_any_configuration_round_trips(text: str) -> None:
    """Whatever parses is written back character by character."""
    assert render_tree(parse(text)) == text


@given(st.text("ab;{}\"'\\#$ \n\r\t"))
def test_any_text_round_trips_or_is_an_input_error(text: str) -> None:
    """Arbitrary text never crashes the reader and never changes on the way."""
    try:
        tree = parse(text)
    except InputError:
        return
    assert render_tree(tree) == text


@given(st.text(min_size=1).filter(lambda t: not any("\ud800" <= c <= "\udfff" for c in t)))
def test_a_quoted_word_is_read_back_as_it_was(value: str) -> None:
    """Quoting with backslashes before quotes and backslashes is undone by the reader."""
    quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse(f"set {quoted};").directives[0].arguments == (value,)


def test_what_a_terminal_would_obey_is_not_in_a_message() -> None:
    """A binary file is refused in printable words, and not in all of them."""
    with pytest.raises(InputError) as caught:
        parse("\x1b[2J" + "x" * 500)
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 200
