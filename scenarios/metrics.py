"""The metric registry: every name that `expect` and `--target` may use, as data.

Who computes a metric is not said here: the fold in `reports` has one producer for each entry, and a test holds the two
together.
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """What a metric counts in, which decides how its bound is written."""

    SHARE = "share"
    """0 to 1, written as a percentage."""
    SECONDS = "seconds"
    """Written as a duration."""
    CALLS = "calls"
    PHONES = "softphones"
    CHANGES = "changes"
    """Written as a number."""
    PORTS = "ports"
    """Written as a number, or as a percentage of the limit."""
    RATE = "per second"
    """Written as a rate, such as `50/s`."""


class Combine(StrEnum):
    """How the values of several replications become one judgement."""

    INTERVAL = "interval"
    """Mean over replications with a t interval, which must lie on the right side of the bound."""
    RUNS = "runs"
    """Must hold in a share of the runs (95 % unless said otherwise), judged by a Wilson interval."""


class Better(StrEnum):
    """Which way a metric is better, all else being equal; what a comparison of two runs goes by."""

    LESS = "less"
    MORE = "more"
    NEITHER = "neither"
    """A load, or how much there was to do: good or bad by what came of it, which others say."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry: what it means, what narrows it down, how runs combine."""

    name: str
    unit: Unit
    combine: Combine
    definition: str
    better: Better
    selectors: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    """Selectors without which it has no meaning."""
    windows: bool = False
    """Whether `after` and `before` apply."""
    engines: tuple[str, ...] = ("calls", "packets", "live")
    """Those whose evidence it can be made of."""


_CALL = ("number", "direction", "trunk", "site", "queue")
_SERVICE = ("number", "queue", "site", "pair")
"""What narrows callers down who come in: a pair stands for the trunks that enter by it."""
_PAIR = ("pair", "site", "number")
"""What narrows pairs down: a number stands for those on its way, by any of its trunks, before and after the runbook."""


def _ratio(name: str, definition: str, *more: str, better: Better = Better.LESS) -> Metric:
    return Metric(name, Unit.SHARE, Combine.INTERVAL, definition, better, (*_CALL, *more), windows=True)


def _count(name: str, definition: str, *more: str, better: Better = Better.LESS) -> Metric:
    return Metric(name, Unit.CALLS, Combine.RUNS, definition, better, (*_CALL, *more), windows=True)


def _time(name: str, definition: str, *selectors: str, required: tuple[str, ...] = ()) -> Metric:
    return Metric(name, Unit.SECONDS, Combine.RUNS, definition, Better.LESS, selectors, required)


_ENTRIES = (
    _count("attempts", "Call attempts, retries included.", better=Better.NEITHER),
    _count("answered", "Attempts that somebody answered.", better=Better.MORE),
    _count("blocked", "Attempts refused by a limit.", "limit"),
    _count("failed", "Attempts that reached nobody: no route, nothing answering, caller number not usable."),
    _count("abandoned", "Attempts whose caller hung up while waiting."),
    _count(
        "closed",
        "Attempts outside the hours of a number or queue, whose callers heard so.",
        better=Better.NEITHER,
    ),
    _count("delayed", "Attempts delivered more than 0.4 s after dialling: the first INVITE met nobody."),
    _count(
        "dropped",
        "Calls cut off by a fault or a switch, those already up at the start of the run included. A cause is a pair, "
        "a node as in `edge/1`, a trunk or an office; `edge lost` and `edge resigned` tell the fault from the switch.",
        "cause",
    ),
    _ratio(
        "asr",
        "Answer-seizure ratio (ITU-T E.425): answered attempts over all attempts.",
        better=Better.MORE,
    ),
    _ratio("blocked_ratio", "Blocking: attempts refused by a limit over all attempts.", "limit"),
    _ratio("failed_ratio", "Attempts that reached nobody over all attempts."),
    _ratio(
        "ner",
        "Network effectiveness ratio (ITU-T E.425): attempts answered, busy (486, 600), absent (480), rejected (603) "
        "or given up while ringing, over all attempts with a final response. A full contract plays busy, and the "
        "carrier cannot tell: see `blocked_ratio`.",
        better=Better.MORE,
    ),
    _ratio(
        "ser",
        "Session establishment ratio (RFC 6076 §4.6): attempts that had a 200 OK, an announcement's included, over all "
        "attempts with a final response.",
        better=Better.MORE,
    ),
    _ratio(
        "seer",
        "Session establishment effectiveness ratio (RFC 6076 §4.7): attempts that had 200, 480, 486, 600 or 603 over "
        "all attempts with a final response.",
        better=Better.MORE,
    ),
    _ratio(
        "isa",
        "Ineffective session attempts (RFC 6076 §4.8): attempts that had 408, 500, 503 or 504 over all attempts with a "
        "final response.",
    ),
    _ratio(
        "dropped_ratio",
        "Calls cut off by a fault or a switch over all delivered calls, those already up at the start of the run "
        "included.",
        "cause",
    ),
    _ratio("abandoned_ratio", "Abandonment: attempts whose caller hung up while waiting over all attempts."),
    _ratio(
        "caller_loss",
        "Callers who never got through, or were cut off and did not get through again, over all callers; "
        "a caller is counted at the last attempt; those who heard that it is closed are left out.",
    ),
    Metric(
        "service_level",
        Unit.SHARE,
        Combine.INTERVAL,
        "Calls answered within the queue's `answer_within`, over all calls delivered to it.",
        Better.MORE,
        ("queue", "number"),
        windows=True,
    ),
    Metric(
        "asa",
        Unit.SECONDS,
        Combine.INTERVAL,
        "Average speed of answer: mean time from delivery to answer, of answered calls.",
        Better.LESS,
        ("queue", "number"),
        windows=True,
    ),
    *(
        Metric(
            f"setup_delay_p{percent}",
            Unit.SECONDS,
            Combine.RUNS,
            f"Time from dialling to delivery that {percent} % of delivered attempts stay within.",
            Better.LESS,
            _CALL,
            windows=True,
        )
        for percent in (50, 95, 99)
    ),
    Metric(
        "setup_delay_max",
        Unit.SECONDS,
        Combine.RUNS,
        "Longest time from dialling to delivery of all delivered attempts.",
        Better.LESS,
        _CALL,
        windows=True,
    ),
    Metric(
        "ports_peak",
        Unit.PORTS,
        Combine.RUNS,
        "Most calls at the same time against a limit: `tenant`, `outbound`, a trunk, a pair (its busiest node) "
        "or a number with a tap. Windows are kept to the 10 s between samples.",
        Better.NEITHER,
        ("limit",),
        required=("limit",),
        windows=True,
    ),
    _time(
        "takeover_time",
        "From the failure of a pair's active node until the other serves; the longest, if there were several.",
        *_PAIR,
    ),
    _time(
        "time_to_detect",
        "From the failure of a pair's serving node until the other, a probe or a call notices; the longest, if there "
        "were several. A node that works again before anybody noticed does not count.",
        *_PAIR,
    ),
    _time(
        "recovery_time",
        "From a fault until callers get through again and go on doing so, the longest of several: the first second "
        "from which, over 60 s and at least ten attempts, the share of attempts answered is at least 95 % of what it "
        "was before the first fault, and after which that of five minutes is never again below that by more than three "
        "standard errors until the next fault or the end of the run. 0 when it did not fall.",
        *_SERVICE,
    ),
    _time(
        "outage_minutes",
        "Time without service: 60 s for each whole minute of the run, counted from its start, in which at least one "
        "inbound attempt began and none of those that began in it was ever answered. Attempts still waiting at the end "
        "of the run, and those outside the hours of the number or queue, are left out. Of an owner, the part of it in "
        "which the plan waits for what that party is responsible for (G6).",
        *_SERVICE,
        "owner",
    ),
    Metric(
        "softphones_least",
        Unit.PHONES,
        Combine.RUNS,
        "Fewest softphones registered at a site that works, of the samples in the window; one is taken every 10 s, so "
        "that `after=20m, before=20m10s` asks for the number at 20 min.",
        Better.MORE,
        ("site",),
        required=("site",),
        windows=True,
    ),
    _time(
        "softphones_back",
        "From the first fault until 95 % of a group's phones are registered at a site that works, and stay so to the "
        "end of the run. A phone that somebody switches, and that is registered again within 0.4 s, was never away.",
        "agents",
        required=("agents",),
    ),
    _time(
        "registration_p95",
        "From the moment a phone loses its registration until it is registered again: the time that 95 % of losses "
        "stay within. softphones_back is about a group and the first fault; this is about each phone and its own loss.",
        "agents",
    ),
    Metric(
        "register_peak",
        Unit.RATE,
        Combine.RUNS,
        "Most REGISTERs, refreshes and refused ones included, that arrived at a site's registrar within one second.",
        Better.NEITHER,
        ("site",),
        required=("site",),
    ),
    _time(
        "runbook_time",
        "From the first fault, or the end of the step `since`, until the last step, or the one named `step`, is "
        "finished; never where one of them is not.",
        "step",
        "since",
    ),
    _time(
        "time_to_grant",
        "From the moment somebody sets about a request for ports until it is granted, tries while another is pending "
        "included; the longest of several, or that of one `step`; never where one is rejected, or open at the end.",
        "step",
    ),
    _time(
        "rpo",
        "Recovery point: how old the data are with which the site that gets replicas enters service. From the moment "
        "whose data it has loaded until it enters service, or until the site that they come from was lost, if it "
        "still is; what is excluded from replication counts from the start of the run. The oldest of all classes of "
        "data, or that of one; the longest, if the site enters service several times.",
        "data",
    ),
    Metric(
        "data_lost",
        Unit.CHANGES,
        Combine.RUNS,
        "Changes that the site which gets replicas does not have when it enters service, and those made there alone "
        "that a resync overwrites; of all classes of data, or of one. What calls write by themselves, such as "
        "histories and recordings, is not counted: there `rpo` tells the gap.",
        Better.LESS,
        ("data",),
    ),
    _time(
        "unprotected",
        "Time in which nothing is replicated: from each moment at which replication stops, by the activation of the "
        "other site or by a change made there, until it is resumed, or until the end of the run; added up.",
    ),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ENTRIES}
"""All metrics by name."""
