"""What all pages have in common: templates, what they say, and files that stand in them as they are."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, nodes
from markupsafe import Markup, escape

from scenarios.text import Text, Translate

_TEMPLATES = "templates"
_SAID_IN_SCRIPTS: Final = re.compile(r'\bsay\("((?:[^"\\]|\\.)*)"')


def environment(translate: Translate = str) -> Environment:
    """Return a new environment of our templates: everything is escaped, and nothing may be missing.

    A :class:`~scenarios.text.Text` that is put out is said in the language of ``translate``; ``say`` says what a
    template says by itself.
    """
    made = Environment(
        loader=PackageLoader("reports", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: translate(value) if isinstance(value, Text) else value,
    )
    made.globals.update(say=saying(translate), code=_code)
    made.filters.update(marked=_marked)
    return made


def saying(translate: Translate) -> Callable[..., str]:
    """Return ``say``: ``say("{count} of {runs} runs", count=3, runs=5)``, ``say(text)``.

    Values may be texts, which are said as well, or markup, which stays what it is while the sentence is escaped.
    """

    def say(text: str, /, **values: object) -> str:
        if not any(isinstance(value, Markup) for value in values.values()):
            return translate(Text(text, **values) if values else text)
        said = {name: translate(value) if isinstance(value, Text) else value for name, value in values.items()}
        return escape(translate(text)).format(**said)

    return say


def _code(text: object) -> Markup:
    """Return what stands in a sentence as programs write it."""
    return Markup("<code>{}</code>").format(text)


def _marked(text: str) -> Markup:
    """Return a sentence in which what stands between backticks is as programs write it."""
    plain, *more = text.split("`")
    pairs = zip(more[::2], more[1::2], strict=True)
    return escape(plain) + Markup("").join(_code(code) + after for code, after in pairs)


@cache
def source(name: str) -> Markup:
    """Return a style sheet or script of ours as it stands."""
    return Markup(_text(name))  # noqa: S704


def said_in_script(script: str) -> Iterator[str]:
    """Yield what a script says: the first argument of each ``say("…")``."""
    for found in _SAID_IN_SCRIPTS.finditer(script):
        yield found[1].replace('\\"', '"')


def said_in_template(template: str) -> Iterator[str]:
    """Yield what a template says by itself: the first argument of each ``say("…")``, or either of ``a if b else c``.

    Raises ValueError for one that is put together, so that nobody can find it by reading the template.
    """
    for call in environment().parse(template).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "say" and call.args:
            yield from _literals(call.args[0])


def _literals(node: nodes.Expr) -> Iterator[str]:
    match node:
        case nodes.Const(value=str(text)):
            yield text
        case nodes.CondExpr(expr1=one, expr2=nodes.Expr() as other):
            yield from _literals(one)
            yield from _literals(other)
        case nodes.Concat() | nodes.Add() | nodes.Mod():
            raise ValueError(f"line {node.lineno}: what is said is not a literal")
        case _:
            pass  # a text, which is found where it is made


def _text(name: str) -> str:
    return files("reports").joinpath(_TEMPLATES, name).read_text("utf-8")
