"""Where the engines model the same thing differently, and so may come out apart: a table, by metric."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Assumption:
    """One thing that each engine has in its own way."""

    about: str
    says: Mapping[str, str]
    """By engine: what it takes for granted."""
    metrics: tuple[str, ...]
    """What it moves first."""


_OUTCOMES = ("attempts", "answered", "failed", "delayed", "closed", "asr", "failed_ratio")

ASSUMPTIONS = (
    Assumption(
        "noticing a failure",
        {
            "calls": "the time is a formula: three adverts and the skew, or the probe's interval and time-out, counted "
            "from a phase that is drawn when the node fails",
            "packets": "adverts and probes are datagrams that are sent, cross a link and arrive or do not; the standby "
            "counts from the last one that it heard",
            "live": "two processes send each other adverts or probes, each when the system lets it; an outage is what "
            "probes every 20 ms see of it",
        },
        ("takeover_time", "time_to_detect"),
    ),
    Assumption(
        "time on the way",
        {
            "calls": "an INVITE and its answer take no time, unless a fault degrades the trunk",
            "packets": "every message takes 1 ms on every link, from the carrier to the phone and back",
            "live": "every message takes what the system and the processes on its way take; on a busy machine more",
        },
        (
            "setup_delay_p50",
            "setup_delay_p95",
            "setup_delay_p99",
            "setup_delay_max",
            "delayed",
            "asa",
            "service_level",
        ),
    ),
    Assumption(
        "retransmission",
        {
            "calls": "only a call's INVITE, and a REGISTER, are sent again; what follows them always arrives",
            "packets": "every request, and every 200 OK to an INVITE, is sent again until it is answered, by each "
            "element on the way for itself",
            "live": "as packets, and also where a process was too late to answer",
        },
        ("delayed", "setup_delay_p95", "setup_delay_p99", "setup_delay_max", "failed", "failed_ratio"),
    ),
    Assumption(
        "when ports are held",
        {
            "calls": "a call takes all its ports together, or none, when its INVITE meets a node that serves, and "
            "gives all back the moment it ends",
            "packets": "each limit is held by the one who enforces it, from the moment a call gets to it until its own "
            "leg is over: the carrier's channel from the first copy of the INVITE, though nobody may answer, and also "
            "for a call that is refused further on; a port of a node that has taken over until a copy of the BYE "
            "arrives, though people hung up before",
            "live": "as packets; of a node what it has reported",
        },
        ("blocked", "blocked_ratio", "ports_peak"),
    ),
    Assumption(
        "calls on a node that fails",
        {
            "calls": "what a pair keeps is known to both nodes at once; the ports of a node that dies are free at once",
            "packets": "the other node knows of a call what messages on the link between them have told it; who is cut "
            "off learns it from silence, a BYE or the session timer",
            "live": "as packets, but nobody hears silence: the carrier asks for each call a second after the outage, "
            "and 481 ends it",
        },
        ("dropped", "dropped_ratio"),
    ),
    Assumption(
        "what happens at the same moment",
        {
            "calls": "one call, agent or limit after the other, each knowing at once what became of the others",
            "packets": "messages cross: a CANCEL meets a 200, a caller hangs up while the phone rings or in the "
            "milliseconds before, a BYE is under way while the next call comes",
            "live": "messages cross, and differently in every run",
        },
        (*_OUTCOMES, "abandoned", "abandoned_ratio", "caller_loss", "asa", "service_level"),
    ),
    Assumption(
        "final responses",
        {
            "calls": "an attempt has the one response that its outcome stands for",
            "packets": "an attempt has the response that the carrier got, after each element on the way has passed it "
            "on or turned it into another",
            "live": "as packets",
        },
        ("ner", "ser", "seer", "isa"),
    ),
    Assumption(
        "registration",
        {
            "calls": "a REGISTER takes no time on the way, and who can be reached is known everywhere at once",
            "packets": "a REGISTER crosses the office's line and is sent again by Timer E; a phone is reached where "
            "the registrar last heard of it",
            "live": "as packets, on sockets",
        },
        ("softphones_least", "softphones_back", "registration_p95", "register_peak"),
    ),
    Assumption(
        "recovery",
        {
            "calls": "follows from the attempts answered, and so from all that decides about calls above",
            "packets": "follows from the attempts answered, and so from all that decides about calls above",
            "live": "follows from the attempts answered, and so from all that decides about calls above",
        },
        ("recovery_time", "outage_minutes"),
    ),
    Assumption(
        "replication",
        {
            "calls": "is nobody's message: what a site has follows from the clock and the steps of the runbook",
            "packets": "as calls; a registrar asks for it when a REGISTER arrives",
            "live": "as packets",
        },
        ("rpo", "data_lost", "unprotected"),
    ),
    Assumption(
        "tests and conditions of the runbook",
        {
            "calls": "a test call looks up in one moment whether a caller would be answered; a phone is registered in "
            "the moment in which it is switched",
            "packets": "a test call is a call: it takes ports, and may have to wait for an answer; a phone is "
            "registered when its REGISTER has arrived, and people look for it once a second",
            "live": "as packets",
        },
        ("runbook_time", "time_to_grant"),
    ),
)
"""The likelier cause of a metric first."""


def likely_causes(metric: str, engines: Collection[str]) -> list[Assumption]:
    """Return what may set two engines apart in a metric; nothing for two of the same, or where nothing is known."""
    if len(set(engines)) < 2:
        return []
    return [each for each in ASSUMPTIONS if metric in each.metrics and each.says.keys() >= set(engines)]
