"""Lint of replication, of changes at two sites, of consoles, and of what a secondary site does not have."""

from collections.abc import Mapping
from typing import Any

import pytest

from kirikae import drills
from scenarios import rules
from scenarios.loader import load
from scenarios.model import Drill
from scenarios.problems import Finding, Severity
from scenarios.rules import check
from scenarios.rules.packs.sync import SYNC as OF_SYNC
from scenarios.rules.packs.sync_consoles import declared
from tests.made_plans import LOST, REROUTE, SWITCH, ids, plan, step

SETTINGS: dict[str, object] = {"settings": {"every": 0}, "notes": {"excluded": True}}
SYNC: dict[str, object] = {"from": "tokyo", "to": "osaka", "data": SETTINGS}
CONSOLES: dict[str, object] = {
    "dr": {"site": "osaka", "address": "https://dr.example.jp", "needs": "osaka"},
    "carrier": {},
}
LOOK = step("look", {"look_at_sync": "osaka"})
BUTTON = {**step("activate", {"activate": "osaka"}, after="look"), "uses": "dr", "takes": {"uniform": ["1m", "4m"]}}
POINT = {**REROUTE, "uses": "carrier"}
BOOK = [LOOK, BUTTON, SWITCH, POINT]
BACK = [
    step("Tokyo is back", after="re-point", when={"repaired": "tokyo-lost"}),
    step("phones back", {"softphones": "sales", "site": "tokyo"}, after="Tokyo is back"),
    step("stop Osaka", {"deactivate": "osaka"}, after="phones back"),
    step("resume", {"resume_sync": "osaka"}, after="stop Osaka"),
]
REPAIRED = {**LOST, "for": "20m"}


def sound(**changes: Any) -> Drill:
    """Return a plan for BIZTEL that nothing of replication can be said against."""
    parts: dict[str, object] = {"system": "biztel-3.9", "sync": SYNC, "runbook": BOOK}
    consoles = {**CONSOLES, **changes.pop("consoles", {})}
    return plan(**{**parts, **changes, "consoles": {name: each for name, each in consoles.items() if each is not None}})


OWN = {rule.id for rule in OF_SYNC}


def mine(drill: Drill) -> list[Finding]:
    """Return the findings of this area's rules."""
    return [finding for finding in check(drill) if finding.id in OWN]


def named(drill: Drill) -> list[tuple[str, Severity]]:
    return [(finding.id, finding.severity) for finding in mine(drill)]


def bundled(name: str, *changes: str) -> list[Finding]:
    return mine(load(drills.find(name), changes).drill)


def change(name: str = "phone", at: str | None = "5m", **more: object) -> dict[str, object]:
    return {"name": name, "data": "settings", **({} if at is None else {"at": at}), **more}


def test_a_sound_plan_has_nothing_against_it() -> None:
    assert mine(sound(changes=[change()])) == []
    assert mine(sound(faults=[REPAIRED], runbook=[*BOOK, *BACK])) == []


# Z44


def test_an_edit_of_the_copy_in_peace_is_an_error() -> None:
    (found,) = mine(sound(changes=[change(made_at="osaka")]))
    assert (found.id, found.severity, found.path) == ("edited-in-peace", Severity.ERROR, ("changes", 0, "made_at"))
    assert "(Z44)" in found.message
    again = sound(changes=[{"name": "work", "data": "settings", "arrivals": "1/h", "made_at": "osaka"}])
    assert named(again) == [("edited-in-peace", Severity.ERROR)]
    by_step = [step("edit", {"enter": "phone", "site": "osaka"}, starts={"at": "1m"}), *BOOK]
    assert named(sound(changes=[change(at=None)], runbook=by_step)) == [("edited-in-peace", Severity.ERROR)]


def test_an_edit_after_the_activation_or_while_the_first_site_is_lost_is_none() -> None:
    after = [*BOOK, step("edit", {"enter": "phone", "site": "osaka"}, after="activate")]
    assert named(sound(changes=[change(at=None)], runbook=after)) == []
    assert named(sound(changes=[change(at="11m", made_at="osaka")])) == []
    planned = {**LOOK, "starts": {"at": "30m"}}
    in_peace = sound(changes=[change(at="20m", made_at="osaka")], runbook=[planned, *BOOK[1:]], faults=[])
    assert ("edited-in-peace", Severity.ERROR) in named(in_peace)


def test_the_bundled_mistake_is_the_one_that_its_twin_does_not_make() -> None:
    assert [each.id for each in bundled("dr-edited-in-peace")] == ["edited-in-peace", "lost-at-resync"]
    assert bundled("dr-edited-in-peace-fixed") == []
    wrong = bundled("dr-edited-in-peace-fixed", "changes[branch-address].made_at=osaka")
    assert [each.id for each in wrong] == ["edited-in-peace", "lost-at-resync"]


# Z42, Z48


def edited_there(*more: dict[str, object], data: str = "settings") -> Drill:
    enter = step("edit", {"enter": "phone", "site": "osaka"}, after="re-point")
    first, *others = BACK
    back = [{**first, "after": ["edit", *(str(each["step"]) for each in more)]}, *others]
    return sound(changes=[{**change(at=None), "data": data}], faults=[REPAIRED], runbook=[*BOOK, enter, *more, *back])


def test_what_is_changed_there_and_not_entered_before_the_resync_is_a_warning() -> None:
    (found,) = mine(edited_there())
    assert (found.id, found.severity, found.path) == (
        "lost-at-resync",
        Severity.WARNING,
        ("runbook", 4, "does", "site"),
    )
    assert "'resume'" in found.message
    assert mine(edited_there(step("as well", {"enter": "phone", "site": "tokyo"}, after="re-point"))) == []
    assert mine(edited_there(data="notes")) == [], "each site has its own"


def test_entered_after_the_resync_is_too_late() -> None:
    drill = edited_there()
    late = step("too late", {"enter": "phone", "site": "tokyo"}, after="resume")
    book = [*drill.runbook, type(drill.runbook[0]).model_validate(late)]
    assert named(drill.model_copy(update={"runbook": book})) == [("lost-at-resync", Severity.WARNING)]


@pytest.mark.parametrize("last", [2, 3])
def test_going_back_without_a_resync_is_a_warning(last: int) -> None:
    (found,) = mine(sound(faults=[REPAIRED], runbook=[*BOOK, *BACK[:last]]))
    assert (found.id, found.severity) == ("sync-never-resumed", Severity.WARNING)
    assert found.path == ("runbook", 5, "does")


# Z6, Z7, Z8


def late(data: Mapping[str, object], at: str = "5m") -> list[str]:
    classes = {"settings": data}
    drill = sound(sync={**SYNC, "data": classes}, changes=[change(at=at)])
    return [found.message.rpartition("(")[2] for found in mine(drill) if found.severity is Severity.NOTE]


def test_what_may_not_be_there_in_time_is_noted() -> None:
    branch: dict[str, Any] = {"offices": {"branch": {}}}
    assert late({"every": "10m"}) == ["Z6)"]
    assert late({"every": "10m", "first": "12m"}) == ["Z6)"]
    assert late({"every": 0, "loaded_every": "1h"}) == ["Z8)"]
    assert late({"every": 0, "loaded_every": "1h", "loaded_first": "4m"}) == ["Z8)"]
    drill = sound(
        sync={**SYNC, "data": {"settings": {"every": "1h"}}},
        changes=[change(allows="branch")],
        agents={"new": {"count": 1, "office": "branch", "softphone": {"sites": ["tokyo"]}}},
        **branch,
    )
    assert "(Z7)" in next(found.message for found in mine(drill))


def test_what_is_there_in_time_or_too_late_for_it_anyhow_is_not() -> None:
    assert late({"every": "5m"}) == []
    assert late({"every": "10m", "first": "6m"}) == []
    assert late({"every": "10m", "first": "10m"}) == []
    assert late({"every": 0, "loaded_every": "1h", "loaded_first": "6m"}) == []
    assert late({"every": "10m"}, at="12m") == []
    assert late({"excluded": True}) == []


def test_a_change_that_nobody_makes_is_a_warning() -> None:
    assert named(sound(changes=[change(at=None)])) == [("change-never-made", Severity.WARNING)]
    assert named(sound(changes=[change(at="1h")])) == [("change-never-made", Severity.WARNING)]


# Z43, Z49


def deleting(*steps: dict[str, object], **changes: Any) -> list[str]:
    data = {"settings": {"every": 0}}
    drill = sound(sync={**SYNC, "data": data}, runbook=[*BOOK, *steps], **changes)
    return [found.id for found in mine(drill)]


DELETE = step("delete", {"delete": "histories", "site": "osaka"}, after="re-point")


def test_deleting_what_was_not_saved_before_is_an_error_from_3_9_on() -> None:
    save = step("save", {"export": "histories", "site": "osaka"}, after="re-point")
    assert deleting(DELETE) == ["delete-without-export"]
    assert deleting(save, DELETE) == ["delete-without-export"], "nothing says that it comes first"
    other = step("save", {"export": "histories", "site": "tokyo"}, after="re-point")
    assert deleting(other, {**DELETE, "after": "save"}) == ["delete-without-export"]
    assert deleting(save, {**DELETE, "after": "save"}) == []
    assert "delete-without-export" not in deleting(DELETE, system="biztel-3.8")


def test_recordings_are_not_saved_in_one_go_where_there_is_no_bulk_download() -> None:
    save = step("save", {"export": "recordings", "site": "osaka"}, after="re-point")
    assert deleting(save) == ["no-bulk-download"]
    assert deleting({**save, "takes": "1h"}) == ["no-bulk-download"]
    assert deleting({**save, "does": {"export": "recordings", "site": "osaka", "each": "30s"}}) == []
    assert deleting(save, sites={"osaka": {"role": "secondary", "lacks": ["fax"]}}) == []
    assert deleting({**save, "does": {"export": "recordings", "site": "tokyo"}}) == []


# Z4, Z12, Z31


def test_nobody_looks_whether_replication_runs() -> None:
    unseen = [{**BUTTON, "after": None, "starts": {"after": "tokyo-lost"}}, SWITCH, POINT]
    assert named(sound(runbook=unseen)) == [("sync-not-looked-at", Severity.WARNING)]
    beside = [LOOK, *unseen]
    assert named(sound(runbook=beside)) == [("sync-not-looked-at", Severity.WARNING)]
    assert named(sound(runbook=unseen, system="biztel-3.6.10")) == []
    assert named(sound(runbook=unseen, sync=None)) == []


def test_the_console_of_the_other_site_is_to_be_named_with_its_address() -> None:
    for uses in ({}, {"uses": "carrier"}):
        button = {**{key: value for key, value in BUTTON.items() if key != "uses"}, **uses}
        found = mine(sound(runbook=[LOOK, button, SWITCH, POINT], consoles={"carrier": {}, "dr": None}))
        assert [each.id for each in found] == ["dr-console-not-named"]
        assert found[0].path == ("runbook", 1)
    hidden = sound(consoles={"dr": {"site": "osaka"}, "carrier": {}})
    assert [(each.id, each.path) for each in mine(hidden)] == [("dr-console-not-named", ("consoles", "dr"))]
    assert mine(sound(system="biztel-3.8", consoles={"dr": {"site": "osaka"}, "carrier": {}})) == []


def test_the_bundled_plans_name_it() -> None:
    changed = bundled("tokyo-osaka-dr", "consoles.dr-console.site=tokyo")
    assert [each.id for each in changed] == ["dr-console-not-named"]


def test_an_activation_takes_time() -> None:
    hasty = sound(runbook=[LOOK, {**BUTTON, "takes": 0}, SWITCH, POINT])
    assert named(hasty) == [("instant-activation", Severity.WARNING)]
    changed = bundled("tokyo-osaka-dr", "runbook[press the DR button].takes=0s")
    assert [each.id for each in changed] == ["instant-activation"]


# Z38


def test_a_console_at_a_place_that_is_lost_is_out_of_reach() -> None:
    (found,) = mine(sound(consoles={"carrier": {"needs": "tokyo"}}))
    assert (found.id, found.severity, found.path) == ("console-out-of-reach", Severity.ERROR, ("runbook", 3, "uses"))
    assert "nobody can take this step (Z38)" in found.message
    (delayed,) = mine(sound(consoles={"carrier": {"needs": ["osaka", "tokyo"]}}, faults=[REPAIRED]))
    assert "until 30m: the step waits as long (Z38)" in delayed.message
    away = {"name": "power", "at": "9m", "office": "safe", "for": "5m"}
    assert "console-out-of-reach" in ids(
        sound(consoles={"carrier": {"needs": "safe"}}, offices={"safe": {}}, faults=[LOST, away])
    )


def test_a_console_that_is_back_by_then_or_lost_later_is_not() -> None:
    home = {
        **step("number back", {"route": "0120-123-456", "to": "03-1234-5678"}, after="Tokyo is back"),
        "uses": "home",
    }
    consoles = {"home": {"needs": "tokyo"}}
    assert mine(sound(faults=[REPAIRED], runbook=[*BOOK, *BACK, home], consoles=consoles)) == []
    away = {"name": "power", "at": "20m", "office": "safe"}
    later = sound(consoles={"carrier": {"needs": "safe"}}, offices={"safe": {}}, faults=[LOST, away])
    assert "console-out-of-reach" not in ids(later)


def test_the_bundled_login_is_the_mistake_that_its_twin_does_not_make() -> None:
    assert [each.id for each in bundled("login-at-the-lost-site")] == ["console-out-of-reach"]
    assert bundled("login-at-the-lost-site-fixed") == []
    changed = bundled("login-at-the-lost-site-fixed", "consoles.customer-control.needs=tokyo")
    assert [each.id for each in changed] == ["console-out-of-reach"]


def test_a_console_that_nobody_uses_is_noticed_and_so_is_an_office_that_one_needs() -> None:
    assert "orphan-part" in ids(sound(consoles={"spare": {}}))
    assert "orphan-part" not in ids(sound(consoles={"carrier": {"needs": "safe"}}, offices={"safe": {}}))


def test_what_is_said_to_be_reached_from_anywhere_is_taken_at_its_word() -> None:
    found = list(declared(sound()))
    assert [(each.path, each.cites) for each in found] == [(("consoles", "carrier", "needs"), ("Z38",))]


def test_every_rule_of_this_area_may_be_waived_with_a_reason() -> None:
    drill = load(drills.find("login-at-the-lost-site")).drill
    judged = rules.judge(drill, rules.check(drill))
    assert [each.finding.id for each in judged.waived] == ["console-out-of-reach"]
