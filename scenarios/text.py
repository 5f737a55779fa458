"""Words for people, which can be said in other languages: templates with values, translated by gettext catalogues.

The English text is the template itself, so that nothing depends on a catalogue being there. Catalogues stand in
``scenarios/locale``; ``python -m docs.translate`` finds what is to be translated and compiles them.
"""

import gettext
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Self

LANGUAGES: Final = ("en", "ja")
"""Languages that messages are said in, the first of which they are written in."""
_VARIABLES = ("KIRIKAE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
"""Where the environment says which language it wants; the first that is set counts."""
_DOMAIN = "kirikae"
_FOLDER = Path(__file__).parent / "locale"

Translate = Callable[[str], str]
"""Says a text, or a plain string that the catalogue knows, in one language."""


class Text(str):
    """A message with its values, in English, which remembers how it was made.

    ``Text("trunk {name} has {cap} channels", name="ntt", cap=30)``: the template is what catalogues know; values that
    are texts are translated as well.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        """Raises KeyError for a template that names a value which is not given."""
        text = super().__new__(cls, template.format(**values))
        text.template = template
        text.values = values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, object]]:
        return (self.template,), dict(self.values)


def language_of(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language that an environment asks for, if messages are said in it, otherwise English."""
    wanted = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    code = re.split(r"[-_.@]", wanted, maxsplit=1)[0].lower()  # of ja_JP.UTF-8, ja-JP, ja@modifier
    return code if code in LANGUAGES else LANGUAGES[0]


@cache
def translator(language: str) -> Translate:
    """Return what says texts in a language; raises ValueError for one that no catalogue is for."""
    if language not in LANGUAGES:
        raise ValueError(f"no messages in {language!r}; there are {', '.join(LANGUAGES)}")
    if language == LANGUAGES[0]:
        return str
    known = gettext.translation(_DOMAIN, _FOLDER, [language])

    def translate(text: str) -> str:
        if not text:
            return ""  # which catalogues have their header by
        if not isinstance(text, Text):
            return known.gettext(text)
        values = {name: translate(value) if isinstance(value, Text) else value for name, value in text.values.items()}
        return known.gettext(text.template).format(**values)

    return translate
