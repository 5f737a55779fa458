"""What is said of a ladder, wherever it is drawn."""

from typing import Final

from reports.ladder import Arrival, Kind, Ladder, Message, Silence
from reports.wording import duration_text
from scenarios.calendar import Clock
from scenarios.evidence import EventKind, JournalEntry, Outcome
from scenarios.text import Text, Translate

KINDS: Final = {
    Kind.DELAYED: Text("A call that came through late"),
    Kind.LOST: Text("A call that was lost"),
    Kind.REGISTRATION: Text("A registration"),
}
_OUTCOMES: Final = {
    Outcome.COMPLETED: Text("completed"),
    Outcome.BLOCKED: Text("blocked"),
    Outcome.FAILED: Text("failed"),
    Outcome.ABANDONED: Text("abandoned"),
    Outcome.DROPPED: Text("dropped"),
    Outcome.CLOSED: Text("closed"),
    Outcome.IN_PROGRESS: Text("in progress at the end of the run"),
}
_ARRIVALS: Final = {
    Arrival.UNHEARD: Text("nobody hears it"),
    Arrival.LOST: Text("lost on the way"),
}
_COPIES: Final = {2: Text("2nd copy"), 3: Text("3rd copy")}
_TEENS: Final = 20
"""Up to here English ordinals end in th, from 4 on."""


def title(ladder: Ladder, say: Translate) -> str:
    """Return what a ladder is of."""
    attempt = ladder.attempt
    if attempt is not None:
        return say(Text("attempt {attempt}, {number}", attempt=attempt.attempt, number=attempt.number or "–"))
    if ladder.address_of_record:
        return say(Text("registration of {phone}", phone=ladder.address_of_record))
    return say(Text("Call-ID {call_id}", call_id=ladder.call_ids[0]))


def facts(ladder: Ladder, say: Translate) -> list[str]:
    """Return what `calls.csv` says of the call, in a few words each; nothing of what is not there."""
    attempt = ladder.attempt
    if attempt is None:
        return []
    told = [say(Text("inbound")) if attempt.direction == "in" else say(Text("outbound"))]
    if attempt.tries > 1:
        told.append(say(Text("try {tries} of its caller", tries=attempt.tries)))
    if attempt.setup is not None:
        told.append(say(Text("set up after {setup} s", setup=f"{attempt.setup:.3f}")))
    outcome = say(_OUTCOMES[attempt.outcome])
    told.append(f"{outcome} ({attempt.reason})" if attempt.reason else outcome)
    return told


def label(message: Message) -> str:
    """Return what a message is, as SIP calls it: ``INVITE``, ``200 OK (BYE)``."""
    return f"{message.status} {message.reason} ({message.method})" if message.status else message.method


def copy_text(message: Message, say: Translate) -> str:
    """Return ``2nd copy`` … of a message that was sent again; nothing of others."""
    if message.copy == 1:
        return ""
    known = _COPIES.get(message.copy)
    if known is None:
        number = message.copy
        known = Text("{number}th copy", number=number) if number <= _TEENS else Text("copy {number}", number=number)
    return say(known)


def arrival_text(arrival: Arrival, say: Translate) -> str:
    """Return what became of a message that was not heard; nothing of others."""
    text = _ARRIVALS.get(arrival)
    return "" if text is None else say(text)


def way_text(ladder: Ladder, message: Message, say: Translate) -> str:
    """Return who sends a message to whom."""
    source, target = ladder.columns[message.source].name, ladder.columns[message.target].name
    return say(Text("from {source} to {target}", source=source, target=target))


def silence_text(silence: Silence, say: Translate) -> str:
    """Return how long nothing was sent, which is no silence for those who talk."""
    return say(Text("nothing for {duration}", duration=duration_text(silence.until - silence.since)))


def event_text(entry: JournalEntry, say: Translate) -> str:
    """Return what happened, in a few words."""
    about, detail = entry.subject, entry.detail
    match entry.kind:
        case EventKind.FAULT:
            text = Text(
                "fault {fault} ({target}: {fails})", fault=about, target=detail["target"], fails=detail["fails"]
            )
        case EventKind.REPAIRED:
            text = Text("{fault} is repaired", fault=about)
        case EventKind.NODE_LOST:
            text = Text("{node} is silent", node=detail["node"])
        case EventKind.DETECTED:
            text = Text("{pair}: noticed by {by}", pair=about, by=detail["by"])
        case EventKind.TAKEOVER:
            outage = duration_text(float(detail["outage"]))
            text = Text("{node} has taken over after {outage}", node=detail["node"], outage=outage)
        case EventKind.RESIGNED:
            text = Text("{node} gives the service up", node=detail["node"])
        case EventKind.ACTIVATED:
            text = Text("site {site} is in service", site=about)
        case EventKind.DEACTIVATED:
            text = Text("site {site} is out of service", site=about)
        case EventKind.REROUTED:
            text = Text("{number} leads to {to}", number=about, to=detail["to"])
        case _:
            raise ValueError(f"a ladder does not tell of {entry.kind}")
    return say(text)


def more_text(ladder: Ladder, say: Translate) -> str:
    """Return how many messages are not shown; nothing where all are."""
    return say(Text("and {count} more messages", count=f"{ladder.more:,}")) if ladder.more else ""


def since_text(ladder: Ladder, at: float) -> str:
    """Return the seconds since the first message."""
    return f"{at - ladder.begins:+.3f}"


def moment(clock: Clock | None, at: float) -> str:
    """Return what the clock on the wall shows, to the millisecond; without one, the seconds of the run."""
    return f"{at:.3f}" if clock is None else clock.at(round(at, 3)).time().isoformat("milliseconds")
