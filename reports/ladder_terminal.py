"""Ladders on a terminal, a line for each message: time at the left, arrows between lifelines, then what it is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text as Styled

from reports import ladder_words as words
from reports.ladder import Arrival, Kind, Ladder, Message, Silence
from reports.ladder_calls import Attempt
from reports.ladders import Telling
from reports.terminal import columns
from reports.wording import duration_text
from scenarios.evidence import JournalEntry
from scenarios.text import Text, Translate

NARROWEST: Final = 60
"""Columns that a ladder is drawn in at least, however narrow a terminal is."""
_WIDEST_STEP, _LEAST_STEP = 12, 4
"""Characters from one lifeline to the next."""
_LABEL: Final = 24
"""Characters for what a message is, if there is room: a REGISTER that is sent again."""
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Strokes:
    """The characters that a ladder is drawn with."""

    life: str
    line: str
    silence: str
    unheard: str
    again: str
    """A message that a machine sends to itself."""
    rule: str
    more: str


UNICODE: Final = Strokes("│", "─", "┊", "✕", "↺", "━", "…")
ASCII: Final = Strokes("|", "-", ":", "x", "@", "=", ".")


def strokes(console: Console, environment: Mapping[str, str] = os.environ) -> Strokes:
    """Return what a terminal can show: other encodings than Unicode's make lines twice as wide, or question marks."""
    poor = environment.get("TERM") == "dumb" or not console.encoding.lower().startswith("utf")
    return ASCII if poor else UNICODE


def print_ladder(
    console: Console, ladder: Ladder, say: Translate, *, kind: Kind | None = None, texts: bool = False
) -> None:
    """Print a ladder, with ``texts`` and every message in full below; ``kind`` is what it was chosen for."""
    _print_head(console, ladder, say, kind)
    drawing = _Drawing(ladder, say, strokes(console), max(console.width, NARROWEST))
    for line in drawing.lines():
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    for note in drawing.notes():
        console.print(note, soft_wrap=True)
    if texts:
        for message in ladder.messages:
            _print_text(console, ladder, message, say)


def _print_head(console: Console, ladder: Ladder, say: Translate, kind: Kind | None) -> None:
    name = Styled(words.title(ladder, say), style="bold")
    console.print(name if kind is None else Styled.assemble((f"{say(words.KINDS[kind])}: ", "bold"), name))
    told = words.facts(ladder, say)
    if told:
        console.print(Styled(", ".join(told)))
    console.print()


class _Drawing:
    def __init__(self, ladder: Ladder, say: Translate, strokes: Strokes, width: int) -> None:
        self._ladder = ladder
        self._say = say
        self._strokes = strokes
        times = [words.since_text(ladder, _at(row)) for row in ladder.rows]
        clocks = [words.moment(ladder.clock, _at(row)) for row in ladder.rows]
        self._number = len(str(len(ladder.messages)))
        self._since = max(map(len, times))
        self._clock = max(map(len, clocks))
        self._left = self._number + self._since + self._clock + 3 * len(_INDENT)
        gaps = max(len(ladder.columns) - 1, 1)
        room = (width - self._left - _LABEL - 1) // gaps
        self._step = max(min(room, _WIDEST_STEP), _LEAST_STEP)
        self._width = gaps * self._step + 1
        self._label = max(width - self._left - self._width - len(_INDENT), 0)

    def lines(self) -> list[Styled]:
        lines = [self._name(index) for index in range(len(self._ladder.columns))]
        for row in self._ladder.rows:
            match row:
                case Message():
                    lines.append(self._message(row))
                case Silence():
                    quiet = self._lives(self._strokes.silence)
                    text = words.silence_text(row, self._say)
                    lines.append(self._row("", None, quiet, Styled(self._cut(text), style="dim")))
                case JournalEntry():
                    lines.append(self._event(row))
        return lines

    def notes(self) -> list[Styled]:
        notes = []
        arrivals = {message.arrival for message in self._ladder.messages}
        for arrival in (Arrival.UNHEARD, Arrival.LOST):
            if arrival in arrivals:
                sign = self._arrow(arrival)
                notes.append(Styled(f"{sign}  {words.arrival_text(arrival, self._say)}", style="dim"))
        if more := words.more_text(self._ladder, self._say):
            notes.append(Styled(more))
        return [Styled(), *notes] if notes else []

    def _arrow(self, arrival: Arrival) -> str:
        line = self._strokes.line * 3
        sign, life = self._strokes.unheard, self._strokes.life
        return f"{line}{sign}{life}" if arrival is Arrival.UNHEARD else f"{line}{sign} {life}"

    def _name(self, index: int) -> Styled:
        """Return a line of the head, which has the name of one column, and the lifelines left of it."""
        column = self._ladder.columns[index]
        before = "".join(f"{self._strokes.life:<{self._step}}" for _ in range(index))
        line = Styled(" " * self._left + before)
        line.append(column.name, style="bold")
        if column.addresses:
            line.append(f"  {', '.join(column.addresses)}", style="dim")
        return line

    def _row(self, number: str, at: float | None, drawing: str, label: Styled) -> Styled:
        since = "" if at is None else words.since_text(self._ladder, at)
        clock = "" if at is None else words.moment(self._ladder.clock, at)
        line = Styled()
        line.append(f"{number:>{self._number}}{_INDENT}", style="dim")
        line.append(f"{since:>{self._since}}{_INDENT}")
        line.append(f"{clock:>{self._clock}}{_INDENT}", style="dim")
        line.append(drawing + _INDENT)
        line.append_text(label)
        line.rstrip()
        return line

    def _lives(self, life: str) -> str:
        return (f"{life:<{self._step}}" * len(self._ladder.columns)).rstrip().ljust(self._width)

    def _message(self, message: Message) -> Styled:
        drawn = list(self._lives(self._strokes.life))
        source, target = message.source * self._step, message.target * self._step
        if source == target:
            drawn[source] = self._strokes.again
        else:
            low, high = min(source, target), max(source, target)
            drawn[low + 1 : high] = self._strokes.line * (high - low - 1)
            tip, back = (target - 1, -1) if target > source else (target + 1, 1)
            if message.arrival is Arrival.LOST:
                drawn[tip + back], drawn[tip] = self._strokes.unheard, " "
            else:
                heard = message.arrival is Arrival.HEARD
                drawn[tip] = (">" if target > source else "<") if heard else self._strokes.unheard
        style = _style(message)
        return self._row(str(message.number), message.at, "".join(drawn), Styled(self._told(message), style=style))

    def _told(self, message: Message) -> str:
        """Return what a message is, in as many words as there is room for."""
        copy = words.copy_text(message, self._say)
        more = f" ({copy})" if copy else ""
        short = f"{message.status} {message.reason}" if message.status else message.method
        for text in (words.label(message), short):
            if cell_len(text + more) <= self._label:
                return text + more
        room = self._label - cell_len(more)
        return (set_cell_size(short, room - 1).rstrip() + self._strokes.more if room > 1 else "") + more

    def _event(self, entry: JournalEntry) -> Styled:
        text = words.event_text(entry, self._say)
        rule = self._strokes.rule * 2
        row = self._row("", entry.at, "", Styled())
        room = self._width + len(_INDENT) + self._label
        told = text if cell_len(text) + 6 <= room else set_cell_size(text, room - 7).rstrip() + self._strokes.more
        row.append(" " * (self._left - cell_len(row.plain)))
        row.append(f"{rule} {told} {rule}", style="magenta")
        return row

    def _cut(self, text: str) -> str:
        return text if cell_len(text) <= self._label else set_cell_size(text, self._label)


def _at(row: Message | Silence | JournalEntry) -> float:
    return row.since if isinstance(row, Silence) else row.at


def _style(message: Message) -> str:
    if message.arrival is not Arrival.HEARD or message.status >= 400:
        return "red"
    return "yellow" if message.copy > 1 else ""


def _print_text(console: Console, ladder: Ladder, message: Message, say: Translate) -> None:
    packet = message.packet
    told = [
        f"{words.since_text(ladder, message.at)} s",
        words.way_text(ladder, message, say),
        f"{packet.source} > {packet.target} {packet.protocol}",
        words.copy_text(message, say),
        words.arrival_text(message.arrival, say),
    ]
    console.print()
    console.print(Styled(f"{message.number}  {', '.join(filter(None, told))}", style="bold"), soft_wrap=True)
    for line in message.text.split("\n"):
        console.print(Styled(f"{_INDENT}{line}".rstrip()), soft_wrap=True)


def print_choice(console: Console, telling: Telling, name: str, say: Translate) -> None:
    """Print which calls of a run a ladder may be asked for; ``name`` is its folder."""
    chosen = telling.picks
    table = columns("kirikae ladder", say(Text("what")), say(Text("messages")), right=(say(Text("messages")),))
    for kind, ladder in telling.ladders.items():
        told = ", ".join(words.facts(ladder, say))
        what = f"{words.title(ladder, say)}" + (f" ({told})" if told else "")
        table.add_row(Styled(f"{name} {kind}"), Styled(what), str(len(ladder.messages) + ladder.more))
    if telling.ladders:
        console.print(table)
        console.print()
    for text, count, several in (
        (Text("came through late"), chosen.delayed_of_all, chosen.delayed),
        (Text("lost"), chosen.lost_of_all, chosen.lost),
    ):
        if several:
            some = ", ".join(_short(each) for each in several)
            console.print(Styled(f"{say(text)}: {count:,}; {say(Text('such as'))} {some}"), soft_wrap=True)
    every = Text(
        "Any of the {count} attempts of calls.csv can be shown, by its number or a Call-ID.",
        count=f"{chosen.attempts:,}",
    )
    console.print(Styled(say(every)), soft_wrap=True)


def _short(attempt: Attempt) -> str:
    return f"{attempt.attempt} ({duration_text(attempt.start)})"
