"""Fields of numbers, and of steps about them, that mean nothing where they stand."""

from collections.abc import Iterator

from scenarios.model import Announce, Drill, Forward, VerifyOut
from scenarios.numberplan import is_emergency, is_service_number
from scenarios.problems import Finding, Severity
from scenarios.text import Text


def number_fields(drill: Drill) -> Iterator[Finding]:
    """Yield an error for each of them."""
    for number, entry in drill.numbers.items():
        if "service" in entry.model_fields_set and not is_service_number(number):
            message = Text(
                "{number} is no 0120, 0800 or 0570, and has no number behind it by such a service", number=number
            )
            yield _not_applicable(("numbers", number, "service"), message, Text("no 'service'"))
        if entry.voice_warp is not None and entry.to is not None:
            message = Text("calls to {number} go on to {to} without Voice Warp", number=number, to=entry.to)
            yield _not_applicable(("numbers", number, "voice_warp"), message, Text("a number with a 'trunk'"))
    for index, step in enumerate(drill.runbook):
        path = ("runbook", index, "does", "to")
        match step.does:
            case Forward(forward=number, to=to) | Announce(announce=number, to=to) if number == to:
                message = Text("{number} leads to itself", number=number)
                yield _not_applicable(path, message, Text("another number"))
            case VerifyOut() as test if drill.called_by_test(test) is None:
                message = Text("nothing says whom the test calls: {group} places no calls", group=test.verify_out)
                yield _not_applicable(path[:-1], message, Text("'to': a phone of whoever tests"))
            case VerifyOut(to=to) if to is not None and is_emergency(to):
                message = Text("{number} is an emergency number, and is not called to test (J5)", number=to)
                yield _not_applicable(path, message, Text("a phone of whoever tests"))
            case _:
                pass


def _not_applicable(path: tuple[str | int, ...], message: str, remedy: str) -> Finding:
    return Finding("not-applicable", Severity.ERROR, path, message, remedy)
