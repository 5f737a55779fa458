"""Frames that a terminal shows while a run goes on: as many lines as fit, what matters most first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style

from reports import wording
from reports.judge import Judgement
from reports.state import Service, SiteState
from reports.terminal import STYLES
from reports.terminal_snapshot import detail_text
from reports.view import COUNTED, Held, Moment, Together, Well
from reports.wording import number_of
from scenarios.evidence import Gauge, JournalEntry, Pulse

_LABEL: Final = 10
"""Columns for what stands at the left of each part."""
_BAR: Final = 20
"""Columns of a bar at most."""
_FULL: Final = 0.9
"""The share of a limit from which on it is nearly full."""
_BAD: Final = frozenset(COUNTED[1:])
_SITES: Final = {
    Service.OUT: "bold red",
    Service.DEGRADED: "yellow",
    Service.ACTIVATING: "cyan",
    Service.WAITING: "dim",
    Service.IN_SERVICE: "green",
}
_LEVELS: Final = {
    Gauge.SOFTPHONES: "softphones at",
    Gauge.AGENTS_BUSY: "agents busy,",
    Gauge.WAITING: "callers waiting,",
}


_APART: Final = ("  ", "")

Line = tuple[tuple[str, str], ...]
"""Words with their styles; what rich makes of markup and text takes longer than a live engine may be kept waiting."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Lines that a console shows."""

    lines: Sequence[Line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what they are made of."""
        for number, line in enumerate(self.lines):
            if number:
                yield Segment.line()
            for text, style in line:
                yield Segment(text, _style(style))


@cache
def _style(name: str) -> Style:
    return Style.parse(name)


def _line(*words: str | tuple[str, str]) -> Line:
    """Return words as a line; those that are alone have no style."""
    return tuple((word, "") if isinstance(word, str) else word for word in words)


def _columns(line: Line) -> int:
    return sum(cell_len(text) for text, _ in line)


def _fitted(line: Line, width: int) -> Line:
    """Cut a line at the end of the terminal, and leave out what would move its cursor."""
    found: list[tuple[str, str]] = []
    for text, style in line:
        shown = text if text.isprintable() else "".join(each if each.isprintable() else " " for each in text)
        if (columns := cell_len(shown)) > width:
            found.append((set_cell_size(shown, width - 1) + "…" if width else "", style))
            break
        found.append((shown, style))
        width -= columns
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Room:
    """What a terminal has."""

    width: int
    height: int
    ascii_only: bool = False
    """Whether it has no characters to draw bars with."""

    @property
    def beside(self) -> int:
        """Columns beside a label."""
        return max(self.width - _LABEL, 1)


@dataclass(frozen=True, slots=True)
class _Part:
    """Lines about one thing, the most telling first."""

    label: str
    lines: Sequence[Line]
    first: int = 1
    """Lines that are shown before other parts get more than theirs."""


def moment_frame(moment: Moment, room: Room, *, which: str, left: float | None) -> Frame:
    """Return the frame of one replication as it is played.

    ``which`` says of what; ``left``: seconds that it still takes by the clock on the wall, None where nobody can tell.
    """
    run, now, pulse = moment.drill.run, moment.now, moment.last_pulse
    played = f"{wording.duration_text(round(now))} of {wording.duration_text(run.lasts)}"
    head = [*_head(moment.drill.name, which, room), _way(played, now / run.lasts, left, room)]
    if run.clock is not None:
        head.append(_line(wording.clock_text(run.clock, now)))
    parts = [
        _Part("calls", _counts(moment.counts, room), 3),
        _Part("load", [] if pulse is None else _load(moment, pulse, room), 4),
        _Part("sites", [_site(site, now) for site in moment.sites], 2),
        _Part("runbook", list(_steps(moment)), 2),
        _Part("ports", [_held(held, room) for held in moment.ports], 2),
        _Part("people", _people(moment, room)),
        _Part("journal", [_entry(entry) for entry in reversed(moment.entries)]),
    ]
    return _frame(head, parts, room)


def together_frame(together: Together, room: Room, *, which: str, left: float | None, at_most: bool = False) -> Frame:
    """Return the frame of many replications, of which the finished ones are known; as :func:`moment_frame`.

    ``at_most``: whether fewer of them may do.
    """
    runs, asked = together.runs, together.asked
    done = f"{runs:,} of {'at most ' if at_most else ''}{number_of(asked, 'replication')}"
    head = [*_head(together.drill.name, which, room), _way(done, runs / asked, left, room)]
    so_far = [_judgement(each) for each in together.judgements]
    if so_far:
        so_far.insert(0, _line((f"after {number_of(together.judged, 'run')}, so far:", "dim")))
    parts = [
        _Part("a run has", _counts(together.means, room), 3),
        _Part("expected", so_far, 4),
        _Part("sites", [_well(well, "recovered in") for well in together.sites], 2),
        _Part("runbook", [_well(well, "finished in") for well in together.steps], 2),
        _Part("peaks", [_held(held, room) for held in together.ports], 2),
    ]
    return _frame(head, parts, room)


# Lines.


def _head(name: str, which: str, room: Room) -> list[Line]:
    """Return the name of the drill and what is played of it, in one line where they fit."""
    title, rest = _line((name, "bold")), _line((which, "dim"))
    if _columns(title) + 2 + _columns(rest) <= room.width:
        return [(*title, _APART, *rest)]
    return [title, rest]


def _way(done: str, share: float, left: float | None, room: Room) -> Line:
    """Show how far it is, and how long it still takes."""
    still = "" if left is None else f"  about {wording.duration_text(max(round(left), 0))} left"
    return ((done, "bold"), _APART, *_bar(share, "cyan", room), (still, ""))


def _bar(share: float, style: str, room: Room) -> Line:
    columns = min(_BAR, max(room.width // 8, 3))
    full = min(max(round(share * columns), 0), columns)
    on, off = ("#", ".") if room.ascii_only else ("█", "░")
    return _line((on * full, style), (off * (columns - full), "dim"))


def _counts(counts: Mapping[str, float], room: Room) -> list[Line]:
    """Show counts of calls side by side."""
    words = []
    for name in COUNTED:
        if name in counts or name == COUNTED[0]:
            count = counts.get(name, 0)
            style = "bold red" if count and name in _BAD else "bold"
            words.append(_line(f"{name} ", (wording.count_text(count), style)))
    return _filled(words, room)


def _filled(words: Iterable[Line], room: Room) -> list[Line]:
    """Put words side by side, in as few lines as they take."""
    lines: list[Line] = []
    for word in words:
        if lines and _columns(lines[-1]) + 2 + _columns(word) <= room.beside:
            lines[-1] = (*lines[-1], _APART, *word)
        else:
            lines.append(word)
    return lines


def _load(moment: Moment, pulse: Pulse, room: Room) -> list[Line]:
    """Show whether a live engine places the calls that it is asked for, and how late it is."""
    words = []
    if moment.rates is not None:
        asked, placed = moment.rates
        words.append(_line(f"asked {asked:.1f}/s, placed {placed:.1f}/s"))
    late = "bold red" if pulse.worst > pulse.limit else ""
    p99, worst, limit = (wording.duration_text(round(each, 3)) for each in (pulse.p99, pulse.worst, pulse.limit))
    words.append(_line((f"late: 99% up to {p99}, worst {worst} of {limit}", late)))
    return _filled(words, room)


def _site(site: SiteState, now: float) -> Line:
    since = "" if site.since is None else f" for {_for(site.since, now)}"
    why = f" ({site.why})" if site.why else ""
    return _line(f"{site.name} ", (site.service, _SITES[site.service]), f"{since}{why}")


def _steps(moment: Moment) -> Iterator[Line]:
    """Show the steps under way, or how many are over."""
    for step in moment.steps:
        yield _line((step.name, "bold"), f": {step.status} for {_for(step.since, moment.now)}, by {step.by}")
    if steps := len(moment.drill.runbook):
        yield _line((f"{moment.steps_finished} of {number_of(steps, 'step')} finished", "dim"))


def _for(since: float, now: float) -> str:
    return wording.duration_text(max(round(now - since), 0))


def _held(held: Held, room: Room) -> Line:
    style = "bold red" if held.share >= 1 else "yellow" if held.share >= _FULL else "green"
    counts = f"{wording.count_text(held.most)} of {wording.count_text(held.cap)}"
    return (*_bar(held.share, style, room), (f" {counts}  {held.name}", ""))


def _people(moment: Moment, room: Room) -> list[Line]:
    """Show phones, agents and callers who wait; nobody where there is nobody."""
    found = (
        _line(f"{words} {name} ", (wording.count_text(value), "bold"))
        for gauge, words in _LEVELS.items()
        for (kind, name), value in moment.levels.items()
        if kind is gauge and value
    )
    return _filled(found, room)


def _entry(entry: JournalEntry) -> Line:
    words = f"{wording.duration_text(max(round(entry.at), 0))} {entry.kind}: {entry.subject}"
    detail = detail_text(entry)
    return _line((f"{words} ({detail})" if detail else words, "dim"))


def _well(well: Well, words: str) -> Line:
    share = wording.share_text(well.runs / well.of) if well.of else "–"
    style = "" if well.runs == well.of else "yellow"
    return _line(f"{well.name}: {words} ", (f"{well.runs:,} of {well.of:,} ({share})", style))


def _judgement(judgement: Judgement) -> Line:
    verdict = (judgement.verdict, STYLES[judgement.verdict])
    return _line(verdict, f" {judgement.expectation.text}: {judgement.shown}, {judgement.confidence}")


# The frame.


def _frame(head: Sequence[Line], parts: Sequence[_Part], room: Room) -> Frame:
    """Put parts below each other: the first line of each, their first lines, then more in turn while there is room."""
    rows = max(room.height - 1, 1)  # the last one is where the cursor stands
    wanted = sorted(
        (min(line, 1) if line < part.first else line, index)
        for index, part in enumerate(parts)
        for line in range(len(part.lines))
    )
    shown = Counter(index for _, index in wanted[: max(rows - len(head), 0)])
    lines = list(head[:rows])
    for index, part in enumerate(parts):
        for number, line in enumerate(part.lines[: shown[index]]):
            lines.append(((f"{'' if number else part.label:<{_LABEL}}", "dim"), *line))
    return Frame([_fitted(line, room.width) for line in lines])
