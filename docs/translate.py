"""Bring the catalogues of translations up to date: `python -m docs.translate`.

What is said is found in the code: the templates of every ``Text("…")``, every ``say("…")`` of pages and their scripts,
why there is each rule, the facts of the catalogue of rules with the sentences about where they are held, what metrics
mean, what engines assume, and the words for severities, units and measures.
``kirikae.po`` keeps its translations, those of sentences that are said no more too, until ``--forget``. A test fails
while ``kirikae.po`` lacks one, or ``kirikae.mo`` is not made of it.
"""

import argparse
import ast
import io
import string
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from reports.assumptions import ASSUMPTIONS
from reports.pages import said_in_script, said_in_template
from scenarios.catalogue import PLACES, ROWS, Held
from scenarios.metrics import METRICS, Unit
from scenarios.problems import Severity
from scenarios.rules import RULES
from scenarios.text import LANGUAGES
from scenarios.tolerances import Measure

ROOT = Path(__file__).parent.parent
ROOMS = ("kirikae", "reports", "sbc", "scenarios", "sim")
"""Where texts are looked for."""
PAGES = ROOT / "reports" / "templates"
"""Where templates of pages stand, and their scripts."""
_WIDTH = 120

Said = dict[str, list[str]]
"""Sentences to be translated, in order, with the files that they stand in."""


class NotALiteralError(Exception):
    """A text whose template is put together, so that nobody can find it by reading the code."""


class Translations(Catalog):
    """A catalogue whose header says nothing of when and by which version of what it was written."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Header fields, in order."""
        return [
            ("Project-Id-Version", "kirikae"),
            ("Language", str(self.locale)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def folder(language: str) -> Path:
    """Return where the catalogue of a language stands."""
    return ROOT / "scenarios" / "locale" / language / "LC_MESSAGES"


# What is said


def said() -> Said:
    """Return all that is to be translated; raises :class:`NotALiteralError`."""
    found: Said = {}
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        for template in templates(path.read_text(encoding="utf-8"), where):
            _note(found, template, where)
    for path in sorted(path for path in PAGES.rglob("*") if path.suffix in (".j2", ".js")):
        for sentence in said_on_page(path):
            _note(found, sentence, path.relative_to(ROOT).as_posix())
    for where, sentences in _sentences():
        for sentence in sentences:
            _note(found, sentence, where)
    return found


def said_on_page(path: Path) -> Iterator[str]:
    """Yield what a template or a script says by itself; raises :class:`NotALiteralError`."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        yield from said_in_script(text)
        return
    try:
        yield from said_in_template(text)
    except ValueError as error:
        raise NotALiteralError(f"{path.relative_to(ROOT).as_posix()}, {error}") from None


def _note(found: Said, sentence: str, where: str) -> None:
    places = found.setdefault(sentence, [])
    if sentence and where not in places:
        places.append(where)


def templates(code: str, where: str) -> Iterator[str]:
    """Yield the templates of the texts in a module.

    A name in place of a literal is a sentence that is found elsewhere, such as why there is a rule; anything else
    raises :class:`NotALiteralError`.
    """
    if "scenarios.text" not in code:
        return
    tree = ast.parse(code)
    imports = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "scenarios.text")
    if not any(name.name == "Text" for node in imports for name in node.names):
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        match node:
            case ast.Call(func=ast.Name("Text"), args=[ast.Constant(str(template))]):
                yield template
            case ast.Call(func=ast.Name("Text"), args=[ast.Name() | ast.Attribute()]):
                pass
            case ast.Call(func=ast.Name("Text")):
                raise NotALiteralError(f"{where}:{node.lineno}: the template of a text is not a literal")


def _sentences() -> Iterator[tuple[str, Iterable[str]]]:
    """Yield sentences that are no templates, with a name for where they come from."""
    yield "rules", (rule.why for rule in RULES)
    yield "scenarios/metrics.py", (metric.definition for metric in METRICS.values())
    yield "reports/assumptions.py", (each.about for each in ASSUMPTIONS)
    yield "reports/assumptions.py", (text for each in ASSUMPTIONS for text in each.says.values())
    yield "scenarios/catalogue/facts.yaml", (row.fact for row in ROWS.values())
    spoken = (Held.BEHAVIOUR, Held.NOT)
    yield "scenarios/catalogue", (each.where for places in PLACES.values() for each in places if each.held in spoken)
    for words in (Severity, Unit, Measure):
        yield words.__module__.replace(".", "/") + ".py", (word.value for word in words)


# What it is in another language


def read(language: str) -> Catalog:
    """Return the catalogue of a language as it stands, empty if there is none yet."""
    path = folder(language) / "kirikae.po"
    return read_po(io.BytesIO(path.read_bytes() if path.exists() else b""), locale=language)


def updated(old: Catalog, sentences: Said, *, forget: bool = False) -> Translations:
    """Return a catalogue of all that is said, with the translations that there are.

    Those of what is said no more are kept apart, and count again when it is; ``forget`` leaves them out.
    """
    known = {str(each.id): each for each in (*old.obsolete.values(), *old) if each.id and each.string}
    new = Translations(old.locale, header_comment="# What kirikae says, in another language.", fuzzy=False)
    for sentence, files in sentences.items():
        there = known.pop(sentence, None)
        new.add(
            sentence,
            there.string if there is not None else "",
            locations=[(file, 0) for file in files],
            flags={"fuzzy"} if there is not None and there.fuzzy else (),
        )
        new[sentence].flags.discard("python-format")  # a share in per cent is no placeholder
    if not forget:
        new.obsolete.update(sorted(known.items()))
    return new


def po(catalogue: Catalog) -> bytes:
    """Return a catalogue as text."""
    file = io.BytesIO()
    write_po(file, catalogue, width=_WIDTH, include_lineno=False)
    return file.getvalue()


def mo(catalogue: Catalog) -> bytes:
    """Return a catalogue as programs read it."""
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """Return what is said only in English, or in a way that nobody has confirmed."""
    return [str(each.id) for each in catalogue if each.id and (not each.string or each.fuzzy)]


def misplaced(catalogue: Catalog) -> list[str]:
    """Return the sentences whose translation has other placeholders, or formats them otherwise."""
    plain = {sentence for _, sentences in _sentences() for sentence in sentences}
    return [
        str(each.id)
        for each in catalogue
        if each.id and each.string and each.id not in plain and fields(str(each.id)) != fields(str(each.string))
    ]


def fields(template: str) -> Mapping[str | None, str | None] | None:
    """Return the placeholders of a template with their formats, or None for what is none. Quotes do not count."""
    try:
        return {name: form for _, name, form, _ in string.Formatter().parse(template) if name is not None}
    except ValueError:
        return None


def main(arguments: list[str]) -> int:
    """Write the catalogues; say what is left to do, and return whether there is anything."""
    parser = argparse.ArgumentParser(prog="python -m docs.translate", description="Bring translations up to date.")
    parser.add_argument("--forget", action="store_true", help="leave out what is said no more")
    forget: bool = parser.parse_args(arguments).forget
    try:
        sentences = said()
    except NotALiteralError as error:
        sys.exit(str(error))
    left = 0
    for language in LANGUAGES[1:]:
        new = updated(read(language), sentences, forget=forget)
        folder(language).mkdir(parents=True, exist_ok=True)
        (folder(language) / "kirikae.po").write_bytes(po(new))
        (folder(language) / "kirikae.mo").write_bytes(mo(new))
        for what, wanting in (("untranslated", untranslated(new)), ("other placeholders", misplaced(new))):
            sys.stdout.writelines(f"{language}: {what}: {sentence}\n" for sentence in wanting)
            left += len(wanting)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
