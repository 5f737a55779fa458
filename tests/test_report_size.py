"""How large a report becomes: plotly's library, and little for each replication."""

from benchmarks.report_page import MOST_BYTES, REPLICATIONS
from reports.html import plotly, report_text
from reports.judge import judge
from reports.origin import Origin
from tests.made_evidence import drill, rehearsal


def test_a_report_of_a_hundred_replications_is_mostly_the_library_that_draws() -> None:
    plan = drill(expect=["asr > 50%", "recovery_time <= 30m", "ports_peak{limit=tenant} < 80%"])
    runs = [rehearsal(plan, seed) for seed in range(REPLICATIONS)]
    size = len(report_text(judge(plan, runs, engine="calls", seed=7), Origin("plan.yaml")).encode())
    alone = len(report_text(judge(plan, runs[:1], engine="calls", seed=7), Origin("plan.yaml")).encode())
    assert size < MOST_BYTES
    assert size - len(plotly().encode()) < MOST_BYTES / 10
    assert size - alone < 100 * REPLICATIONS, "bytes of a replication"
