"""Command lines of a drill: no shell, secrets by reference, and none of them in anything that is printed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.commands import CommandError, MissingSecretError, Secret, cleared, parse_command

LINES: list[tuple[object, list[str]]] = [
    ("systemctl stop sbc", ["systemctl", "stop", "sbc"]),
    ('ssh lab@192.0.2.9 "systemctl stop sbc; sleep 1"', ["ssh", "lab@192.0.2.9", "systemctl stop sbc; sleep 1"]),
    ("sh -c 'a | b && c'", ["sh", "-c", "a | b && c"]),
    (["curl", "-d", "a;b|c", 5], ["curl", "-d", "a;b|c", "5"]),
    ("curl -H 'Key: ${env:KEY}'", ["curl", "-H", "Key: s3cret"]),
    ("login ${env:USER_1}:${env:KEY}@x", ["login", "me:s3cret@x"]),
    (["x", ""], ["x", ""]),
    ("echo $HOME *", ["echo", "$HOME", "*"]),
]
ENVIRONMENT = {"KEY": "s3cret", "USER_1": "me", "EMPTY": ""}


@pytest.mark.parametrize(("line", "words"), LINES)
def test_a_line_is_its_words(line: object, words: list[str]) -> None:
    assert parse_command(line).argv(ENVIRONMENT) == words


@pytest.mark.parametrize(
    "line",
    ["", [], [""], "a | b", "a && b", "a > f", "a;b", "a `b`", "a $(b)", "a 'b", "${HOME}", "${env:}", "${env:1}",
     "${secret:X}", "a\x00b", "a\x1b", 5, None, {"a": 1}, [True], [["a"]], "x" * 5000, ["x"] * 5000],
    ids=lambda line: str(line)[:20],
)  # fmt: skip
def test_what_is_no_command_is_refused(line: object) -> None:
    with pytest.raises(CommandError) as raised:
        parse_command(line)
    assert raised.value.allowed


def test_a_secret_shows_nothing_of_itself() -> None:
    secret = Secret("KEY")
    assert [str(secret), repr(secret), f"{secret}", f"{[secret]}"] == ["***", "***", "***", "[***]"]
    assert "s3cret" not in repr(parse_command("x ${env:KEY}"))
    assert secret.reveal(ENVIRONMENT) == "s3cret"


@pytest.mark.parametrize("name", ["EMPTY", "UNSET"])
def test_a_secret_that_nobody_set_is_missed_by_its_name(name: str) -> None:
    with pytest.raises(MissingSecretError, match=name):
        parse_command(["x", f"${{env:{name}}}"]).argv(ENVIRONMENT)


def test_a_line_to_be_run_by_hand_is_one_for_a_shell_and_names_secrets_only() -> None:
    line = parse_command("curl -H 'Key: ${env:KEY}' 'https://192.0.2.9/?a=1&b=2'")
    assert str(line) == """curl -H 'Key: '"${KEY}" 'https://192.0.2.9/?a=1&b=2'"""


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1), min_size=1, max_size=5))
def test_a_list_of_words_is_taken_as_it_stands(words: list[str]) -> None:
    if not any("${" in word for word in words):
        assert parse_command(words).argv({}) == words


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_nothing_is_left_of_secrets(text: str, values: list[str]) -> None:
    shown = cleared(text + "".join(values), values)
    assert not any(value in shown for value in values if not set(value) & set("*"))


def test_a_secret_of_several_lines_is_hidden_line_by_line() -> None:
    assert cleared("key: abc\nrest: def\nabcdef", ["abc\ndef", "abcdef"]) == "key: ***\nrest: ***\n***"
