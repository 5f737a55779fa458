"""A moment of a replication on a terminal: what stood then, the journal and the messages around it."""

from collections.abc import Iterable, Mapping
from itertools import chain

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import wording
from reports.queries import limits
from reports.snapshot import Levels, Phase, Snapshot
from reports.terminal import columns
from scenarios.evidence import Fate, Gauge, JournalEntry, Sample

NOBODY = "nobody"

_LEVELS = {
    Gauge.SOFTPHONES: "softphones registered",
    Gauge.ON_DUTY: "agents on duty",
    Gauge.AGENTS_BUSY: "agents busy",
    Gauge.WAITING: "callers waiting",
}


def print_snapshot(console: Console, snapshot: Snapshot, which: str) -> None:
    """Print a moment; ``which`` says of what replication."""
    drill, at = snapshot.drill, snapshot.at
    console.print(Text.assemble((wording.duration_text(at), "bold"), f" ({at:.3f} s)  ", (drill.name, "bold")))
    if (clock := drill.run.clock) is not None:
        console.print(Text(wording.clock_text(clock, at)))
    console.print(Text(which))
    parts = (
        *_faults(snapshot),
        _pairs(snapshot),
        _sites(snapshot),
        *_calls(snapshot),
        *_ports(snapshot),
        *_levels(snapshot),
        *_registers(snapshot),
        *_steps(snapshot),
        _journal(snapshot),
        *_messages(snapshot),
    )
    for part in parts:
        console.print()
        console.print(part)


def _faults(snapshot: Snapshot) -> Iterable[Table]:
    if not snapshot.drill.faults:
        return
    table = columns("fault", "since")
    for name, since in snapshot.faults.items():
        table.add_row(Text(name), Text(_ago(since, snapshot.at)))
    if not snapshot.faults:
        table.add_row(Text("none at this moment"))
    yield table


def _pairs(snapshot: Snapshot) -> Table:
    table = columns("pair", "served by", "since")
    for pair, nodes in snapshot.serving.items():
        if not nodes:
            table.add_row(Text(pair), Text(NOBODY, style="bold red"), Text(_ago(snapshot.silent[pair], snapshot.at)))
        for node, since in nodes.items():
            table.add_row(Text(pair), Text(node), Text("the start" if since is None else _ago(since, snapshot.at)))
    return table


def _sites(snapshot: Snapshot) -> Table:
    table = columns("site", "state", "since", "")
    for site in snapshot.sites:
        since = "the start" if site.since is None else _ago(site.since, snapshot.at)
        table.add_row(Text(site.name), Text(site.service), Text(since), Text(site.why))
    return table


def _calls(snapshot: Snapshot) -> Iterable[Table]:
    total = sum(snapshot.up.values())
    pairs = sorted({up.pair for up in snapshot.up})
    phases = [phase for phase in Phase if any(up.phase is phase for up in snapshot.up)]
    counted = ("calls up", *phases, "all")
    table = columns(*counted, right=counted[1:])
    for pair in pairs:
        each = [sum(n for up, n in snapshot.up.items() if (up.phase, up.pair) == (phase, pair)) for phase in phases]
        table.add_row(Text(pair or "at no pair"), *(Text(wording.count_text(n)) for n in (*each, sum(each))))
    if len(pairs) != 1:
        each = [sum(n for up, n in snapshot.up.items() if up.phase is phase) for phase in phases]
        table.add_row(Text("all"), *(Text(wording.count_text(n)) for n in (*each, total)))
    yield table


def _ports(snapshot: Snapshot) -> Iterable[Table]:
    caps = limits(snapshot.drill)
    table = columns("limit", "most calls held", "of", "share", right=("most calls held", "of", "share"))
    for (_, name), levels in snapshot.levels(Gauge.PORTS).items():
        if (most := levels.most) is not None and (cap := caps.get(name)):
            share = wording.share_text(most.value / cap)
            table.add_row(Text(name), Text(wording.count_text(most.value)), Text(wording.count_text(cap)), Text(share))
    return _told(table, snapshot, Gauge.PORTS)


def _registers(snapshot: Snapshot) -> Iterable[Table]:
    if not snapshot.drill.agents:
        return []
    table = columns("registrar", "most REGISTERs within 1 s", right=("most REGISTERs within 1 s",))
    for (_, site), levels in snapshot.levels(Gauge.REGISTERS).items():
        if (most := levels.most) is not None:
            table.add_row(Text(site), Text(wording.count_text(most.value)))
    return _told(table, snapshot, Gauge.REGISTERS)


def _told(table: Table, snapshot: Snapshot, gauge: Gauge) -> Iterable[Table]:
    """Return a table of peaks with the span of the run that they are the peaks of; none without rows."""
    if not table.row_count:
        return []
    first: Levels = next(iter(snapshot.levels(gauge).values()))
    begin, end = first.before, first.after
    if begin is not None and end is not None:
        table.caption = f"between {begin.at:g} s and {end.at:g} s"
        table.caption_justify = "left"
    return [table]


def _levels(snapshot: Snapshot) -> Iterable[Table]:
    measured: Mapping[tuple[Gauge, str], Levels] = snapshot.levels(*_LEVELS)
    if not measured or not snapshot.drill.agents:
        return
    first = next(iter(measured.values()))
    ends = tuple(f"at {sample.at:g} s" for sample in first if sample is not None)
    table = columns("level", "of", *ends, right=ends)
    for gauge, what in _LEVELS.items():
        for (kind, name), levels in measured.items():
            if kind is gauge:
                samples: Iterable[Sample] = (sample for sample in levels if sample is not None)
                counts = (Text(wording.count_text(sample.value)) for sample in samples)
                table.add_row(Text(what), Text(name), *counts)
    yield table


def _steps(snapshot: Snapshot) -> Iterable[Table]:
    if not snapshot.drill.runbook:
        return
    table = columns("step under way", "", "since")
    for step in snapshot.steps:
        table.add_row(Text(step.name), Text(step.status), Text(_ago(step.since, snapshot.at)))
    if not snapshot.steps:
        table.add_row(Text("none at this moment"))
    yield table


def _journal(snapshot: Snapshot) -> Table:
    table = columns("time (s)", "journal", "about", "", right=("time (s)",))
    before, after = snapshot.entries
    for entry in before:
        _entry(table, entry)
    _now(table, snapshot)
    for entry in after:
        _entry(table, entry)
    return table


def _entry(table: Table, entry: JournalEntry) -> None:
    table.add_row(Text(f"{entry.at:.3f}"), Text(entry.kind), Text(entry.subject), Text(detail_text(entry)))


def detail_text(entry: JournalEntry) -> str:
    """Return what an entry says beside what it is about."""
    return ", ".join(f"{key} {_value(value)}" for key, value in entry.detail.items())


def _value(value: str | float | int | bool) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _messages(snapshot: Snapshot) -> Iterable[Table]:
    before, after = snapshot.messages
    if not before and not after:
        return
    table = columns("time (s)", "from", "", "to", "message", "", right=("time (s)",))
    for message in chain(before, [None], after):
        if message is None:
            _now(table, snapshot, column=4)
            continue
        remarks = ["sent again"] if message.again else []
        if message.fate is not Fate.SENT:
            remarks.append(message.fate)
        texts = (f"{message.at:.3f}", message.source, "->", message.target, message.said, ", ".join(remarks))
        table.add_row(*map(Text, texts), style=None if message.fate is Fate.SENT else "red")
    yield table


def _now(table: Table, snapshot: Snapshot, column: int = 1) -> None:
    between = [""] * (column - 1)
    table.add_row(f"{snapshot.at:.3f}", *between, "<<< this moment", style="bold")


def _ago(since: float, now: float) -> str:
    return f"{since:.3f} s, for {wording.duration_text(now - since)}"
