"""What may be dialled on a real system: never an emergency number, and elsewhere only what is allowed by name.

Real systems strip what stands in front of a number, and so does this: 184 and 186, carrier prefixes, the country code,
the digit for an outside line. In doubt a number is refused: a rehearsal loses a call, an emergency desk a minute.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import unquote

from scenarios.numberplan import NumberError, NumberInfo, NumberKind, parse_number

EMERGENCY = ("110", "118", "119")
"""Police, coast guard, fire and ambulance (J1)."""
PATTERNS = "a number such as 03-1234-5678, or the beginning of numbers such as '050-3123-*'"
LEAST_DIGITS = 6
"""Digits that the beginning of numbers must have; fewer would allow whole areas."""

_PREFIXES = r"18[46]|0091\d\d|002\d\d|00[13-8]\d|001"
_NUMBER = "|".join(EMERGENCY)
_ALONE = re.compile(rf"(?:00?|9)?(?:{_PREFIXES}|010|810?)*0?(?:{_NUMBER})")
_AT_ONCE = re.compile(rf"(?:{_PREFIXES})*(?:{_NUMBER})")
"""An exchange does not wait for more digits after these (J1)."""
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_LONGEST = 64
_SEPARATORS = re.compile(r"[\s().-]+")


class PatternError(ValueError):
    """What is no pattern of numbers; `allowed` says what could stand there."""

    def __init__(self, reason: str, allowed: str = PATTERNS) -> None:
        super().__init__(reason)
        self.reason = reason
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """Numbers that may be dialled: one, or all that begin alike."""

    digits: str
    """As dialled inside Japan; with + and the country code where it is foreign."""
    beginning: bool
    text: str
    """As it was written."""

    def covers(self, info: NumberInfo) -> bool:
        """Whether it allows a number, whatever stands in front of it."""
        digits = _key(info)
        return digits.startswith(self.digits) if self.beginning else digits == self.digits

    def __str__(self) -> str:
        return self.text


def parse_pattern(text: str) -> NumberPattern:
    """Read `03-1234-5678`, `+81 3-1234-5678` or `050-3123-*`; raises :class:`PatternError`."""
    written = unicodedata.normalize("NFKC", text).strip()
    if never_dialled(written):
        raise PatternError(f"{', '.join(EMERGENCY)} are never dialled in a rehearsal", PATTERNS)
    if not written.endswith("*"):
        try:
            return NumberPattern(_key(parse_number(written)), beginning=False, text=written)
        except NumberError as error:
            raise PatternError(f"{written!r} {error.reason}", error.allowed) from None
    digits = _SEPARATORS.sub("", written[:-1])
    digits = f"0{digits[3:]}" if digits.startswith("+81") else digits
    if not re.fullmatch(r"(?:0|\+[1-9])[0-9]*", digits, re.ASCII):
        raise PatternError(f"{written!r} is not the beginning of a number")
    if len(digits) < LEAST_DIGITS:
        raise PatternError(f"{written!r} allows too much", f"at least {LEAST_DIGITS} digits before the '*'")
    return NumberPattern(digits, beginning=True, text=written)


def never_dialled(text: str) -> bool:
    """Whether a number, or the user part of a SIP or tel URI, could reach an emergency desk.

    What is too long to be a number could hide anything, and counts as one.
    """
    text = _SCHEME.sub("", unquote(text).strip(), count=1)
    number = re.split("[@;]", text, maxsplit=1)[0]
    if len(number) > _LONGEST:
        return True
    digits = "".join(str(unicodedata.digit(char)) for char in unicodedata.normalize("NFKC", number) if _is_digit(char))
    return _ALONE.fullmatch(digits) is not None or _AT_ONCE.match(digits) is not None


def _is_digit(char: str) -> bool:
    return unicodedata.digit(char, None) is not None


def _key(info: NumberInfo) -> str:
    return f"+{info.digits}" if info.kind is NumberKind.FOREIGN else info.digits
