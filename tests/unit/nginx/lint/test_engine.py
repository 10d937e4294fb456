"""What is found is placed, ordered, silenced by comments, and shown in every format."""

from __future__ import annotations

import json

import pytest

from counterseal.errors import InputError
from counterseal.findings import Severity
from counterseal.nginx.lint.build import build
from counterseal.nginx.lint.catalogue import RULES
from counterseal.nginx.lint.edit import Edit, apply_edits
from counterseal.nginx.lint.engine import LintResult, lint
from counterseal.nginx.lint.fix import Fix
from counterseal.nginx.lint.output.document import result_to_json, rule_to_json
from counterseal.nginx.lint.output.fixes import left_by, show_left
from counterseal.nginx.lint.output.github import to_github
from counterseal.nginx.lint.output.sarif import write_sarif
from counterseal.nginx.lint.output.text import explain_rule, show_result, show_rules
from counterseal.nginx.lint.patch import show_patch
from counterseal.nginx.lint.rule import Span
from counterseal.nginx.parse import parse
from counterseal.nginx.version import named_version
from nginx_lint_lab import NOW

IDLE = """http {
  server {
    listen 443 ssl;
\tssl_client_certificate\t"a b.pem";%s
  }
}
"""
BY_CODE = {rule.code: rule for rule in RULES}


def found(text: str, *, file: str = "nginx.conf") -> LintResult:
    """Return what the rules find in one file."""
    model = build(parse(text, file=file), version=named_version("1.28.0"), now=NOW)
    return lint(model, {file: text})


@pytest.mark.parametrize(
    "comment",
    [
        "  # counterseal: ignore[mtls-verify-missing] the load balancer does it",
        "  # counterseal: ignore[tls-cert-expired, mtls-verify-missing] it does both",
    ],
)
def test_a_comment_at_the_end_of_the_line_silences_its_codes(comment: str) -> None:
    """And is counted."""
    result = found(IDLE % comment)
    assert (result.found, result.silenced) == ((), 1)


def test_a_comment_alone_is_about_the_next_line() -> None:
    """And of that line alone, and for its code alone."""
    above = "    # counterseal: ignore[mtls-verify-missing] so\n"
    assert found(IDLE.replace("\tssl_client", f"{above}\tssl_client") % "").found == ()
    assert len(found(IDLE.replace("    listen", f"{above}    listen") % "").found) == 1
    assert len(found(IDLE % "  # counterseal: ignore[mtls-early-data] so").found) == 1


USELESS = """http {
  server {
    listen 443 ssl;
    listen 80;  # counterseal: ignore[mtls-early-data, ignore-unused] why
    # counterseal: ignore[mtls-early-data] why
    server_name a.test;
  }
}
"""


def test_a_comment_that_is_there_for_nothing_is_told_and_taken_away() -> None:
    """In every format; no comment silences that, and with the comment goes its line."""
    result, texts = found(USELESS), {"nginx.conf": USELESS}
    assert [(one.code, one.where) for one in result.findings] == [
        ("ignore-unused", "nginx.conf:4:17"),
        ("ignore-unused", "nginx.conf:4:17"),
        ("ignore-unused", "nginx.conf:5:5"),
    ]
    assert result.silenced == 0
    assert [one["severity"] for one in result_to_json(result)["findings"]] == ["info"] * 3
    results = json.loads(write_sarif(result, RULES, tool_version="1"))["runs"][0]["results"]
    assert [(one["ruleId"], one["level"], len(one["fixes"])) for one in results] == [("ignore-unused", "note", 1)] * 3
    changed = apply_edits(texts, result.edits())["nginx.conf"]
    assert changed == USELESS.replace("  # counterseal: ignore[mtls-early-data, ignore-unused] why", "").replace(
        "    # counterseal: ignore[mtls-early-data] why\n", ""
    )
    assert not found(changed).found


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 80; }  # counterseal: ignore[mtls-early-data] why",
        "http { server { listen 80; ssl_certificate a; } }  # counterseal: ignore[tls-cert-expired] why",
        "http { server { listen 80; } }  # counterseal: ignore[mtls-crl-file-contains-certificate] why",
    ],
    ids=["a part of a configuration", "files not looked at", "not this nginx"],
)
def test_a_comment_may_be_of_use_where_not_everything_was_looked_at(text: str) -> None:
    """Then it is not called useless."""
    assert found(text).found == ()


def test_people_see_the_line_with_a_mark_below() -> None:
    """Tabs are widened in both lines alike, and what a terminal would obey is not printed."""
    text = IDLE % ""
    shown = show_result(found(text), {"nginx.conf": text}).splitlines()
    assert shown[0] == "nginx.conf:4:2: high: client CA without ssl_verify_client: a b.pem [mtls-verify-missing]"
    assert shown[1] == '  4 |     ssl_client_certificate    "a b.pem";'
    assert shown[2] == "    |     ^" + "~" * (len('ssl_client_certificate    "a b.pem"') - 1)
    assert shown[-1] == "1 finding: 1 high; --fix mends 1"
    odd = 'server { listen 443 ssl; ssl_client_certificate "\x1b[2J"; }'
    assert "\x1b" not in show_result(found(odd), {"nginx.conf": odd})


def test_programs_get_file_line_and_column() -> None:
    """The documented keys."""
    (document,) = result_to_json(found(IDLE % ""))["findings"]
    assert {key: document[key] for key in ("code", "severity", "file", "line", "column", "fixable")} == {
        "code": "mtls-verify-missing",
        "severity": "high",
        "file": "nginx.conf",
        "line": 4,
        "column": 2,
        "fixable": True,
    }


def test_how_sure_a_fix_is_is_told_in_every_format() -> None:
    """A suggestion with a placeholder: which decision it waits for, and in SARIF that it is none to be applied."""
    text = "server {\n  listen 443 ssl;\n  ssl_crl a.crl;\n}\n"
    result = found(text)
    (document,) = result_to_json(result)["findings"]
    assert document["fixable"] is False
    assert document["fix"]["applicability"] == "has-placeholders"
    assert document["fix"]["placeholders"] == ["<client-ca.pem>"]
    assert [(one["line"], one["column"], one["end_line"], one["end_column"]) for one in document["fix"]["edits"]] == [
        (3, 3, 3, 3)
    ] * 2
    (one,) = json.loads(write_sarif(result, RULES, tool_version="1"))["runs"][0]["results"]
    (fix,) = one["fixes"]
    assert fix["description"]["text"].startswith("suggestion, needs a decision: whether clients are to be verified")
    assert fix["properties"]["applicability"] == "has-placeholders"
    (change,) = fix["artifactChanges"]
    assert change["replacements"][1]["insertedContent"]["text"] == "ssl_verify_client on;\n  "
    shown = show_result(result, {"nginx.conf": text}, width=60)
    assert "  fix: --fix suggests one; it needs a decision: whether" in shown
    assert all(len(line) <= 60 for line in shown.splitlines()[1:])
    assert shown.endswith("1 finding: 1 medium; --fix suggests 1")


def test_what_is_left_is_all_comment_whatever_stands_in_the_configuration() -> None:
    """A name with line feeds in it puts nothing into the patch."""
    text = 'server { listen 443 ssl; ssl_crl "a\n--- a/x\n+++ b/x\n@@ -1 +1 @@\r\n-a\n+b\n"; }'
    result = found(text)
    left = show_left(left_by(result, frozenset()), {"nginx.conf": text})
    assert "suggested: " in left
    assert all(line.startswith("#") for line in left.removesuffix("\n").split("\n"))


def test_a_decision_is_a_line_of_comment_and_no_order_to_a_terminal() -> None:
    """The path of a location stands in it as it stands in the configuration."""
    text = """http { server { listen 443 ssl; ssl_client_certificate c; ssl_verify_client optional;
location "/a\n--- a/x\n+++ b/x\x1b[31m" { if ($ssl_client_verify != SUCCESS) { return 403; } proxy_pass http://a; }
location ~ \\.php$ { proxy_pass http://b; } } }"""
    result = found(text)
    left = show_left(left_by(result, frozenset()), {"nginx.conf": text})
    assert "needs a decision: whether requests below /a" in left
    assert all(line.startswith("#") for line in left.removesuffix("\n").split("\n"))
    assert "\x1b" not in show_result(result, {"nginx.conf": text})


def test_a_suggestion_shows_no_part_of_a_private_key_beside_it() -> None:
    """Neither its beginning below an edit nor its end above one, where the other mark is not in the hunk."""
    key = "data:-----BEGIN PRIVATE KEY-----\nSECRET1\nSECRET2\nSECRET3\nSECRET4\nSECRET5\n-----END PRIVATE KEY-----\n"
    idle = "  ssl_crl a.crl;\n"
    text = f'server {{\n  listen 443 ssl;\n{idle}  ssl_certificate_key "{key}";\n{idle}}}\n'
    left = show_left(left_by(found(text), frozenset()), {"nginx.conf": text})
    assert "tls-key-inline-data" in left
    assert "mtls-crl-without-verify" in left
    assert "SECRET" not in left
    assert left.count("# -(not shown)\n") == 5  # the suggestion to take it out


def test_a_placeholder_is_none_in_a_named_group() -> None:
    """What looks like one in a regular expression is the owner's."""
    edits = tuple(Edit("f", 1, 1, "", text) for text in ("~(?<who>a)", "(?P<who>a)", "a <client-ca.pem>", "<b>"))
    assert Fix(edits).placeholders == ("<client-ca.pem>", "<b>")
    assert [Fix((edit,)).applicability for edit in edits] == ["machine-applicable"] * 2 + ["has-placeholders"] * 2


def test_code_hosts_get_sarif_and_annotations() -> None:
    """Region and rule of SARIF 2.1.0; a workflow command with everything escaped that has to be."""
    result = found(IDLE % "", file="/etc/nginx/a b,c%.conf")
    run = json.loads(write_sarif(result, RULES, tool_version="1"))["runs"][0]
    (one,) = run["results"]
    assert run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] == "mtls-verify-missing"
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "file:///etc/nginx/a%20b%2Cc%25.conf"
    assert (place["region"]["startLine"], place["region"]["startColumn"]) == (4, 2)
    assert to_github(result).startswith("::error file=/etc/nginx/a b%2Cc%25.conf,line=4,col=2,")
    odd = to_github(found(IDLE % "", file="a:b\r\n::error ::.conf"))
    assert odd.startswith("::error file=a%3Ab%0D%0A%3A%3Aerror %3A%3A.conf,line=4,")
    assert len(odd.split("\n")) == 1


def test_a_private_key_is_shown_in_no_format() -> None:
    """Neither the line of the finding nor the patch holds it; a suggestion and the documents never did."""
    key = "-----BEGIN PRIVATE KEY-----\\nSECRET\\n-----END PRIVATE KEY-----"
    text = f'server {{ listen 443 ssl; ssl_client_certificate ca.pem; ssl_certificate_key "data:{key}"; }}\n'
    result, texts = found(text), {"nginx.conf": text}
    assert {one.code for one in result.findings} >= {"mtls-verify-missing", "tls-key-inline-data"}
    shown = [
        show_result(result, texts),
        show_patch(texts, apply_edits(texts, result.edits())),
        show_left(left_by(result, frozenset()), texts),
        write_sarif(result, RULES, tool_version="1"),
        to_github(result),
        json.dumps(result_to_json(result)),
    ]
    assert all(shown)
    assert "SECRET" not in "".join(shown)


def test_every_rule_explains_itself() -> None:
    """Summary, evidence, remedy and reference are there, and the list has them all."""
    assert len(BY_CODE) == len(RULES)
    assert len(show_rules(RULES).splitlines()) == len(RULES)
    for rule in RULES:
        assert all((rule.summary, rule.evidence, rule.remedy, rule.reference.startswith("https://")))
        assert rule.code in explain_rule(rule)
        assert rule_to_json(rule)["severity"] in {severity.name.lower() for severity in Severity}


def test_a_package_with_the_fix_is_not_concerned() -> None:
    """Distributions carry fixes back: what counts is the update of the package, not the number of nginx."""
    span = Span(before=(1, 26, 3), mended_in=("1.22.1-9+deb12u1",))
    versions = ["1.22.1", "1.22.1-9", "1.22.1-9+deb12u1", "1.22.1-9+deb12u11", "1.22.1-9+deb13u1", "1.26.3"]
    assert [span.holds(named_version(text)) for text in versions] == [True, True, False, False, True, False]
    assert str(span) == "before 1.26.3 (mended in 1.22.1-9+deb12u1)"
    with pytest.raises(InputError, match="not a version"):
        named_version("newest")
