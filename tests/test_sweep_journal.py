"""The journal of a sweep: what was kept is there again, whatever stopped the program, and nothing else is."""

import json
import os
from collections.abc import Callable
from itertools import count
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.files import ReportError
from reports.summary import Effect
from reports.sweep_changes import changes, effective
from reports.sweep_journal import FILE, Journal, JournalError, Measured, Stored

HEADER = {"engine": "calls", "seed": 1, "replications": 2, "software": {"kirikae": "1"}, "drill": {"a": 1}}
RUN = Measured((0.1, None, inf), (12.0, None, None), {"東京-lost": Effect(60.0, "advert")})
OTHER = Measured((1 / 3, 2.0, 5e-324), (3.0, 0.0, None), {})


def written(folder: Path, points: int = 2) -> bytes:
    """Keep two runs of each of some points, and return the file."""
    with Journal(folder) as journal:
        journal.begin(HEADER)
        for point in range(points):
            journal.point(f"point {point}", {"ports.tenant": str(point)}, ["asr", "blocked", "recovery_time"])
            journal.keep(f"point {point}", {0: RUN}, last=False)
            journal.keep(f"point {point}", {1: OTHER}, last=True)
    return (folder / FILE).read_bytes()


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    written(tmp_path)
    with Journal(tmp_path) as journal:
        assert journal.header == {"sweep": 1, **HEADER}
        assert list(journal.points) == ["point 0", "point 1"]
        stored = journal.points["point 1"]
        assert (stored.set, stored.queries) == ({"ports.tenant": "1"}, ("asr", "blocked", "recovery_time"))
        assert stored.runs == {0: RUN, 1: OTHER}
        assert not journal.torn
        assert not journal.damaged


@settings(max_examples=50)
@given(st.lists(st.floats(allow_nan=False) | st.none(), max_size=5), st.text(max_size=5), st.floats(0, 1e6))
def test_numbers_and_names_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: list[float | None], name: str, at: float
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    kept = Measured(
        tuple(inf if value == -inf else value for value in values), (at,) * len(values), {name: Effect(at, name)}
    )
    with Journal(folder) as journal:
        journal.begin(HEADER)
        journal.point("p", {name: name}, [name] * len(values))
        journal.keep("p", {3: kept}, last=True)
    with Journal(folder) as journal:
        assert journal.points["p"] == Stored({name: name}, (name,) * len(values), {3: kept})


def test_a_finished_point_is_on_disk_before_anything_else_happens(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.begin(HEADER)
        journal.point("p", {}, [])
        journal.keep("p", {0: OTHER, 1: OTHER}, last=True)
        assert (tmp_path / FILE).read_bytes().count(b'"run":["p"') == 2


def test_a_torn_record_is_gone_once_it_has_been_seen(tmp_path: Path) -> None:
    content = written(tmp_path)
    (tmp_path / FILE).write_bytes(content[:-3])
    with Journal(tmp_path) as journal:
        assert journal.torn
    assert content.startswith((tmp_path / FILE).read_bytes())
    with Journal(tmp_path) as journal:
        assert not journal.torn


def test_cut_off_anywhere_it_keeps_all_whole_records_and_goes_on(tmp_path: Path) -> None:
    """As a machine that stops while a record is written leaves it."""
    content = written(tmp_path)
    records = [json.loads(line)["record"] for line in content.splitlines()]
    for length in range(len(content)):
        (tmp_path / FILE).write_bytes(content[:length])
        whole = content[:length].count(b"\n")
        with Journal(tmp_path) as journal:
            assert journal.torn == (not content[:length].endswith(b"\n") and length > 0)
            assert not journal.damaged
            runs = [(key, run) for key, stored in journal.points.items() for run in stored.runs]
            assert runs == [tuple(record["run"]) for record in records[:whole] if "run" in record]
            if journal.header is None:
                journal.begin(HEADER)
            journal.point("new", {}, [])
            journal.keep("new", {0: OTHER}, last=True)
        with Journal(tmp_path) as journal:
            assert not journal.torn
            assert journal.points["new"].runs == {0: OTHER}


def test_a_record_that_was_damaged_counts_as_not_there(tmp_path: Path) -> None:
    content = written(tmp_path)
    at = content.index(b'"run":["point 0",1]') + len(b'"run":["point 0",')
    (tmp_path / FILE).write_bytes(content[:at] + b"0" + content[at + 1 :])
    with Journal(tmp_path) as journal:
        assert (journal.damaged, journal.torn) == (1, False)
        assert journal.points["point 0"].runs == {0: RUN}
        assert journal.points["point 1"].runs == {0: RUN, 1: OTHER}


def test_one_that_has_lost_its_beginning_is_not_believed(tmp_path: Path) -> None:
    content = written(tmp_path)
    (tmp_path / FILE).write_bytes(content.replace(b'"seed":1', b'"seed":2'))
    with pytest.raises(JournalError, match="has lost its beginning"), Journal(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"{}\n", b"\0\0\0"])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(JournalError, match="is no journal"), Journal(tmp_path):
        pass
    assert (tmp_path / FILE).read_bytes() == content


def test_one_of_another_format_is_not_read(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.begin({"sweep": 99, **HEADER})
    with pytest.raises(JournalError, match="another version"), Journal(tmp_path):
        pass


def test_two_sweeps_cannot_write_into_one_folder(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.begin(HEADER)
        for fresh in (False, True):
            with pytest.raises(JournalError, match="another sweep is writing"), Journal(tmp_path, fresh=fresh):
                pass
    with Journal(tmp_path, fresh=True) as journal:
        assert journal.header is None
        assert journal.points == {}


def test_ctrl_c_in_the_middle_of_a_write_tears_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = written(tmp_path)
    (tmp_path / FILE).unlink()
    turns, write = count(), os.write

    def half(file: int, data: bytes) -> int:
        if next(turns) % 2:
            return write(file, data)
        write(file, data[: len(data) // 2])
        raise KeyboardInterrupt

    def insist(act: Callable[[], None]) -> None:
        try:
            act()
        except KeyboardInterrupt:
            journal.flush()

    monkeypatch.setattr(os, "write", half)
    with Journal(tmp_path) as journal:
        insist(lambda: journal.begin(HEADER))
        for point in ("point 0", "point 1"):
            journal.point(point, {"ports.tenant": point[-1]}, ["asr", "blocked", "recovery_time"])
            insist(lambda: journal.keep(point, {0: RUN, 1: OTHER}, last=True))  # noqa: B023  # called at once
    assert (tmp_path / FILE).read_bytes() == whole


def test_a_disk_that_is_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ReportError, match=r"sweep.jsonl: No space left"), Journal(tmp_path) as journal:
        journal.begin(HEADER)


# What has changed


NOW = {**HEADER, "drill": {"ports": {"tenant": 1}, "traffic": [{"talk": "3m"}]}}
THERE = {"k": Stored({"a": "1"}, ("asr",), {0: OTHER, 1: OTHER})}
ASKED = {"k": {"a": "1"}}


def test_nothing_has_changed_where_all_is_as_it_was() -> None:
    assert changes(NOW, NOW, THERE, ASKED, ["asr"]) == []
    assert changes(NOW, NOW, THERE, {**ASKED, "new": {"a": "2"}}, ["asr"]) == []
    assert changes(NOW, NOW, {**THERE, "begun": Stored({"a": "9"}, ())}, ASKED, ["asr"]) == []


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"engine": "packets"}, "engine: packets there, calls now"),
        ({"seed": 2}, "seed: 2 there, 1 now"),
        ({"replications": 9}, "replications: 9 there, 2 now"),
        ({"software": {"kirikae": "0.9"}}, "kirikae: version 0.9 there, 1 now"),
        ({"software": {}}, "kirikae: version unknown there, 1 now"),
    ],
)
def test_conditions_that_have_changed_are_named(before: dict[str, object], said: str) -> None:
    assert changes({**NOW, **before}, NOW, THERE, ASKED, ["asr"]) == [said]


def test_the_fields_of_a_drill_that_has_changed_are_named() -> None:
    before = {**NOW, "drill": {"ports": {"tenant": 2}, "traffic": [{"talk": "2m"}], "system": "x"}}
    (said,) = changes(before, NOW, THERE, {"other": {"a": "1"}}, ["asr"])
    assert said == (
        "the drill, with its ledgers and --set: ports.tenant was 2, is 1; traffic[0].talk was '2m', is '3m'; "
        "system was 'x', is nothing"
    )
    assert changes(before, NOW, THERE, ASKED, ["asr"]) == [], "as long as the points are the same"


def test_values_that_are_not_asked_for_any_more_are_named() -> None:
    (said,) = changes(NOW, NOW, THERE, {"other": {"a": "2"}}, ["asr"])
    assert said == "--vary: not asked for any more are a=1"


def test_metrics_that_were_not_measured_are_named() -> None:
    (said,) = changes(NOW, NOW, THERE, ASKED, ["asr", "rpo"])
    assert said == "--metric, --target or expectations: not measured there rpo"
    begun = {"k": Stored({"a": "1"}, ("asr",), {0: OTHER})}
    assert changes(NOW, NOW, begun, ASKED, ["rpo"]) == [], "a point that is not finished is made anew"


def test_what_no_run_depends_on_is_no_change() -> None:
    run = {"for": "5m", "seed": 3, "replications": 4, "precision": "9%"}
    drill = {"name": "a", "expect": [], "waivers": [], "run": run, "sites": {}}
    assert effective(drill) == {"run": {"for": "5m"}, "sites": {}}
