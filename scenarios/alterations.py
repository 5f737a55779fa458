"""The same drill on another day: more calls or longer ones, or without what a closed form does not know."""

from collections.abc import Callable, Mapping

from scenarios.distributions import Arrivals
from scenarios.model import Drill, Traffic
from scenarios.shortening import longer


def scaled(drill: Drill, *, volume: float = 1.0, talk: float = 1.0) -> Drill:
    """Return a drill with so many times the callers of every stream, and conversations so many times as long."""
    return drill.model_copy(update={"traffic": [_stream(stream, volume, talk) for stream in drill.traffic]})


def _stream(stream: Traffic, volume: float, talk: float) -> Traffic:
    arrivals = Arrivals(tuple((at, rate * volume) for at, rate in stream.arrivals.steps))
    return stream.model_copy(update={"arrivals": arrivals, "talk": longer(stream.talk, talk)})


def _without_retries(drill: Drill) -> Drill:
    return _each(drill, {"retry": None})


def _without_surges(drill: Drill) -> Drill:
    return _each(drill, {"surge": None})


def _endlessly_patient(drill: Drill) -> Drill:
    return _each(drill, {"patience": None})


def _without_faults(drill: Drill) -> Drill:
    return _without_surges(drill).model_copy(update={"faults": [], "runbook": [], "changes": []})


def _without_menus(drill: Drill) -> Drill:
    queues = {name: queue.model_copy(update={"ivr": None}) for name, queue in drill.queues.items()}
    return drill.model_copy(update={"queues": queues})


def _at_the_peak(drill: Drill) -> Drill:
    traffic = [
        stream.model_copy(update={"arrivals": Arrivals(((0.0, stream.arrivals.peak),))}) for stream in drill.traffic
    ]
    return drill.model_copy(update={"traffic": traffic})


def _each(drill: Drill, update: Mapping[str, None]) -> Drill:
    return drill.model_copy(update={"traffic": [stream.model_copy(update=update) for stream in drill.traffic]})


_WITHOUT: Mapping[str, tuple[Callable[[Drill], bool], Callable[[Drill], Drill]]] = {
    "if nobody tried again": (lambda drill: any(each.retry for each in drill.traffic), _without_retries),
    "without the surge": (lambda drill: any(each.surge for each in drill.traffic), _without_surges),
    "if nothing failed": (lambda drill: bool(drill.faults), _without_faults),
    "if everybody waited for ever": (lambda drill: any(each.patience for each in drill.traffic), _endlessly_patient),
    "without announcements and menus": (
        lambda drill: any(queue.ivr is not None for queue in drill.queues.values()),
        _without_menus,
    ),
    "if the busiest hour lasted for ever": (
        lambda drill: not all(each.arrivals.constant for each in drill.traffic),
        _at_the_peak,
    ),
}
"""What sets a plan apart from what closed forms assume: whether it is there, and the drill without it."""


def ordinary(drill: Drill) -> dict[str, Drill]:
    """Return a drill without each of the things that closed forms do not know, of those that it has."""
    return {words: without(drill) for words, (has, without) in _WITHOUT.items() if has(drill)}
