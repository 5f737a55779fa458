"""Texts: English by themselves, in other languages by catalogues, the same after a journey between processes."""

import copy
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.problems import Finding, Severity, did_you_mean
from scenarios.rules import RULES, check, judge
from scenarios.rules.rule import both, listed
from scenarios.text import LANGUAGES, Text, language_of, translator
from tests.made_plans import plan

JAPANESE = translator("ja")
CHANNELS = Text("trunk {name} has {cap} channels", name="ntt", cap=30)


# English


def test_a_text_is_its_template_with_the_values_put_in() -> None:
    assert CHANNELS == "trunk ntt has 30 channels"
    assert hash(CHANNELS) == hash("trunk ntt has 30 channels")
    assert "trunk ntt has 30 channels" in {CHANNELS}
    assert Text("{load:.6g} of {name!r}, {{as is}}", load=1 / 3, name="ntt") == "0.333333 of 'ntt', {as is}"


def test_as_plain_text_it_forgets_how_it_was_made() -> None:
    assert type(str(CHANNELS)) is str
    assert type(translator("en")(CHANNELS)) is str
    assert translator("en")(CHANNELS) == CHANNELS


@pytest.mark.parametrize(
    ("template", "values"), [("{name}", {}), ("{name}", {"other": 1}), ("{one} {two}", {"one": 1})]
)
def test_a_value_that_is_missing_is_an_error(template: str, values: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        Text(template, **values)


@given(st.text(), st.text(), st.integers())
def test_braces_in_values_mean_nothing(name: str, inner: str, cap: int) -> None:
    assert Text("{one}|{two}", one=name, two=Text("<{text}>", text=inner)) == f"{name}|<{inner}>"
    assert Text("{one!r}", one=name) == repr(name)
    assert (
        JAPANESE(Text("trunk {name} has {cap} channels", name=name, cap=cap)) == f"トランク {name} のチャネル数は {cap}"
    )


# Japanese


def test_texts_within_texts_are_translated_too() -> None:
    reason = Text("{query} is never below 0", query="asr")
    assert JAPANESE(reason) == "asr は 0 未満にならない"
    assert JAPANESE(Text("cannot fail: {reason}", reason=reason)) == "必ず成立する：asr は 0 未満にならない"
    deeper = Text("{names} and {name}", names=Text("{names} and {name}", names="a", name=reason), name="c")
    assert JAPANESE(deeper) == "a と asr は 0 未満にならない と c"


def test_plain_strings_that_the_catalogue_knows_are_translated() -> None:
    assert JAPANESE("Steps that wait for each other never begin.") == "互いに待ち合う手順は開始しない。"
    assert JAPANESE(Severity.ERROR) == "エラー"


def test_what_no_catalogue_knows_stays_english() -> None:
    assert JAPANESE("nobody says so {really}") == "nobody says so {really}"
    assert JAPANESE(Text("nobody says so {how}", how="{really}")) == "nobody says so {really}"


def test_nothing_is_nothing_in_any_language() -> None:
    for language in LANGUAGES:
        assert translator(language)("") == ""
        assert translator(language)(Text("")) == ""
        assert translator(language)(Text("{nothing}", nothing="")) == ""


def test_values_that_are_plain_strings_are_names_and_stay() -> None:
    assert JAPANESE("site") == "拠点"
    assert JAPANESE(Text("trunk {name} has {cap} channels", name="site", cap=1)) == "トランク site のチャネル数は 1"


def test_names_in_one_line_are_cut_short_with_a_word() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert JAPANESE(listed("abcdefg")) == "a, b, c, d, e ほか 2 件"
    assert both(["site", "pair", "trunk"]) == "site and pair and trunk"
    assert JAPANESE(Text("the fault names {fields}", fields=both(["site", "pair"]))) == (
        "障害に site と pair が指定されている"
    )


def test_a_hint_is_translated_where_it_is_given() -> None:
    assert did_you_mean("tokio", ["tokyo"]) == "; did you mean 'tokyo'?"
    message = Text("there is no rule {rule!r}{hint}", rule="lop", hint=did_you_mean("lop", ["loop"]))
    assert message == "there is no rule 'lop'; did you mean 'loop'?"
    assert JAPANESE(message) == "ルール「lop」は存在しない。もしかして「loop」？"


def test_a_language_without_a_catalogue_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no messages in 'xx'; there are en, ja"):
        translator("xx")


# Which language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "ja"}, "ja"),
        ({"LANG": "ja.utf8"}, "ja"),
        ({"LANG": "ja-JP"}, "ja"),
        ({"LANG": "ja_JP@cjknarrow"}, "ja"),
        ({"LANG": "ja@modifier"}, "ja"),
        ({"LANG": "JA"}, "ja"),
        ({"LANG": "jam_JM"}, "en"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "ja_JP", "LC_MESSAGES": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ja_JP"}, "ja"),
        ({"LANG": "ja_JP", "LC_MESSAGES": "ja_JP", "LC_ALL": "POSIX"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "ja_JP"}, "ja"),
        ({"LANG": "C", "LC_MESSAGES": "C", "LC_ALL": "C", "KIRIKAE_LANG": "ja"}, "ja"),
        ({"LANG": "ja", "LC_MESSAGES": "ja", "LC_ALL": "ja", "KIRIKAE_LANG": "en"}, "en"),
        ({"LANG": "ja", "KIRIKAE_LANG": "klingon"}, "en"),
        ({"LANG": "ja", "LC_ALL": "", "KIRIKAE_LANG": ""}, "ja"),
        ({"LC_CTYPE": "ja_JP.UTF-8", "LC_TIME": "ja_JP.UTF-8"}, "en"),
    ],
)
def test_the_environment_says_which_language_it_wants(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language


# Journeys


@pytest.mark.parametrize("travel", [lambda text: pickle.loads(pickle.dumps(text)), copy.copy, copy.deepcopy])  # noqa: S301  # our own bytes
def test_a_copy_of_a_text_can_be_translated(travel: "type[Text]") -> None:
    message = Text("cannot fail: {reason}", reason=Text("{query} is never below 0", query="asr {x}"))
    there = travel(message)
    assert there == message
    assert there.template == message.template
    assert there.values == message.values
    assert JAPANESE(there) == "必ず成立する：asr {x} は 0 未満にならない"


def test_findings_keep_their_texts() -> None:
    drill = plan(trunks={"idle": {"via": "tokyo-edge", "channels": 1}})
    [finding] = check(drill)
    moved = replace(finding, path=("elsewhere",))
    assert isinstance(moved.message, Text)
    assert isinstance(moved.remedy, Text)
    [remark] = judge(drill, [moved]).remarks
    assert JAPANESE(remark.message) == "このトランクで着信する番号がない (G14)"
    assert JAPANESE(remark.remedy) == "使う側の追加、または削除"


def test_findings_that_are_waived_keep_their_texts() -> None:
    drill = plan(
        trunks={"idle": {"via": "tokyo-edge", "channels": 1}},
        waivers=[
            {"finding": "orphan-part", "reason": "for the next contract"},
            {"finding": "routing-loop", "reason": "calls may go round"},
        ],
    )
    judgement = judge(drill, check(drill))
    assert [JAPANESE(waived.finding.message) for waived in judgement.waived] == [
        "このトランクで着信する番号がない (G14)"
    ]
    [remark] = judgement.remarks
    assert remark.remedy == f"a plan without it: {next(rule.why for rule in RULES if rule.id == 'routing-loop')}"
    assert JAPANESE(remark.remedy) == ("該当しない計画にする：着信先が循環している番号への呼は、どこにも着信しない。")


_ELSEWHERE = """
import pickle, sys
from scenarios.text import translator
judgement = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(translator("ja")(judgement.errors[0].message).encode())
"""


def test_findings_keep_their_texts_in_another_process() -> None:
    finding = Finding("overloaded-baseline", Severity.ERROR, ("trunks", "ntt"), CHANNELS, Text("'for'"))
    judgement = judge(plan(), [finding])
    told = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE], input=pickle.dumps(judgement), capture_output=True, check=True
    )
    assert told.stdout.decode() == "トランク ntt のチャネル数は 30"


def test_why_there_is_a_rule_can_be_a_text() -> None:
    assert [rule.why for rule in RULES if Text(rule.why) != rule.why] == []
