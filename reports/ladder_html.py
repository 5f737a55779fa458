"""Ladders as HTML: a list whose items are the messages, each with its piece of the drawing and its text behind a click.

A list item is a `<details>` element: keys open it, screen readers say it, paper shows it, and no script is needed. The
drawing is SVG, cut into one strip an item, and hidden from screen readers, as the words beside it say the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from reports import ladder_words as words
from reports.ladder import Arrival, Kind, Ladder, Message, Row, Silence
from reports.pages import environment, source
from scenarios.evidence import JournalEntry
from scenarios.text import Text, Translate, translator

REPORTED: Final = 40
"""Messages of a ladder that stand in `report.html`; `kirikae ladder` shows all."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A row as the template draws it; places are per cent of the width of the drawing."""

    kind: str
    """`message`, `silence` or `event`."""
    since: str
    clock: str
    what: str
    more: str = ""
    """Which copy it is, and what became of it."""
    said: str = ""
    """What only the drawing shows, for those who do not see it."""
    tail: float = 0.0
    tip: float = 0.0
    """Where the arrow ends; before the lifeline of its target if it is lost on the way."""
    loop: bool = False
    """Whether a machine sends to itself."""
    arrival: str = ""
    tone: str = ""
    """`again`, `bad`, or nothing."""
    text: str = ""
    ends: str = ""
    """Addresses and protocol."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A ladder as the template draws it."""

    kind: str
    title: str
    facts: str
    columns: Sequence[tuple[str, str]]
    """Names with their addresses."""
    lives: Sequence[float]
    """Where the lifelines are, in per cent."""
    strips: Sequence[Strip]
    more: str


def page_text(ladder: Ladder, kind: Kind | None, language: str) -> str:
    """Return one ladder as a page of its own, which opens offline."""
    say = translator(language)
    drawn = drawn_ladder(ladder, kind, say)
    styles = source("report.css") + source("ladder.css")
    hint = Text("A message opens with a click or Enter. A cross in place of an arrowhead: nobody heard it.")
    template = environment().get_template("ladder_page.html.j2")
    return template.render(ladder=drawn, style=styles, language=language, hint=say(hint))


def drawn_ladders(ladders: Mapping[Kind, Ladder], say: Translate = str) -> list[Drawn]:
    """Return the ladders of a report, none of them longer than :data:`REPORTED` messages."""
    return [drawn_ladder(ladder.first(REPORTED), kind, say) for kind, ladder in ladders.items()]


def ladder_style() -> Markup:
    """Return the style sheet of ladders."""
    return source("ladder.css")


def drawn_ladder(ladder: Ladder, kind: Kind | None, say: Translate = str) -> Drawn:
    """Return a ladder as the template draws it."""
    many = len(ladder.columns)
    lives = [round(100 * (index + 0.5) / many, 3) for index in range(many)]
    return Drawn(
        "" if kind is None else say(words.KINDS[kind]),
        words.title(ladder, say),
        ", ".join(words.facts(ladder, say)),
        [(column.name, ", ".join(column.addresses)) for column in ladder.columns],
        lives,
        [_strip(ladder, row, lives, say) for row in ladder.rows],
        words.more_text(ladder, say),
    )


def _strip(ladder: Ladder, row: Row, lives: Sequence[float], say: Translate) -> Strip:
    match row:
        case Silence():
            return Strip("silence", "", "", words.silence_text(row, say))
        case JournalEntry(at):
            since, clock = words.since_text(ladder, at), words.moment(ladder.clock, at)
            return Strip("event", since, clock, words.event_text(row, say))
        case Message():
            return _message(ladder, row, lives, say)


def _message(ladder: Ladder, message: Message, lives: Sequence[float], say: Translate) -> Strip:
    packet = message.packet
    tail, tip = lives[message.source], lives[message.target]
    if message.arrival is Arrival.LOST:
        tip = tail + (tip - tail) * _HALFWAY
    notes = [words.copy_text(message, say), words.arrival_text(message.arrival, say)]
    bad = message.status >= _REFUSED or message.arrival is not Arrival.HEARD
    return Strip(
        "message",
        words.since_text(ladder, message.at),
        words.moment(ladder.clock, message.at),
        words.label(message),
        ", ".join(filter(None, notes)),
        words.way_text(ladder, message, say),
        tail,
        round(tip, 3),
        message.source == message.target,
        message.arrival,
        "bad" if bad else "again" if message.copy > 1 else "",
        message.text,
        f"{packet.source} → {packet.target}, {packet.protocol.upper()}",
    )


_HALFWAY: Final = 0.6
"""How far the arrow of a message goes that is lost on the way."""
_REFUSED: Final = 400
