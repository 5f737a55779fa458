"""The `calls` engine against drills computed by hand: every caller, every draw and every time is known beforehand."""

import pytest

from scenarios.evidence import CallRecord, EventKind, Gauge, Outcome
from tests.drills import FREE_DIAL, MOBILE, OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

COMPLETED, BLOCKED, FAILED = Outcome.COMPLETED, Outcome.BLOCKED, Outcome.FAILED
ABANDONED, DROPPED, IN_PROGRESS = Outcome.ABANDONED, Outcome.DROPPED, Outcome.IN_PROGRESS


def told(recorder: ListRecorder) -> dict[tuple[float, int], tuple[object, ...]]:
    """Return by start and try what became of each attempt: (setup, wait, talk, end, outcome, reason, sip)."""
    rows = [
        ((each.start, each.tries), (each.setup, each.wait, each.talk, each.end, each.outcome, each.reason, each.sip))
        for each in recorder.records
    ]
    assert len({key for key, _ in rows}) == len(rows), "two attempts of a hand-made load start together"
    return dict(rows)


def found(recorder: ListRecorder, start: float) -> CallRecord:
    (record,) = (each for each in recorder.records if each.start == start)
    return record


# One SBC pair, one agent, a tap of two, four ports; the serving node dies at 100 s and the other serves 3.2 s later:
# its probes run every 10 ms and time out after 3.2 s, so this is between 103.20 and 103.21 s whatever is drawn.


@pytest.fixture(scope="module")
def takeover() -> ListRecorder:
    plan = drill(
        run={"for": "250s", "warm": False},
        sbc_pairs={
            "edge": {"site": "tokyo", "ports": 4, "detect": {"by": "options", "every": "10ms", "timeout": "3.2s"}}
        },
        numbers={
            FREE_DIAL: {"to": TOKYO},
            TOKYO: {"trunk": "ntt", "queue": "staff", "tap": 2},
            OSAKA: {"trunk": "ntt"},
        },
        agents={"staff": {"count": 1, "softphone": {"sites": ["tokyo"]}}},
        traffic=[{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (FREE_DIAL, OSAKA)],
        faults=[{"name": "node-dies", "at": "100s", "pair": "edge", "fails": "active"}],
    )
    to_the_queue = callers(
        Caller(10, talk=30),
        Caller(20, talk=15, patience=60),
        Caller(30, talk=20, again=[12]),
        Caller(60, talk=9, patience=5),
        Caller(80, talk=100),
        Caller(90, talk=10, patience=200),
        Caller(245, talk=10),
    )
    to_the_far_side = callers(
        Caller(95, talk=50),
        Caller(96, talk=6.5),
        Caller(97),
        Caller(100.125, talk=10),
        Caller(101, talk=5, again=[60]),
        Caller(102, talk=0.0625),
        Caller(102.25, patience=0.25),
        Caller(102.75, talk=0.125),
    )
    return played(plan, to_the_queue, to_the_far_side)


def test_every_call_of_a_takeover_is_as_computed_by_hand(takeover: ListRecorder) -> None:
    assert told(takeover) == {
        # the only agent is free
        (10, 1): (0, 0, 30, 40, COMPLETED, "", 200),
        # waits for the agent until 40
        (20, 1): (0, 20, 15, 55, COMPLETED, "", 200),
        # the tap of two is full with the calls above; tries again after 12 s and waits until 55
        (30, 1): (None, None, None, 30, BLOCKED, TOKYO, 486),
        (42, 2): (0, 13, 20, 75, COMPLETED, "", 200),
        # the agent talks until 75: patience of 5 s is too short
        (60, 1): (0, 5, None, 65, ABANDONED, "gave up waiting", 200),
        # answered, and confirmed: survives the takeover
        (80, 1): (0, 0, 100, 180, COMPLETED, "", 200),
        # hears the queue's music, and so is confirmed as well; the agent is free at 180
        (90, 1): (0, 90, 10, 190, COMPLETED, "", 200),
        (95, 1): (0, 0, 50, 145, COMPLETED, "", 200),
        # ends while nobody serves
        (96, 1): (0, 0, 6.5, 102.5, COMPLETED, "", 200),
        # four ports: those of 80, 90, 95 and 96
        (97, 1): (None, None, None, 97, BLOCKED, "edge", 503),
        # sent at 100.125, 100.625, 101.625, 103.625
        (100.125, 1): (3.5, 0, 10, 113.625, COMPLETED, "", 200),
        # sent until 104.5, when four ports are in use again: 80, 90, 95 and 100.125
        (101, 1): (None, None, None, 104.5, BLOCKED, "edge", 503),
        (164.5, 2): (0, 0, 5, 169.5, COMPLETED, "", 200),
        # sent at 102, 102.5, 103.5
        (102, 1): (1.5, 0, 0.0625, 103.5625, COMPLETED, "", 200),
        # hangs up after a quarter of a second of silence: CANCEL
        (102.25, 1): (None, None, None, 102.5, FAILED, "nothing answers", 487),
        # sent at 102.75, 103.25
        (102.75, 1): (0.5, 0, 0.125, 103.375, COMPLETED, "", 200),
        # still up when the run ends
        (245, 1): (0, 0, 5, 250, IN_PROGRESS, "", 0),
    }


def test_callers_are_known_again_by_their_first_attempt_and_only_the_last_is_final(takeover: ListRecorder) -> None:
    ids = {each.attempt: each for each in takeover.records}
    assert len(ids) == len(takeover.records)
    for first, second in ((30, 42), (101, 164.5)):
        once, again = found(takeover, first), found(takeover, second)
        assert (once.caller, again.caller) == (once.attempt, once.attempt)
        assert (once.final, again.final) == (False, True)
    for each in takeover.records:
        if each.start not in (30, 101, 245):
            assert each.final
        if each.tries == 1:
            assert each.caller == each.attempt


def test_a_call_names_the_node_that_carried_it_last(takeover: ListRecorder) -> None:
    nodes = {each.start: each.node for each in takeover.records}
    before, across, after = {10, 20, 42, 60, 96}, {80, 90, 95}, {100.125, 102, 102.75, 164.5, 245}
    assert {start for start, node in nodes.items() if node == "edge/1"} == before
    assert {start for start, node in nodes.items() if node == "edge/2"} == across | after
    assert {start for start, node in nodes.items() if node == ""} == {30, 97, 101, 102.25}


def test_a_call_says_what_was_dialled_and_what_was_behind_it(takeover: ListRecorder) -> None:
    assert {(each.number, each.destination) for each in takeover.records} == {(FREE_DIAL, TOKYO), (OSAKA, OSAKA)}
    assert {each.trunk for each in takeover.records} == {"ntt"}
    assert {each.site for each in takeover.records} == {"tokyo"}
    assert {each.agents for each in takeover.records if each.number == FREE_DIAL and each.answered} == {"staff"}
    assert {each.agents for each in takeover.records if each.number == OSAKA} == {""}


def test_an_attempt_on_its_way_to_a_queue_counts_for_that_queue_even_when_it_never_gets_there(
    takeover: ListRecorder,
) -> None:
    assert {each.queue for each in takeover.records if each.number == FREE_DIAL} == {"staff"}


def test_calls_are_handed_over_in_the_order_in_which_they_ended(takeover: ListRecorder) -> None:
    ends = [each.end for each in takeover.records]
    assert ends == sorted(ends)


def test_the_journal_of_a_takeover_tells_what_happened_in_order(takeover: ListRecorder) -> None:
    kinds = [(entry.kind, entry.subject) for entry in takeover.entries]
    assert kinds == [
        (EventKind.FAULT, "node-dies"),
        (EventKind.NODE_LOST, "edge"),
        (EventKind.EFFECT, "node-dies"),
        (EventKind.DETECTED, "edge"),
        (EventKind.TAKEOVER, "edge"),
    ]
    fault, lost, effect, detected, taken = takeover.entries
    assert [entry.at for entry in (fault, lost, effect)] == [100, 100, 100]
    assert lost.detail == {"node": "edge/1", "calls": 4}
    assert effect.detail == {"met": "call"}
    assert 103.2 <= detected.at == taken.at <= 103.21
    assert (taken.detail["node"], taken.detail["kept"]) == ("edge/2", 3)
    assert taken.detail["outage"] == pytest.approx(taken.at - 100)


def test_samples_show_levels_every_ten_seconds_and_the_most_ports_in_between(takeover: ListRecorder) -> None:
    waiting = takeover.levels(Gauge.WAITING, "staff")
    assert list(waiting) == [10.0 * i for i in range(26)]
    assert [waiting[at] for at in (30, 50, 70, 110, 170, 200)] == [1, 1, 0, 1, 1, 0]
    ports = takeover.levels(Gauge.PORTS, "edge")
    # until 100 those of 80, 90, 95 and 96; until 120 those of 80, 90, 95 and 100.125; 95 until 145
    assert [ports[at] for at in (50, 70, 100, 110, 120, 130, 150, 160, 240)] == [2, 2, 4, 4, 4, 3, 3, 2, 0]
    assert max(takeover.levels(Gauge.PORTS, TOKYO).values()) == 2
    assert set(takeover.levels(Gauge.SOFTPHONES, "tokyo").values()) == {1}
    assert takeover.levels(Gauge.AGENTS_BUSY, "staff")[70] == 1
    assert takeover.levels(Gauge.AGENTS_BUSY, "staff")[220] == 0


def test_ports_taken_in_the_last_seconds_of_a_run_are_sampled_too() -> None:
    recorder = played(drill(run={"for": "25s", "warm": False}), callers(Caller(21, talk=2), Caller(22, talk=2)))
    assert max(recorder.levels(Gauge.PORTS, "edge").values()) == 2


# A site is lost at 100 s. The administrator decides after 20 s and presses the button for 30, so Osaka is in service at
# 150. Two agents switch their phones until 160; the free dial number is re-pointed at 210; the default caller number
# follows at 250; test calls end at 265.


@pytest.fixture(scope="module")
def site_loss() -> ListRecorder:
    admin = {"by": "administrator"}
    plan = drill(
        run={"for": "400s", "warm": False},
        sites={"tokyo": {}, "osaka": {"role": "secondary"}},
        sbc_pairs={"tokyo-edge": {"site": "tokyo", "ports": 50}, "osaka-edge": {"site": "osaka", "ports": 50}},
        trunks={"ntt-tokyo": {"via": "tokyo-edge", "channels": 50}, "ntt-osaka": {"via": "osaka-edge", "channels": 50}},
        numbers={
            FREE_DIAL: {"to": TOKYO},
            TOKYO: {"trunk": "ntt-tokyo", "queue": "staff"},
            OSAKA: {"trunk": "ntt-osaka", "queue": "staff"},
        },
        default_caller=TOKYO,
        agents={"staff": {"count": 2, "softphone": {"sites": ["tokyo", "osaka"]}, "caller_number": OSAKA}},
        traffic=[
            {"to": FREE_DIAL, "arrivals": "1/m", "talk": "1m", "silence_hangup": "5s"},
            {"to": OSAKA, "arrivals": "1/m", "talk": "1m"},
            *(
                {"from": "staff", "to": MOBILE, "arrivals": "1/m", "talk": "1m", "shows": shows}
                for shows in ("default", "terminal", OSAKA)
            ),
        ],
        faults=[{"name": "tokyo-lost", "at": "100s", "site": "tokyo"}],
        runbook=[
            {
                "step": "button",
                **admin,
                "starts": {"after": "tokyo-lost", "delay": "20s"},
                "takes": "30s",
                "does": {"activate": "osaka"},
            },
            {
                "step": "switch",
                "by": "agents",
                "after": "button",
                "takes": "10s",
                "does": {"softphones": "staff", "site": "osaka"},
            },
            {"step": "re-point", **admin, "after": "button", "takes": "60s", "does": {"route": FREE_DIAL, "to": OSAKA}},
            {"step": "default", **admin, "after": "re-point", "takes": "40s", "does": {"default_caller": OSAKA}},
            {"step": "test", **admin, "after": ["switch", "default"], "takes": "15s", "does": {"verify": FREE_DIAL}},
        ],
    )
    return played(
        plan,
        callers(
            Caller(20, talk=30),
            Caller(70, talk=100, again=[50]),
            Caller(90, talk=100, again=[130]),
            Caller(95, talk=100),
            Caller(110, patience=20),
            Caller(200),
            Caller(220, talk=20),
        ),
        callers(Caller(120), Caller(155, talk=20)),
        callers(Caller(40, talk=10), Caller(105, patience=30), Caller(190), Caller(255, talk=10)),
        callers(Caller(30), Caller(195, talk=5)),
        callers(Caller(191, talk=3)),
    )


def test_every_call_of_a_site_loss_is_as_computed_by_hand(site_loss: ListRecorder) -> None:
    assert told(site_loss) == {
        # inbound to the free dial number
        (20, 1): (0, 0, 30, 50, COMPLETED, "", 200),
        # answered at 70, cut off at 100, hangs up 5 s later and tries again after 50 s more, at 155, while the number
        # still leads to the dead site: Timer B
        (70, 1): (0, 0, 30, 100, DROPPED, "tokyo-edge/1 lost", 200),
        (155, 2): (None, None, None, 187, FAILED, "nothing answers", 408),
        # cut off too, but tries again at 235, after the number is re-pointed
        (90, 1): (0, 0, 10, 100, DROPPED, "tokyo-edge/1 lost", 200),
        (235, 2): (0, 0, 100, 335, COMPLETED, "", 200),
        # both agents were busy: cut off in the queue
        (95, 1): (0, 5, None, 100, DROPPED, "tokyo-edge/1 lost", 200),
        (110, 1): (None, None, None, 130, FAILED, "nothing answers", 487),
        # its INVITE goes where it first went, whatever is re-pointed meanwhile
        (200, 1): (None, None, None, 232, FAILED, "nothing answers", 408),
        (220, 1): (0, 0, 20, 240, COMPLETED, "", 200),
        # inbound to Osaka: first not in service, then without agents until 160
        (120, 1): (None, None, None, 120, FAILED, "site not in service", 503),
        (155, 1): (0, 5, 20, 180, COMPLETED, "", 200),
        # outbound with the default caller number (Z32): fails from the DR site until it is changed
        (40, 1): (0, 0, 10, 50, COMPLETED, "", 200),
        (105, 1): (None, None, None, 135, ABANDONED, "no agent free", 0),
        (190, 1): (None, None, None, 190, FAILED, "caller number not usable", 403),
        (255, 1): (0, 0, 10, 265, COMPLETED, "", 200),
        # outbound with the terminal's number, Osaka's: not usable in Tokyo (Z15)
        (30, 1): (None, None, None, 30, FAILED, "caller number not usable", 403),
        (195, 1): (0, 0, 5, 200, COMPLETED, "", 200),
        # outbound with a number selected (Z32)
        (191, 1): (0, 0, 3, 194, COMPLETED, "", 200),
    }


def test_the_runbook_of_a_site_loss_runs_as_computed_by_hand(site_loss: ListRecorder) -> None:
    steps = site_loss.of(EventKind.STEP_READY, EventKind.STEP_STARTED, EventKind.STEP_FINISHED, EventKind.STEP_REPEATED)
    assert [(entry.at, entry.kind.removeprefix("step "), entry.subject) for entry in steps] == [
        (100, "ready", "button"),
        (120, "started", "button"),
        (150, "finished", "button"),
        (150, "ready", "switch"),
        (150, "ready", "re-point"),
        (150, "started", "switch"),
        (150, "started", "re-point"),
        (160, "finished", "switch"),
        (210, "finished", "re-point"),
        (210, "ready", "default"),
        (210, "started", "default"),
        (250, "finished", "default"),
        (250, "ready", "test"),
        (250, "started", "test"),
        (265, "finished", "test"),
    ]
    released = {entry.subject: entry.detail["released_by"] for entry in site_loss.of(EventKind.STEP_READY)}
    assert released == {
        "button": "tokyo-lost", "switch": "button", "re-point": "button", "default": "re-point", "test": "default",
    }  # fmt: skip


def test_what_the_steps_did_is_in_the_journal(site_loss: ListRecorder) -> None:
    done = site_loss.of(EventKind.ACTIVATED, EventKind.REGISTERED, EventKind.REROUTED, EventKind.CALLER_NUMBER)
    assert [(entry.at, entry.subject, dict(entry.detail)) for entry in done] == [
        (150, "osaka", {}),
        (160, "staff", {"site": "osaka", "agent": 0, "registered": 1, "without": 60}),
        (160, "staff", {"site": "osaka", "agent": 1, "registered": 2, "without": 60}),
        (210, FREE_DIAL, {"to": OSAKA}),
        (250, OSAKA, {"of": "default"}),
    ]
    (lost,) = site_loss.of(EventKind.UNREGISTERED)
    assert (lost.at, lost.subject, lost.detail) == (100, "staff", {"site": "tokyo", "registered": 0, "lost": 2})
    (effect,) = site_loss.of(EventKind.EFFECT)
    assert (effect.at, effect.subject, effect.detail) == (100, "tokyo-lost", {"met": "call"})


def test_outbound_calls_name_the_number_they_showed_and_the_group_that_placed_them(site_loss: ListRecorder) -> None:
    shown = {each.start: (each.number, each.destination) for each in site_loss.records if each.direction == "out"}
    assert {start: pair for start, pair in shown.items() if start != 105} == {
        40: (TOKYO, MOBILE), 190: (TOKYO, MOBILE), 255: (OSAKA, MOBILE),
        30: (OSAKA, MOBILE), 195: (OSAKA, MOBILE), 191: (OSAKA, MOBILE),
    }  # fmt: skip
    assert {each.agents for each in site_loss.records if each.direction == "out" and each.start != 105} == {"staff"}


def test_work_that_found_no_agent_showed_no_number(site_loss: ListRecorder) -> None:
    assert found(site_loss, 105).number == ""
    assert found(site_loss, 105).destination == MOBILE


def test_registered_phones_follow_the_loss_and_the_switch(site_loss: ListRecorder) -> None:
    tokyo, osaka = (site_loss.levels(Gauge.SOFTPHONES, site) for site in ("tokyo", "osaka"))
    assert ([tokyo[at] for at in (90, 110, 390)], [osaka[at] for at in (150, 170, 390)]) == ([2, 0, 0], [0, 2, 2])
