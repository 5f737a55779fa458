"""Rules about numbers in Japan, and what may stand behind which."""

from collections.abc import Iterator

from scenarios.model import Drill
from scenarios.numberplan import is_service_number
from scenarios.rules.packs.numbers_callers import CALLERS
from scenarios.rules.packs.numbers_carrier import CARRIER
from scenarios.rules.packs.numbers_plan import fails_over
from scenarios.rules.packs.numbers_sites import SITES
from scenarios.rules.rule import Check, Declaration, Declarations, Rule
from scenarios.text import Text

NUMBERS: dict[Rule, Check] = {**CARRIER, **SITES, **CALLERS}


def _declared(drill: Drill) -> Iterator[Declaration]:
    for number, entry in drill.numbers.items():
        if is_service_number(number) and entry.service == "free-dial-intelligent":
            text = Text("Free Dial Intelligent Service is contracted for {number}", number=number)
            yield Declaration(("numbers", number, "service"), ("Z17",), text)
        if entry.voice_warp is not None:
            text = Text("Voice Warp is contracted for {number}", number=number)
            yield Declaration(("numbers", number, "voice_warp"), ("J3", "Z23"), text)
        if is_service_number(number) and entry.service != "other" and fails_over(drill):
            text = Text("{number} is NTT Communications'", number=number)
            yield Declaration(("numbers", number), ("Z16",), text)


DECLARED: tuple[Declarations, ...] = (_declared,)
