"""The way back: steps that wait for the state of the plan, a site taken out of service again, calls up that go on."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scenarios.evidence import EventKind, Outcome
from scenarios.model import Drill
from tests.drills import FREE_DIAL, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

SITES = ["tokyo", "osaka"]
LASTS = 300


def plan(*runbook: dict[str, object], **changes: object) -> Drill:
    """Return two sites in service, a secondary one, a number at each, and agents who start in Tokyo."""
    return drill(
        **{
            "run": {"for": f"{LASTS}s", "warm": False},
            "sites": {"tokyo": {}, "osaka": {}, "kobe": {"role": "secondary"}},
            "sbc_pairs": {site: {"site": site, "ports": 50} for site in (*SITES, "kobe")},
            "trunks": {
                **{f"ntt-{site}": {"via": site, "channels": 50} for site in (*SITES, "kobe")},
                "spare": {"via": "tokyo", "channels": 1},
            },
            "numbers": {
                FREE_DIAL: {"to": OSAKA},
                TOKYO: {"trunk": "ntt-tokyo", "queue": "staff"},
                OSAKA: {"trunk": "ntt-osaka", "queue": "staff"},
            },
            "agents": {"staff": {"count": 2, "softphone": {"sites": [*SITES, "kobe"]}}},
            "traffic": [{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (TOKYO, FREE_DIAL)],
            "faults": [{"name": "cut", "at": "20.5s", "trunk": "spare", "for": "30s"}],
            "runbook": list(runbook),
            **changes,
        }
    )


def at(moment: float, step: str, takes: str = "0s", by: str = "operator", **more: object) -> dict[str, object]:
    """Return a step planned for a moment."""
    return {"step": step, "by": by, "starts": {"at": f"{moment}s"}, "takes": takes, **more}


def switch(moment: float, site: str = "osaka", step: str = "switch") -> dict[str, object]:
    return at(moment, step, by="agents", does={"softphones": "staff", "site": site})


def began(recorder: ListRecorder, step: str) -> float | None:
    return next((entry.at for entry in recorder.of(EventKind.STEP_STARTED) if entry.subject == step), None)


# Conditions


def test_a_step_waits_for_the_repair_of_a_fault_and_is_begun_within_a_second_of_it() -> None:
    recorder = played(plan(at(10, "back", "5s", when={"repaired": "cut"})), callers(), callers())
    assert began(recorder, "back") == 51  # repaired at 50.5, looked at every second from 10 on
    assert [(entry.at, entry.subject) for entry in recorder.of(EventKind.STEP_READY)] == [(10, "back")]
    assert [(entry.at, entry.detail["unmet"]) for entry in recorder.of(EventKind.STEP_WAITING)] == [
        (10, "repaired: cut")
    ]
    assert [entry.at for entry in recorder.of(EventKind.CONDITIONS_MET)] == [51]
    assert [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)] == [56]


@pytest.mark.parametrize("when", [{"in_service": "osaka"}, {"idle": "osaka"}], ids=str)
def test_a_step_whose_conditions_hold_begins_at_once_and_is_not_said_to_wait(when: dict[str, object]) -> None:
    recorder = played(plan(at(10, "go", when=when)), callers(), callers())
    assert began(recorder, "go") == 10
    assert not recorder.of(EventKind.STEP_WAITING, EventKind.CONDITIONS_MET)


def test_a_step_waits_until_a_site_is_activated_and_begins_in_that_moment() -> None:
    button = at(60.5, "button", does={"activate": "kobe"})
    recorder = played(plan(at(10, "go", when={"in_service": "kobe"}), button), callers(), callers())
    assert began(recorder, "go") == 60.5


def test_a_site_that_is_lost_is_not_in_service_until_it_is_repaired() -> None:
    lost = {"name": "osaka-lost", "at": "5s", "site": "osaka", "for": "40.5s"}
    recorder = played(plan(at(10, "go", when={"in_service": "osaka"}), faults=[lost]), callers(), callers())
    assert began(recorder, "go") == 46


def test_a_pair_is_idle_when_its_last_call_has_ended() -> None:
    steps = (at(20, "drain", does={"drain": "tokyo"}), at(21, "service", when={"idle": "tokyo"}))
    recorder = played(plan(*steps), callers(Caller(5, talk=72.5), Caller(6, talk=9)), callers())
    assert began(recorder, "service") == 78


@pytest.mark.parametrize(("share", "begins"), [("50%", 21), ("51%", 50.25), (None, 50.25)])
def test_a_step_waits_until_a_share_of_the_phones_is_registered_at_a_site(share: str | None, begins: float) -> None:
    """One agent has switched at 20.5, the other when the call is over at 50.25, which ends a step and is seen at once.
    Without a share, all have to.
    """
    when = {"registered": "staff", "site": "osaka", **({"share": share} if share else {})}
    recorder = played(plan(switch(20.5), at(10, "go", when=when)), callers(Caller(5, talk=45.25)), callers())
    assert began(recorder, "go") == begins


def test_a_share_of_the_phones_is_met_by_exactly_so_many() -> None:
    """56 % of 25 are 14 (a little more in binary): all but the 11 in a call have switched at 20.5."""
    when = {"registered": "staff", "site": "osaka", "share": "56%"}
    agents = {"staff": {"count": 25, "softphone": {"sites": SITES}}}
    recorder = played(
        plan(switch(20.5), at(10, "go", when=when), agents=agents), callers(*[Caller(5, talk=95)] * 11), callers()
    )
    assert began(recorder, "go") == 21


def test_all_of_several_conditions_have_to_hold_at_once() -> None:
    """The cut is repaired at 50.5, the pair is busy from 45 to 60 and from 61.5 to 70."""
    when = {"repaired": "cut", "idle": "tokyo", "in_service": "tokyo"}
    idle_between = played(
        plan(at(10, "go", when=when)), callers(Caller(45, talk=15), Caller(61.5, talk=8.5)), callers()
    )
    assert began(idle_between, "go") in (60, 61)
    busy = played(plan(at(10, "go", when=when)), callers(Caller(45, talk=15), Caller(55, talk=15.5)), callers())
    assert began(busy, "go") == 71
    assert [(entry.at, entry.detail["unmet"]) for entry in busy.of(EventKind.STEP_WAITING)] == [(10, "repaired: cut")]


def test_what_held_while_the_actor_was_busy_has_to_hold_again_when_the_actor_is_free() -> None:
    """The pair is idle from 30.5 to 39.5 and from 80.5 on; its actor is busy until 50."""
    steps = (at(10, "long", "40s"), at(20, "go", when={"idle": "tokyo"}))
    recorder = played(plan(*steps), callers(Caller(15, talk=15.5), Caller(39.5, talk=41)), callers())
    assert began(recorder, "go") == 81
    assert [entry.at for entry in recorder.of(EventKind.STEP_WAITING)] == [20, 40]
    assert [entry.at for entry in recorder.of(EventKind.CONDITIONS_MET)] == [31, 81]


def test_a_step_that_undoes_what_the_next_waits_for_keeps_it_from_being_begun() -> None:
    stop = at(10, "stop", "20s", does={"deactivate": "osaka"})
    recorder = played(plan(stop, at(15, "go", when={"in_service": "osaka"})), callers(), callers())
    assert began(recorder, "go") is None


def test_an_actor_whose_step_waits_does_another_meanwhile() -> None:
    steps = (at(10, "back", when={"repaired": "cut"}), at(11, "other", "50s"))
    recorder = played(plan(*steps), callers(), callers())
    assert (began(recorder, "other"), began(recorder, "back")) == (11, 61)


def test_a_step_whose_conditions_never_come_stands_open() -> None:
    never = {"name": "cut", "at": "20.5s", "trunk": "spare"}
    recorder = played(plan(at(10, "back", when={"repaired": "cut"}), faults=[never]), callers(), callers())
    assert began(recorder, "back") is None


MOMENTS = st.integers(6, 200).map(lambda whole: whole + 0.5)
CALLS = st.lists(st.tuples(st.integers(6, 200), st.integers(1, 40)), max_size=6)


@settings(deadline=None, max_examples=60)
@given(
    fault=st.tuples(MOMENTS, st.integers(2, 80)),
    on=MOMENTS,
    off=MOMENTS,
    moves=MOMENTS,
    calls=CALLS,
    wanted=st.sets(st.sampled_from(["repaired", "in_service", "idle", "registered"]), min_size=1),
)
def test_no_step_is_begun_before_its_conditions_nor_a_second_after_them(
    fault: tuple[float, int], on: float, off: float, moves: float, calls: list[tuple[int, int]], wanted: set[str]
) -> None:
    """What holds is read from the other evidence; all changes are at half seconds and last a second or more."""
    every = {
        "repaired": {"repaired": "cut"},
        "in_service": {"in_service": "kobe"},
        "idle": {"idle": "tokyo"},
        "registered": {"registered": "staff", "site": "osaka", "share": "50%"},
    }
    when = {field: name for each in sorted(wanted) for field, name in every[each].items()}
    recorder = played(
        plan(
            at(5, "go", by="somebody", when=when),
            at(on, "on", by="x", does={"activate": "kobe"}),
            at(off, "off", by="y", does={"deactivate": "kobe"}),
            switch(moves),
            faults=[{"name": "cut", "at": f"{fault[0]}s", "trunk": "spare", "for": f"{fault[1]}s"}],
        ),
        callers(*(Caller(start + 0.5, talk) for start, talk in sorted(calls))),
        callers(),
    )
    begins, ends = ({getattr(call, name) for call in recorder.records} for name in ("start", "end"))
    assume(begins.isdisjoint(ends))  # whether a pair is idle between two calls without a gap is a matter of order
    holds: dict[str, Callable[[float], bool]] = {
        "repaired": lambda t: t >= sum(fault),
        "in_service": lambda t: on <= t and not (on <= off <= t),
        "idle": lambda t: not any(call.site == "tokyo" and call.start <= t < call.end for call in recorder.records),
        "registered": lambda t: any(
            entry.at <= t for entry in recorder.of(EventKind.REGISTERED) if entry.detail["site"] == "osaka"
        ),
    }

    def met(moment: float) -> bool:
        return all(holds[each](moment) for each in wanted)

    def surely_met(moment: float) -> bool:
        """For a second, both ends included: what holds for less people may miss between two looks."""
        return all(met(moment + part) for part in (0, 0.5, 1))

    first = next((half / 2 for half in range(10, 2 * LASTS - 4) if surely_met(half / 2)), None)
    start = began(recorder, "go")
    # What begins and what ends to hold at one moment may meet there: which is seen first is a matter of order.
    meets = start is None or all(holds[each](start) or holds[each](start - 0.25) for each in wanted)
    assert meets or on == off
    assert first is None or (start is not None and start <= first + 1)


# A site taken out of service


def outcomes(recorder: ListRecorder) -> dict[float, tuple[Outcome, str, int]]:
    return {each.start: (each.outcome, each.reason, each.sip) for each in recorder.records}


def test_a_deactivated_site_refuses_new_calls_and_keeps_those_up() -> None:
    steps = (switch(10), at(100, "stop", does={"deactivate": "osaka"}))
    recorder = played(plan(*steps), callers(), callers(Caller(90, talk=60), Caller(101)))
    assert outcomes(recorder) == {
        90: (Outcome.COMPLETED, "", 200), 101: (Outcome.FAILED, "site not in service", 503),
    }  # fmt: skip
    assert next(each.end for each in recorder.records if each.start == 90) == 150
    assert [(entry.at, entry.subject) for entry in recorder.of(EventKind.DEACTIVATED)] == [(100, "osaka")]


def test_callers_in_the_queue_of_a_deactivated_site_are_still_answered() -> None:
    steps = (switch(10), at(100, "stop", does={"deactivate": "osaka"}))
    busy = [Caller(80, talk=30), Caller(81, talk=50)]
    recorder = played(plan(*steps), callers(), callers(*busy, Caller(95)))
    assert {each.start: each.wait for each in recorder.records}[95] == 15


def test_calls_to_a_deactivated_site_go_on_to_a_trunk_elsewhere() -> None:
    numbers = {FREE_DIAL: {"to": OSAKA}, OSAKA: {"trunk": ["ntt-osaka", "ntt-tokyo"], "queue": "staff"}}
    stop = at(100, "stop", does={"deactivate": "osaka"})
    plain = plan(stop, numbers=numbers, traffic=[{"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m"}])
    (record,) = played(plain, callers(Caller(101))).records
    assert (record.trunk, record.outcome) == ("ntt-tokyo", Outcome.COMPLETED)


def test_phones_left_at_a_deactivated_site_lose_their_line_when_the_registration_expires() -> None:
    """They refresh every 20 s and are refused from 100 on; what the registrar granted before lasts 40 s."""
    steps = (switch(10), at(100, "stop", does={"deactivate": "osaka"}))
    phones = {"staff": {"count": 2, "softphone": {"sites": SITES, "expires": "40s"}}}
    recorder = played(plan(*steps, agents=phones), callers(), callers())
    lost = [(entry.at, entry.detail["site"]) for entry in recorder.of(EventKind.UNREGISTERED) if entry.at > 10]
    assert {site for _, site in lost} == {"osaka"}
    assert all(120 <= moment <= 140 for moment, _ in lost)


def test_a_site_can_be_activated_again() -> None:
    steps = (at(100, "stop", does={"deactivate": "osaka"}), at(120, "start", does={"activate": "osaka"}))
    recorder = played(plan(switch(10), *steps), callers(), callers(Caller(101), Caller(121)))
    assert {start: fate[0] for start, fate in outcomes(recorder).items()} == {
        101: Outcome.FAILED, 121: Outcome.COMPLETED,
    }  # fmt: skip


def test_nobody_is_called_back_from_a_site_that_has_been_deactivated() -> None:
    queues = {"staff": {"agents": ["staff"], "callback": {"after": "5s", "accepts": "100%"}}}
    steps = (switch(10), at(100, "stop", does={"deactivate": "osaka"}))
    busy = [Caller(80, talk=30), Caller(81, talk=50)]
    recorder = played(plan(*steps, queues=queues), callers(), callers(*busy, Caller(90)))
    assert outcomes(recorder)[90] == (Outcome.FAILED, "callback failed", 503)


# The way back


def test_the_way_back_cuts_no_call_and_moves_each_phone_after_its_own() -> None:
    """Both are at Osaka from 10 on and go back at 100: one at once, the other when the call is over at 150."""
    steps = (
        switch(10),
        switch(100, "tokyo", step="phones back"),
        at(110, "number back", does={"route": FREE_DIAL, "to": TOKYO}),
        at(111, "stop", when={"idle": "osaka"}, does={"deactivate": "osaka"}),
    )
    recorder = played(
        plan(*steps, traffic=[{"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m"}]),
        callers(Caller(90, talk=60), Caller(112, talk=5), Caller(155, talk=5)),
    )
    assert {each.start: (each.outcome, each.site, each.wait, each.end) for each in recorder.records} == {
        90: (Outcome.COMPLETED, "osaka", 0, 150),
        112: (Outcome.COMPLETED, "tokyo", 0, 117),
        155: (Outcome.COMPLETED, "tokyo", 0, 160),
    }
    back = [entry.at for entry in recorder.of(EventKind.REGISTERED) if entry.detail["site"] == "tokyo"]
    assert back == [100, 150]
    assert began(recorder, "stop") in (150, 151)


def test_phones_switched_back_before_the_site_is_there_again_have_no_line_until_then() -> None:
    """Z35: Tokyo, lost at 5, is back at 205; a phone that went there at 100 is refused or unanswered before."""
    lost = {"name": "tokyo-lost", "at": "5s", "site": "tokyo", "for": "200s"}
    phones = {"staff": {"count": 2, "softphone": {"sites": SITES, "expires": "40s"}}}
    early = plan(switch(10), switch(100, "tokyo", step="too early"), faults=[lost], agents=phones)
    recorder = played(early, callers(), callers(Caller(50), Caller(101, patience=90)))
    assert {start: fate[0] for start, fate in outcomes(recorder).items()} == {
        50: Outcome.COMPLETED, 101: Outcome.ABANDONED,
    }  # fmt: skip
    back = [entry.at for entry in recorder.of(EventKind.REGISTERED) if entry.detail["site"] == "tokyo"]
    assert len(back) == 2
    assert min(back) >= 205


@pytest.mark.parametrize(("number", "outcome"), [(110, Outcome.ABANDONED), (90, Outcome.COMPLETED)])
def test_callers_are_left_behind_where_the_phones_go_before_the_number(number: float, outcome: Outcome) -> None:
    """All phones have left Osaka at 100; who calls at 105 waits there if the number is still to follow."""
    steps = (
        switch(10),
        switch(100, "tokyo", step="phones back"),
        at(number, "number back", does={"route": FREE_DIAL, "to": TOKYO}),
    )
    recorder = played(
        plan(*steps, traffic=[{"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m"}]), callers(Caller(105, patience=60))
    )
    assert [each.outcome for each in recorder.records] == [outcome]
