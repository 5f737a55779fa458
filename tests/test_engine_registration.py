"""Softphones and registrars in the `calls` engine, computed by hand and held against what real phones did."""

from itertools import pairwise

import pytest

from sbc.decisions.registration import CLIENTS
from scenarios.evidence import EventKind, Gauge, Outcome
from scenarios.model import Drill
from tests.drills import OSAKA, TOKYO, Caller, ListRecorder, callers, drill, played

BOTH = ["tokyo", "osaka"]
NON_INVITE = (0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
"""When a REGISTER is sent over UDP (S1)."""


def desk(count: int = 1, *, office: str | None = None, **softphone: object) -> dict[str, object]:
    group = {"count": count, "softphone": {"sites": ["tokyo"], **softphone}}
    return {"desk": group | ({} if office is None else {"office": office})}


def plan(*faults: dict[str, object], **changes: object) -> Drill:
    """Return two sites in service, a queue in each, twelve minutes, and phones that are at Tokyo."""
    return drill(
        **{
            "run": {"for": "12m", "warm": False},
            "sites": {"tokyo": {}, "osaka": {}},
            "sbc_pairs": {site: {"site": site, "ports": 50} for site in BOTH},
            "trunks": {f"ntt-{site}": {"via": site, "channels": 50} for site in BOTH},
            "numbers": {
                TOKYO: {"trunk": "ntt-tokyo", "queue": "desk"},
                OSAKA: {"trunk": "ntt-osaka", "queue": "desk"},
            },
            "agents": desk(),
            "traffic": [{"to": number, "arrivals": "1/m", "talk": "1m"} for number in (TOKYO, OSAKA)],
            "faults": list(faults),
            **changes,
        }
    )


def fault(at: float, lasts: float | None = None, name: str = "lost", **target: object) -> dict[str, object]:
    repaired = {} if lasts is None else {"for": f"{lasts}s"}
    return {"name": name, "at": f"{at}s", **target, **repaired}


def quiet(drill: Drill, *, seed: int = 1, replication: int = 0) -> ListRecorder:
    return played(drill, callers(), callers(), seed=seed, replication=replication)


def returns(recorder: ListRecorder) -> list[tuple[float, str]]:
    return [(entry.at, str(entry.detail["site"])) for entry in recorder.of(EventKind.REGISTERED)]


def met(recorder: ListRecorder, name: str = "lost") -> tuple[float, str]:
    ((at, what),) = [(e.at, str(e.detail["met"])) for e in recorder.of(EventKind.EFFECT) if e.subject == name]
    return at, what


# docs/validation.md: registration after the registrar dies


def test_a_phone_whose_registrar_is_back_after_5_s_is_registered_at_its_next_refresh_as_measured() -> None:
    """It registers every 60 s: 46 s passed in the measured run, and any time up to 60 s may."""
    waits = []
    for replication in range(60):
        recorder = quiet(plan(fault(100, 5, registrar="tokyo"), agents=desk(expires="2m")), replication=replication)
        ((at, _),) = returns(recorder)
        waits.append(at - 100)
    assert min(waits) >= 5
    assert max(waits) <= 60
    assert any(abs(wait - 46) < 5 for wait in waits)
    later = [wait for wait in waits if wait > 12]  # those below may have met the silence and been sent again
    assert abs(sum(later) / len(later) - 36) < 4 * 48 / (12 * len(later)) ** 0.5


def test_a_phone_with_two_registrars_turns_to_the_second_at_its_next_refresh_and_timer_f() -> None:
    """As measured: a refresh in 60 s at most, whatever became of the first; S3: 32 s more over UDP before it turns."""
    waits = []
    for replication in range(40):
        agents = desk(expires="2m", sites=BOTH, switch="automatic")
        recorder = quiet(plan(fault(100, registrar="tokyo"), agents=agents), replication=replication)
        ((at, site),) = returns(recorder)
        assert site == "osaka"
        assert at == met(recorder)[0] + 32
        waits.append(at - 100)
    assert 32 <= min(waits) < 40
    assert 84 < max(waits) <= 92


def test_a_phone_that_is_switched_by_hand_never_turns_by_itself() -> None:
    assert returns(quiet(plan(fault(100, registrar="tokyo"), agents=desk(sites=BOTH)))) == []


def test_a_phone_whose_sites_are_all_silent_goes_round_them_until_one_answers() -> None:
    """Tokyo is back at 400; the phone pauses after the last of its list, and then begins where it stands."""
    silent = plan(
        fault(100, 300, registrar="tokyo"),
        fault(100, name="too", registrar="osaka"),
        agents=desk(expires="4m", sites=BOTH, switch="automatic"),
    )
    recorder = quiet(silent)
    first, _ = met(recorder)
    tries = [
        (first + 304 * turn + after, site)
        for turn in range(3)
        for after, site in ((0, "tokyo"), (32, "osaka"), (152, "osaka"), (184, "tokyo"))
    ]
    heard = next(at + copy for at, site in tries if site == "tokyo" for copy in NON_INVITE if at + copy >= 400)
    ((at, site),) = returns(recorder)
    assert at == pytest.approx(heard)
    assert site == "tokyo"


def test_a_phone_that_has_turned_to_another_site_turns_again_when_that_is_lost() -> None:
    there_and_back = plan(
        fault(100, 100, registrar="tokyo"),
        fault(250, name="then", registrar="osaka"),
        agents=desk(expires="2m", sites=BOTH, switch="automatic"),
    )
    recorder = quiet(there_and_back)
    assert returns(recorder) == [(met(recorder)[0] + 32, "osaka"), (met(recorder, "then")[0] + 32, "tokyo")]


# Trying again


@pytest.mark.parametrize("back_after", [3, 40, 100, 217])
def test_a_registrar_that_returns_hears_the_next_copy_of_a_register_or_the_next_try(back_after: int) -> None:
    """An AudioCodes phone gives a REGISTER up after 32 s and tries again 32 s later, on and on."""
    recorder = quiet(
        plan(fault(100, 150 + back_after, registrar="tokyo"), agents=desk(client="audiocodes", expires="5m"))
    )
    first, what = met(recorder)
    copies = [first + 64 * tries + offset for tries in range(8) for offset in NON_INVITE]
    heard = next(at for at in copies if at >= 250 + back_after)
    assert what == "registration"
    ((at, site),) = returns(recorder)
    assert at == pytest.approx(heard)
    assert site == "tokyo"


@pytest.mark.parametrize(("again_at", "least", "most"), [(230, 60, 120), (400, 30, 60)])
def test_failures_are_counted_on_until_a_registration_has_lasted_120_s(again_at: int, least: int, most: int) -> None:
    """One failure in the first outage, and the phone is back by 222; RFC 5626 resets after 120 s of stability."""
    for replication in range(20):
        twice = plan(
            fault(100, 90, registrar="tokyo"),
            fault(again_at, 64, name="again", registrar="tokyo"),
            agents=desk(client="rfc5626", expires="1m"),
        )
        recorder = quiet(twice, replication=replication)
        (before, _), (at, _) = returns(recorder)
        assert 190 <= before <= 222
        assert least <= at - (met(recorder, "again")[0] + 32) <= most


def test_phones_with_a_connection_notice_at_once_and_all_try_again_together() -> None:
    """pjsua tries at the break and then 300 ± 10 s later; the registrar was back after 60 s."""
    recorder = quiet(plan(fault(100, 60, registrar="tokyo"), agents=desk(20, client="pjsua", expires="1h")))
    assert met(recorder) == (100, "registration")
    back = [at for at, _ in returns(recorder)]
    assert len(back) == 20
    assert 390 <= min(back) <= max(back) <= 410
    assert max(back) - min(back) > 10


def test_spreading_makes_each_try_later_by_a_time_of_its_own() -> None:
    agents = desk(20, client="pjsua", expires="1h", spread="2m")
    back = [at for at, _ in returns(quiet(plan(fault(100, 60, registrar="tokyo"), agents=agents)))]
    assert len(back) == 20
    early = [at for at in back if at <= 220]  # those whose first try came after the repair
    assert early
    assert all(at >= 160 for at in early)
    assert all(390 <= at <= 650 for at in back if at > 220)


def switched(takes: str = "10s", **more: object) -> dict[str, object]:
    does = {"softphones": "desk", "site": "osaka", **more}
    return {"step": "switch", "by": "agents", "starts": {"after": "alarm"}, "takes": takes, "does": does}


ALARM = fault(10, name="alarm", trunk="ntt-osaka")


def test_what_comes_above_the_rate_of_a_registrar_is_refused_and_comes_again() -> None:
    """Twenty phones come to Osaka at 20 s; it takes 5 a second, and refuses the others, who return 32 s later."""
    crowd = plan(
        ALARM,
        sites={"tokyo": {}, "osaka": {"register_rate": "5/s"}},
        agents=desk(20, client="audiocodes", sites=BOTH, expires="1h"),
        runbook=[switched()],
    )
    recorder = quiet(crowd)
    assert [at for at, _ in returns(recorder)] == [at for at in (20, 52, 84, 116) for _ in range(5)]
    peaks = recorder.levels(Gauge.REGISTERS, "osaka")
    assert [peaks[at] for at in (10, 20, 30, 60, 90, 120, 130)] == [0, 0, 20, 15, 10, 5, 0]


def test_those_who_were_refused_come_back_less_crowded_when_they_spread() -> None:
    crowd = plan(
        ALARM,
        sites={"tokyo": {}, "osaka": {"register_rate": "5/s"}},
        agents=desk(20, client="audiocodes", sites=BOTH, expires="1h", spread="1m"),
        runbook=[switched()],
    )
    back = [at for at, _ in returns(quiet(crowd))]
    assert back[:5] == [20] * 5
    assert len(back) == 20
    assert all(52 <= at <= 112 for at in back[5:])


def test_a_registrar_that_says_retry_after_is_left_alone_until_then_and_the_client_s_own_wait() -> None:
    """As above, but a minute is asked for before the 32 s of the client: those refused come back after 92 s."""
    crowd = plan(
        ALARM,
        sites={"tokyo": {}, "osaka": {"register_rate": "5/s", "retry_after": "1m"}},
        agents=desk(20, client="audiocodes", sites=BOTH, expires="1h"),
        runbook=[switched()],
    )
    assert [at for at, _ in returns(quiet(crowd))] == [at for at in (20, 112, 204, 296) for _ in range(5)]


def test_what_one_registrar_asks_for_is_no_matter_once_another_has_failed() -> None:
    """Refused at Osaka at 20, the second phone turns to Tokyo: silent until 60, so Timer F at 52 and then its 32 s."""
    asked = plan(
        ALARM,
        fault(5, 55, registrar="tokyo"),
        sites={"tokyo": {}, "osaka": {"register_rate": "1/h", "retry_after": "10m"}},
        agents=desk(2, client="audiocodes", sites=BOTH, switch="automatic", expires="1h"),
        runbook=[switched()],
    )
    assert returns(quiet(asked)) == [(20, "osaka"), (84, "tokyo")]


def test_a_refused_refresh_leaves_the_earlier_registration_until_it_expires() -> None:
    """Ten phones share a registrar that takes one in 20 s; they try again every 32 s, and have 450 s for it."""
    rare = {"sites": {"tokyo": {"register_rate": "3/m"}, "osaka": {}}, "run": {"for": "20m", "warm": False}}
    kept = quiet(plan(agents=desk(10, client="audiocodes", expires="15m"), **rare))
    assert kept.of(EventKind.UNREGISTERED) == []
    few = quiet(plan(agents=desk(30, expires="4m"), **rare))
    gone = few.of(EventKind.UNREGISTERED)
    assert gone
    assert gone[0].at >= 120, "half an expiry at least after the refresh that was refused"


def test_an_asterisk_begins_up_to_10_s_late() -> None:
    agents = desk(40, client="asterisk", sites=BOTH, expires="1h")
    back = [at - 20 for at, _ in returns(quiet(plan(ALARM, agents=agents, runbook=[switched()])))]
    assert len(back) == 40
    assert 0 < min(back) < 2
    assert 8 < max(back) <= 10


@pytest.mark.parametrize("client", CLIENTS)
def test_whatever_the_client_every_phone_is_registered_in_the_end_and_once(client: str) -> None:
    long = plan(fault(100, 200, registrar="tokyo"), agents=desk(10, client=client), run={"for": "1h", "warm": False})
    recorder = quiet(long)
    assert sorted(int(entry.detail["agent"]) for entry in recorder.of(EventKind.REGISTERED)) == list(range(10))
    assert recorder.levels(Gauge.SOFTPHONES, "tokyo")[3600] == 10
    for entry in recorder.of(EventKind.REGISTERED):
        assert entry.detail["without"] == entry.at - 100


def test_refreshes_are_half_an_expiry_apart_and_out_of_step() -> None:
    recorder = quiet(plan(agents=desk(60, expires="2m")))
    peaks = list(recorder.levels(Gauge.REGISTERS, "tokyo").values())
    assert max(peaks[1:]) < 15, "one a second on average"
    assert peaks[7:] == [*peaks[1:], *peaks[1:]][6 : 6 + len(peaks) - 7] or len(set(peaks)) > 1
    assert all(late == early for early, late in zip(peaks[1:], peaks[7:], strict=False)), (
        "every minute is like the last"
    )


# Registrar and calls


def test_while_a_registrar_is_lost_calls_go_on_and_new_callers_wait() -> None:
    recorder = played(
        plan(fault(100, 60, registrar="tokyo"), agents=desk(2, client="jssip")),
        callers(Caller(90, talk=100), Caller(120, talk=10)),
        callers(),
    )
    first, second = recorder.records if recorder.records[0].start == 90 else reversed(recorder.records)
    assert (first.outcome, first.end) == (Outcome.COMPLETED, 190)
    assert second.outcome is Outcome.COMPLETED
    assert second.wait is not None
    assert 40 <= second.wait <= 70, "until the idle phone is back, within 30 s of the repair"


# Offices


def test_a_lost_office_cuts_its_calls_and_its_phones_and_no_others() -> None:
    two = {
        "desk": {"count": 1, "office": "honsha", "softphone": {"sites": ["tokyo"], "expires": "20h"}},
        "home": {"count": 1, "softphone": {"sites": ["tokyo"], "expires": "20h"}},
    }
    office = plan(
        fault(100, 60, office="honsha"),
        offices={"honsha": {}},
        agents=two,
        queues={"desk": {"agents": ["desk", "home"]}},
    )
    recorder = played(office, callers(*(Caller(at, talk=80) for at in (90, 95, 110))), callers())
    ends = {each.start: (each.outcome, each.reason, each.agents, each.end) for each in recorder.records}
    assert ends == {
        90: (Outcome.DROPPED, "honsha lost", "desk", 100),
        95: (Outcome.COMPLETED, "", "home", 175),
        110: (Outcome.COMPLETED, "", "desk", 240),
    }
    (lost,) = recorder.of(EventKind.UNREGISTERED)
    assert (lost.at, lost.subject, lost.detail) == (100, "desk", {"site": "tokyo", "registered": 0, "lost": 1})
    assert returns(recorder) == [(160, "tokyo")], "no refresh fell into the outage: the registration is still there"
    assert met(recorder) == (100, "call")


def test_phones_that_meet_the_loss_of_their_office_register_again_after_it() -> None:
    recorder = quiet(
        plan(fault(100, 100, office="honsha"), offices={"honsha": {}}, agents=desk(20, office="honsha", expires="2m"))
    )
    assert met(recorder)[1] == "registration"
    assert 100 <= met(recorder)[0] < 110
    back = [at for at, _ in returns(recorder)]
    assert len(back) == 20
    assert min(back) > 200, "all had given their registration up by 192, and none was back with the line"
    assert max(back) <= 228.5, "a try every 60 s from the refresh that failed, and copies of it for 31.5 s"
    levels = recorder.levels(Gauge.SOFTPHONES, "tokyo")
    assert [levels[at] for at in (90, 110, 190, 230)] == [20, 0, 0, 20]


def test_an_agent_who_is_dialling_when_the_office_is_lost_dials_no_more() -> None:
    outbound = plan(
        fault(50, name="dead", pair="tokyo"),
        fault(100, office="honsha"),
        offices={"honsha": {}},
        agents=desk(office="honsha"),
        default_caller=TOKYO,
        traffic=[{"from": "desk", "to": "090-1234-5678", "arrivals": "1/m", "talk": "1m"}],
    )
    (call,) = played(outbound, callers(Caller(95))).records
    assert (call.outcome, call.reason, call.end) == (Outcome.FAILED, "honsha lost", 100)


# Signing in


def test_while_identity_is_out_phones_that_sign_in_are_refused_and_others_are_not() -> None:
    faults = (fault(100, 30, registrar="tokyo"), fault(90, 400, name="identity", identity=True))
    recorder = quiet(plan(*faults, agents=desk(5, client="audiocodes", expires="2m", login=True)))
    assert len(returns(recorder)) == 5
    assert all(490 <= at <= 490 + 32 for at, _ in returns(recorder))
    assert met(recorder, "identity")[1] == "sign-in"
    free = quiet(plan(*faults, agents=desk(5, client="audiocodes", expires="2m")))
    assert all(at < 490 for at, _ in returns(free))
    assert len(returns(free)) == 5


def test_a_registration_that_lasts_needs_no_sign_in() -> None:
    recorder = quiet(plan(fault(90, 400, name="identity", identity=True), agents=desk(5, expires="2m", login=True)))
    assert recorder.of(EventKind.UNREGISTERED, EventKind.EFFECT) == []


def test_a_two_step_sign_in_keeps_an_agent_without_a_phone_for_longer() -> None:
    recorder = played(
        plan(ALARM, agents=desk(sites=BOTH), runbook=[switched(login="25s")]),
        callers(Caller(15, patience=40), Caller(21, patience=40)),
        callers(),
    )
    assert returns(recorder) == [(45 + 5, "osaka")], "15: a call of 10 s, and 25 s of signing in"
    assert [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)] == [50]
    assert {each.start: each.outcome for each in recorder.records} == {15: Outcome.COMPLETED, 21: Outcome.ABANDONED}


def test_a_sign_in_that_is_overtaken_by_another_switch_counts_no_more() -> None:
    back = {"step": "back", "by": "agents", "starts": {"after": "alarm"}, "takes": "20s"}
    steps = [switched(login="25s"), {**back, "does": {"softphones": "desk", "site": "tokyo"}}]
    recorder = quiet(plan(ALARM, agents=desk(sites=BOTH), runbook=steps))
    assert returns(recorder) == [(30, "tokyo")]
    finished = [(entry.at, entry.subject) for entry in recorder.of(EventKind.STEP_FINISHED)]
    assert finished == [(30, "back"), (45, "switch")]


def test_an_agent_who_slips_back_is_at_the_old_site_until_it_is_noticed() -> None:
    counts = []
    for replication in range(100):
        slippery = plan(ALARM, agents=desk(sites=BOTH), runbook=[switched(slips="40%")])
        recorder = quiet(slippery, replication=replication)
        slips = len(recorder.of(EventKind.STEP_REPEATED))
        expected = [(20 + 10 * i, "tokyo") for i in range(slips)]
        assert returns(recorder) == [*expected, (20 + 10 * slips, "osaka")]
        assert [entry.at for entry in recorder.of(EventKind.STEP_FINISHED)] == [20 + 10 * slips]
        counts.append(slips)
    # geometric: mean f / (1 - f), standard deviation √f / (1 - f)
    assert abs(sum(counts) / 100 - 0.4 / 0.6) < 4 * 0.4**0.5 / 0.6 / 10


def test_a_phone_set_to_a_site_that_is_not_in_service_has_left_the_journal_says() -> None:
    away = plan(
        ALARM,
        sites={"tokyo": {}, "osaka": {"role": "secondary"}},
        agents=desk(3, sites=BOTH),
        runbook=[switched()],
    )
    left = quiet(away).of(EventKind.UNREGISTERED)
    assert [(entry.detail["site"], entry.detail["registered"], entry.detail["lost"]) for entry in left] == [
        ("tokyo", 2, 0),
        ("tokyo", 1, 0),
        ("tokyo", 0, 0),
    ]


def test_the_journal_of_registrations_adds_up() -> None:
    recorder = quiet(plan(fault(100, 200, registrar="tokyo"), agents=desk(10)))
    levels = [10, *(int(e.detail["registered"]) for e in recorder.of(EventKind.UNREGISTERED, EventKind.REGISTERED))]
    assert levels == [10, 0, *range(1, 11)]
    assert all(after - before in (-10, 1) for before, after in pairwise(levels))
