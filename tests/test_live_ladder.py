"""Ladders of a live run: whose machines are processes, so that others have to say who is where."""

from pathlib import Path

import pytest

from reports.folder import capture_file, detail_files
from reports.ladder import Arrival, Kind
from reports.ladders import RunFolder
from scenarios.evidence import EventKind, JournalEntry
from sim.live import engine
from tests.drills import Caller, callers, drill

pytestmark = [pytest.mark.slow, pytest.mark.alone]


def test_a_call_that_meets_a_killed_process_comes_through_by_the_other_one(tmp_path: Path) -> None:
    """The standby is sure after 0.26 to 0.37 s: the first INVITE meets nobody, and its copy after 0.5 s the other."""
    plan = drill(
        run={"for": "5s", "warm": False},
        sbc_pairs={"edge": {"site": "tokyo", "ports": 9, "detect": {"by": "vrrp", "advert": "100ms"}}},
        faults=[{"name": "lost", "at": "2s", "pair": "edge", "fails": "active"}],
    )
    load = callers(Caller(1.0, talk=0.5), Caller(2.05, talk=1.0))
    with detail_files(tmp_path) as recorder, capture_file(tmp_path) as wire:
        engine.play(plan, [load], 1, 0, recorder, wire=wire)
    run = RunFolder(tmp_path)
    before = run.call("0")
    assert [column.name for column in before.columns] == ["carrier", "edge/1", "contact centre"]
    assert {each.arrival for each in before.messages} == {Arrival.HEARD}
    ladder = run.telling().ladders[Kind.DELAYED]
    assert ladder.attempt is not None
    assert (ladder.attempt.attempt, len(ladder.call_ids)) == ("1", 2)
    assert [column.name for column in ladder.columns] == ["carrier", "edge/1", "edge/2", "contact centre"]
    first, second, third, *others = ladder.messages
    assert [(each.target, each.copy, each.arrival) for each in (first, second)] == [
        (1, 1, Arrival.UNHEARD),
        (2, 2, Arrival.HEARD),
    ]
    assert second.at - first.at == pytest.approx(0.5, abs=0.2)
    assert (third.source, third.target, third.method) == (2, 3, "INVITE")
    assert {each.source for each in others} | {each.target for each in others} == {0, 2, 3}, "the first node is gone"
    kinds = [row.kind for row in ladder.rows if isinstance(row, JournalEntry)]
    assert kinds.index(EventKind.FAULT) < kinds.index(EventKind.TAKEOVER)
