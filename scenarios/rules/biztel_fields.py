"""What the fields about BIZTEL mean together with others."""

from collections.abc import Iterator

from scenarios.model import Drill
from scenarios.problems import Finding, Severity
from scenarios.rules.rule import Path
from scenarios.systems import System
from scenarios.text import Text


def biztel_fields(drill: Drill) -> Iterator[Finding]:
    """Yield what is said for another system, or for phones that it is not about."""
    system = System.of(drill)
    if drill.biztel is not None and (system is None or system.name != "biztel"):
        message: Text = Text("this says what is so about BIZTEL, but the plan names no system")
        if system is not None:
            message = Text("this says what is so about BIZTEL, but the plan is for {name!r}", name=system.name)
        yield _error(("biztel",), message, "system: biztel-3.9")
    for name, group in drill.agents.items():
        if group.softphone.phone == "soft" and "prepared" in group.softphone.model_fields_set:
            message = Text("a program on a PC knows its sites without having been prepared")
            yield _error(("agents", name, "softphone", "prepared"), message, "phone: hard")


def _error(path: Path, message: Text, remedy: str) -> Finding:
    return Finding("not-applicable", Severity.ERROR, path, message, remedy)
