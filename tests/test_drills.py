"""The bundled drills: each has its verdict for a stated reason, and no expectation that cannot fail."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.mistakes import MISTAKES, row_on, seen
from kirikae import drills
from kirikae.drills import schema_text
from kirikae.runner import run_all
from reports.judge import Judged, judge
from scenarios import rules
from scenarios.loader import load
from scenarios.model import Verdict

PAGE = Path("docs/drills.md")

BREAKS = {
    "tokyo-osaka-dr": {
        "recovery_time{number=0120-123-456} <= 60m": "runbook[re-point 0120-123-456].takes=1h",
        "softphones_back{agents=sales} <= 30m": "runbook[switch the softphones].takes=40m",
        "blocked_ratio{after=60m} < 1%": "trunks.ntt-osaka.channels=60",
        "service_level{queue=sales, after=60m} >= 80%": "traffic[0].surge.for=80m",
        "asr{direction=out, after=60m} >= 95%": "runbook[change the default caller number].takes=1h",
        "ports_peak{limit=tenant} < 80%": "ports.tenant=140",
    },
    "failback-under-load": {
        "dropped{after=20m} == 0": "runbook[stop Osaka].when={in_service: tokyo}",
        "runbook_time{step=number back, since=notice that Tokyo is back} <= 25m": "runbook[number back].takes=30m",
        "runbook_time{step=ask for the resync, since=notice that Tokyo is back} <= 50m": (
            "runbook[second half back].takes=45m"
        ),
        "softphones_back{agents=first-half} <= 15m": "runbook[first half back].does.login=5m",
        "abandoned_ratio{number=0120-123-456, after=45m} < 2%": (
            "runbook[second half back].after=notice that Tokyo is back"
        ),
        "blocked_ratio{after=30m} < 1%": "ports.tenant=42",
        "asr{number=110, site=tokyo, before=15m} >= 99%": "ports.tenant=42",
        "asr{number=110, site=osaka} >= 99%": "trunks.ntt-osaka.channels=6",
        "asr{number=119, site=osaka} >= 99%": "trunks.ntt-osaka.channels=6",
        "asr{number=119, site=tokyo, after=55m} >= 99%": "ports.tenant=42",
    },
    "dr-button-late": {  # meant to fail: it does so by itself, and all the more with an even later button
        "softphones_back{agents=desk} <= 20m": "runbook[press the DR button].takes=10m",
        "abandoned_ratio{number=0120-123-456} < 5%": "runbook[re-point 0120-123-456].takes=10s",
    },
    "dr-button-first": {
        "softphones_back{agents=desk} <= 20m": "runbook[press the DR button].takes=15m",
        "abandoned_ratio{number=0120-123-456} < 5%": "runbook[switch the softphones].takes=8m",
    },
    "port-exhaustion": {  # meant to fail: it does so by itself, and by more with fewer ports
        "blocked_ratio{limit=tenant, after=15m} < 1%": "ports.tenant=98",
        "caller_loss{after=15m} < 1%": "ports.tenant=98",
        "recovery_time{number=0120-123-456} <= 8m": "ports.tenant=98",
    },
    "port-exhaustion-fixed": {
        "blocked_ratio{limit=tenant, after=15m} < 1%": "ports.tenant=105",
        "caller_loss{after=15m} < 1%": "ports.tenant=98",
        "recovery_time{number=0120-123-456} <= 8m": "faults[edge-lost].for=12m",
    },
    "dr-edited-in-peace": {  # meant to fail, and does so by itself; nothing makes it worse
        "softphones_least{site=osaka, after=18m, before=28m} >= 15": "changes[branch-address].at=3m",
        "service_level{queue=support, after=18m, before=28m} >= 80%": "changes[branch-address].at=3m",
        "data_lost{data=ip-restrictions} == 0": "changes[branch-address].at=3m",
        "data_lost{data=announcements} == 0": "changes[storm-greeting].at=0",
        "rpo{data=ip-restrictions} <= 5m": "faults[tokyo-lost].at=11m",
    },
    "dr-edited-in-peace-fixed": {
        "softphones_least{site=osaka, after=18m, before=28m} >= 15": "changes[branch-address].at=6m",
        "service_level{queue=support, after=18m, before=28m} >= 80%": "changes[branch-address].at=6m",
        "data_lost{data=ip-restrictions} == 0": "sync.data.ip-restrictions.first=1m",
        "data_lost{data=announcements} == 0": "changes[storm-greeting].at=9m",
        "rpo{data=ip-restrictions} <= 5m": "sync.data.ip-restrictions.first=4m",
    },
    "login-at-the-lost-site": {  # the same
        "runbook_time{step=re-point 0120-123-456} <= 12m": "faults[tokyo-lost].for=25m",
        "outage_minutes{number=0120-123-456} <= 13m": "faults[tokyo-lost].for=25m",
        "asr{number=0120-123-456, after=18m, before=25m} >= 90%": "faults[tokyo-lost].for=25m",
    },
    "login-at-the-lost-site-fixed": {
        "runbook_time{step=re-point 0120-123-456} <= 12m": "runbook[re-point 0120-123-456].takes=10m",
        "outage_minutes{number=0120-123-456} <= 13m": "runbook[re-point 0120-123-456].takes=15m",
        "asr{number=0120-123-456, after=18m, before=25m} >= 90%": "runbook[re-point 0120-123-456].takes=20m",
    },
    "softphone-reconnect": {
        "register_peak{site=tokyo} <= 15/s": "agents.desk.softphone.spread=0s",
        "registration_p95{agents=desk} <= 9m": "agents.desk.softphone.spread=0s",
        "softphones_back{agents=desk} <= 9m": "faults[registrar-lost].for=9m",
        "service_level{queue=desk, after=15m} >= 95%": "faults[registrar-lost].for=9m",
    },
    "sbc-pair-takeover": {
        "takeover_time{pair=edge} <= 3.7s": "sbc_pairs.edge.detect.advert=2s",
        "time_to_detect{pair=edge} <= 3.7s": "sbc_pairs.edge.detect.advert=2s",
        "delayed >= 200": "sbc_pairs.edge.detect.advert=500ms",
        "delayed <= 430": "sbc_pairs.edge.detect.advert=2s",
        "setup_delay_p99 <= 3.5s": "sbc_pairs.edge.detect.advert=2s",
        "dropped == 0": "sbc_pairs.edge.keeps=none",
        "failed == 0": "faults[0].how=hung",
    },
    "trunk-overflow": {
        "answered{trunk=ntt-tokyo, after=15m, before=30m} == 0": "faults[0].at=20m",
        "blocked_ratio < 1%": "trunks.kddi-osaka.channels=50",
        "failed == 0": "traffic[0].patience=2s",
        "delayed{before=40m} == 0": "faults[1].at=35m",
        "setup_delay_p95{after=41m, before=49m} <= 4.1s": "trunks.ntt-tokyo.advance_after=6s",
    },
    "planned-maintenance": {
        "dropped == 0": "runbook[wait for the last call].takes=1m",
        "failed == 0": "numbers.03-1234-5678.trunk=ntt-east",
        "blocked_ratio < 1%": "trunks.ntt-west.channels=40",
        "delayed <= 4": "sbc_pairs.east-edge.detect.advert=20s",
        "answered{trunk=ntt-east, after=11m, before=30m} == 0": "runbook[drain east].starts.at=13m",
        "answered{trunk=ntt-east, after=40m} >= 500": "runbook[service the first node].takes=25m",
    },
    "free-dial-to-050": {  # meant to fail: it does so by itself, however often callers try again
        "recovery_time{number=0120-123-456} <= 25m": "traffic[0].retry.share=50%",
        "failed_ratio{number=0120-123-456, after=35m} < 1%": "traffic[0].retry.share=50%",
    },
    "free-dial-to-06": {
        "recovery_time{number=0120-123-456} <= 25m": "runbook[re-point 0120-123-456].takes=25m",
        "failed_ratio{number=0120-123-456, after=35m} < 1%": "runbook[re-point 0120-123-456].takes=28m",
    },
    "default-caller-forgotten": {
        "asr{direction=out, after=30m} >= 99%": "traffic[0].retry.share=50%",
        "runbook_time{step=test a call out} <= 28m": "traffic[0].retry.share=50%",
    },
    "default-caller-changed": {
        "asr{direction=out, after=30m} >= 99%": "runbook[switch the softphones].takes=25m",
        "runbook_time{step=test a call out} <= 28m": "runbook[change the default caller number].takes=25m",
    },
    "published-03-only": {
        "caller_loss{after=30m} < 5%": "runbook[put the new number on the web site].does.reaches=30%",
        "failed_ratio{after=30m} < 1%": "runbook[put the new number on the web site].does.reaches=30%",
    },
    "published-03-behind-0120": {
        "caller_loss{after=30m} < 5%": "runbook[re-point 0120-123-456].takes=28m",
        "failed_ratio{after=30m} < 1%": "runbook[re-point 0120-123-456].takes=28m",
    },
    "published-03-forwarded": {
        "caller_loss{after=30m} < 5%": "runbook[start Voice Warp].takes=28m",
        "failed_ratio{after=30m} < 1%": "runbook[start Voice Warp].takes=28m",
        "blocked_ratio{after=30m} < 10%": "numbers.03-1234-5678.voice_warp.channels=8",
    },
    "campaign-ports-timely": {
        "blocked_ratio{limit=tenant} < 1%": "runbook[first part].fails=99%",
        "caller_loss < 1%": "runbook[first part].fails=99%",
        "time_to_grant <= 25m": "port_management.verified_after=25m",
    },
    "campaign-ports-late": {  # meant to fail: with a shorter night or review too
        "blocked_ratio{limit=tenant} < 1%": "ports.tenant=21",
        "caller_loss < 1%": "ports.tenant=21",
        "time_to_grant{step=all at once} <= 25m": "port_management.reviewed_after=1h",
        "time_to_grant{step=at least a part} <= 25m": "port_management.reviewed_after=1h",
    },
    "campaign-ports-refused": {  # meant to fail
        "blocked_ratio{limit=tenant} < 1%": "ports.tenant=21",
        "time_to_grant{step=by the supervisor} <= 10m": "port_management.verified_after=6m",
        "time_to_grant{step=a typing error} <= 10m": "port_management.verified_after=6m",
        "time_to_grant{step=outbound alone} <= 10m": "port_management.verified_after=6m",
        "time_to_grant{step=both in one} <= 10m": "port_management.verified_after=6m",
    },
}
"""For every expectation of every drill one change that makes it fail."""

FEW = 6
"""Runs enough to show that an expectation fails in most."""


def rehearsed(name: str, *changes: str, replications: int | None = None, workers: int = 1) -> Judged:
    drill = load(drills.find(name), changes).drill
    assert not rules.judge(drill, rules.check(drill)).errors
    runs = run_all(drill, seed=drill.run.seed, replications=replications or drill.run.replications, workers=workers)
    return judge(drill, runs.results.values(), engine="calls", seed=drill.run.seed)


def pairs() -> Iterator[tuple[str, str, str]]:
    for name, breaks in BREAKS.items():
        yield from ((name, expectation, change) for expectation, change in breaks.items())


def test_every_expectation_of_every_drill_has_a_change_that_breaks_it() -> None:
    written = {name: {each.text for each in load(drills.find(name)).drill.expect} for name, _ in drills.bundled()}
    assert written == {name: set(breaks) for name, breaks in BREAKS.items()}


@pytest.mark.parametrize("name", BREAKS)
def test_a_bundled_drill_has_no_findings_but_those_it_is_about(name: str) -> None:
    """A drill about a mistake that plan checks see waives what they say, with its reason; nothing else is left."""
    drill = load(drills.find(name)).drill
    judgement = rules.judge(drill, rules.check(drill))
    assert (judgement.errors, judgement.remarks) == ((), ())
    assert not judgement.waived or drill.expected_verdict is Verdict.FAILED


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_a_drill_comes_out_as_it_says(name: str) -> None:
    judged = rehearsed(name)
    assert judged.verdict is judged.drill.expected_verdict
    assert {each.verdict for each in judged.judgements} == {judged.drill.expected_verdict}
    assert not judged.missing_evidence
    for mistake in MISTAKES:  # run `python -m docs.mistakes` and take it over, if this is no longer so
        row = row_on(PAGE, mistake)
        if name == mistake.drill:
            assert (seen(judged, mistake.sees).shown, str(judged.verdict)) == (row.value, row.verdict)
        elif name == mistake.twin:
            assert (seen(judged, mistake.sees).shown, str(judged.verdict)) == (row.its_value, row.its_verdict)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "expectation", "change"), list(pairs()))
def test_an_expectation_fails_when_its_reason_is_taken_away(name: str, expectation: str, change: str) -> None:
    judged = rehearsed(name, change, replications=FEW)
    verdicts = {each.expectation.text: each.verdict for each in judged.judgements}
    assert verdicts[expectation] is Verdict.FAILED
    assert judged.verdict is Verdict.FAILED


@pytest.mark.slow
def test_the_metrics_do_not_depend_on_the_number_of_workers() -> None:
    alone, together = (rehearsed("tokyo-osaka-dr", replications=8, workers=workers) for workers in (1, 2))
    assert [summary.values for summary in alone.summaries] == [summary.values for summary in together.summaries]
    assert alone.metrics == together.metrics


def test_the_schema_that_drills_name_is_up_to_date() -> None:
    shipped = Path("scenarios/drill.schema.json").read_text(encoding="utf-8")
    assert shipped == schema_text(), "kirikae schema > scenarios/drill.schema.json"
