"""Translations: everything that is said has one, it says the same values, and programs read what people wrote."""

import gettext
import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from docs import translate
from docs.translate import (
    NotALiteralError,
    Said,
    fields,
    folder,
    misplaced,
    mo,
    po,
    read,
    said,
    said_on_page,
    templates,
    updated,
)
from reports.pages import said_in_script, said_in_template
from scenarios.text import LANGUAGES

OTHERS = LANGUAGES[1:]
COMMAND = "python -m docs.translate"
HEAD = "from scenarios.text import Text\n"


@pytest.fixture(scope="module")
def sentences() -> Said:
    return said()


# The catalogues as they stand


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_all_that_is_said(language: str, sentences: Said) -> None:
    there = {each.id for each in read(language) if each.id}
    assert [sentence for sentence in sentences if sentence not in there] == [], COMMAND


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_stands_as_it_is_written(language: str, sentences: Said) -> None:
    assert po(updated(read(language), sentences)) == (folder(language) / "kirikae.po").read_bytes(), COMMAND


@pytest.mark.parametrize("language", OTHERS)
def test_all_that_is_said_is_translated(language: str) -> None:
    assert translate.untranslated(read(language)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_translations_have_the_placeholders_of_the_original(language: str) -> None:
    assert misplaced(read(language)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_sentence_is_its_own_translation(language: str) -> None:
    """Bits of YAML may be."""
    words = re.compile(r"[a-z]{2,} [a-z]{2,}")
    assert [each.id for each in read(language) if each.id == each.string and words.search(str(each.id))] == []


@pytest.mark.parametrize("language", OTHERS)
def test_programs_read_what_people_wrote(language: str, sentences: Said) -> None:
    compiled = (folder(language) / "kirikae.mo").read_bytes()
    assert mo(updated(read(language), sentences)) == compiled, COMMAND
    known = gettext.GNUTranslations(io.BytesIO(compiled))
    assert {str(each.id): known.gettext(str(each.id)) for each in read(language) if each.id} == {
        str(each.id): each.string for each in read(language) if each.id
    }


# What is found


def test_what_is_found_is_what_other_software_finds() -> None:
    modules = [path.read_bytes() for path in translate.ROOT.glob("scenarios/**/*.py")]
    theirs = {
        message
        for module in modules
        if b"scenarios.text import" in module
        for _, message, _, _ in extract("python", io.BytesIO(module), keywords={"Text": None})
    }
    assert len(theirs) > 200
    assert theirs == {template for module in modules for template in templates(module.decode(), "")}


def test_rules_facts_and_words_are_found_besides_texts(sentences: Said) -> None:
    assert sentences["Steps that wait for each other never begin."] == ["rules"]
    assert sentences["Every login depends on the identity service."] == ["scenarios/catalogue/facts.yaml"]
    assert sentences["warning"] == ["scenarios/problems.py"]


def test_a_template_may_be_written_in_pieces_or_stand_elsewhere() -> None:
    code = HEAD + 'b = Text("one "\n  "{two}", two=Text("three"))\na = [Text(rule.why), Text(WORDS), str(1)]\n'
    assert list(templates(code, "a.py")) == ["one {two}", "three"]


@pytest.mark.parametrize("template", ['f"{a} b"', '"a" if b else "c"', '"a" + b', '"%s" % b', '"a".strip()', "*a", "1"])
def test_a_template_that_is_put_together_is_refused(template: str) -> None:
    with pytest.raises(NotALiteralError, match=r"^a\.py:2: "):
        list(templates(f"{HEAD}a = Text({template})\n", "a.py"))


def test_texts_of_another_library_are_not_ours() -> None:
    assert list(templates('from rich.text import Text\nText(f"{a}")\nText("b")\n', "a.py")) == []


def test_what_pages_say_is_what_other_software_finds() -> None:
    pages = sorted(translate.PAGES.rglob("*.j2"))
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    theirs = {
        part
        for page in pages
        for _, _, message, _ in babel_extract(io.BytesIO(page.read_bytes()), ("say",), (), options)
        for part in ((message,) if isinstance(message, str) else message or ())
        if isinstance(part, str)
    }
    ours = {sentence for page in pages for sentence in said_on_page(page)}
    assert len(theirs) > 50
    assert theirs <= ours
    assert "finished in {count} of {runs} runs" in {*said_on_page(translate.PAGES / "chart_runbook.js")}
    assert "minute %{x}" in {*said_on_page(translate.PAGES / "timeline.js")}


def test_a_page_may_say_one_of_two_sentences_but_none_that_is_put_together(tmp_path: Path) -> None:
    page = tmp_path / "page.html.j2"
    page.write_text('{{ say("one" if a else "two {b}", b=say(c)) }}{{ say(d.why) }}')
    assert list(said_in_template(page.read_text())) == ["one", "two {b}"]
    for bad in ('"one" ~ b', '"one" + b', '"one %s" % b'):
        with pytest.raises(ValueError, match="line 2"):
            list(said_in_template(f"\n{{{{ say({bad}) }}}}"))


def test_scripts_say_what_stands_in_quotes() -> None:
    script = 'const a = say("one {b}", { b }), c = say(level.title); essay("no"); say("a \\"word\\"");'
    assert list(said_in_script(script)) == ["one {b}", 'a "word"']


# What is kept


OLD = """
#, fuzzy
msgid "guessed"
msgstr "推測"

msgid "known"
msgstr "既知"

msgid "gone"
msgstr "消滅"

#~ msgid "back again"
#~ msgstr "復活"
"""


def catalogue(text: str) -> Catalog:
    return read_po(io.BytesIO(text.encode()), locale="ja")


def test_translations_outlast_what_they_are_of() -> None:
    sentences = {"known": ["a.py"], "back again": ["a.py"], "new": ["a.py"], "guessed": ["a.py"]}
    new = updated(catalogue(OLD), sentences)
    assert {each.id: each.string for each in new if each.id} == {
        "known": "既知",
        "back again": "復活",
        "new": "",
        "guessed": "推測",
    }
    assert translate.untranslated(new) == ["new", "guessed"]
    again = updated(catalogue(po(new).decode()), {**sentences, "gone": ["b.py"]})
    assert again["gone"].string == "消滅"
    assert translate.untranslated(again) == ["new", "guessed"]


def test_what_is_said_no_more_can_be_forgotten() -> None:
    assert "消滅" in po(updated(catalogue(OLD), {"known": ["a.py"]})).decode()
    assert "消滅" not in po(updated(catalogue(OLD), {"known": ["a.py"]}, forget=True)).decode()


def test_what_nobody_says_or_confirmed_is_not_compiled() -> None:
    known = gettext.GNUTranslations(io.BytesIO(mo(updated(catalogue(OLD), {"known": ["a.py"], "guessed": ["a.py"]}))))
    assert [known.gettext(each) for each in ("known", "guessed", "gone")] == ["既知", "guessed", "gone"]


def test_a_catalogue_written_twice_is_the_same() -> None:
    new = updated(catalogue(OLD), {"known": ["a.py"], "new": ["b.py"]})
    again = updated(catalogue(po(new).decode()), {"known": ["a.py"], "new": ["b.py"]})
    assert po(again) == po(new)
    assert mo(again) == mo(new)
    assert "Date" not in po(new).decode()


@pytest.mark.parametrize(
    ("template", "same"),
    [
        ("{load:.6g} on {name!r}", "「{name}」に {load:.6g}"),
        ("run: {{start: 09:00}}", "例 run: {{start: 09:00}}"),
        ("{name} and {name}", "{name} だけ"),
    ],
)
def test_order_and_quotes_of_placeholders_are_free(template: str, same: str) -> None:
    assert fields(template) == fields(same)


@pytest.mark.parametrize(
    ("template", "other"),
    [
        ("{load:.6g} on {name}", "{load:.6g}"),
        ("{load:.6g} on {name}", "{name} に {load}"),
        ("{name}", "{名前}"),
        ("{name}", "{name} {more}"),
        ("run: {{start: 09:00}}", "例 run: {start: 09:00}"),
        ("{name}", "{name"),
        ("name", "{}"),
    ],
)
def test_other_placeholders_are_seen(template: str, other: str) -> None:
    assert fields(template) != fields(other)
    new = updated(catalogue(f'msgid "{template}"\nmsgstr "{other}"\n'), {template: ["a.py"]})
    assert misplaced(new) == [template]
