"""The Japanese number plan: what a telephone number is, how it is written, and where a plan may point it.

`phonenumbers` holds the metadata; `CORRECTIONS`, `FROM_ABROAD` and the stripping of prefixes put right what
it errs on (J2). Structure and lengths follow J1 and the telecommunications number plan of Japan's Ministry of
Internal Affairs and Communications (notice 6 of 2019). Ids in parentheses are those of the rule catalogue.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat as _Format
from phonenumbers import PhoneNumberType as _Type

Answer = Literal["yes", "no", "unknown"]


class NumberKind(StrEnum):
    """What a number is for, by the range it lies in."""

    FIXED = "fixed"
    FREE_DIAL = "free_dial"
    NAVI_DIAL = "navi_dial"
    MESSAGE_DIAL = "message_dial"
    MASS_CALL = "mass_call"
    PREMIUM = "premium"
    IP_PHONE = "ip_phone"
    MOBILE = "mobile"
    M2M = "m2m"
    PAGER = "pager"
    EMERGENCY = "emergency"
    SHORT_CODE = "short_code"
    CARRIER_PREFIXED = "carrier_prefixed"
    FOREIGN = "foreign"
    INVALID = "invalid"
    """In no range of the plan. `parse_number` raises instead of returning it."""


class NumberError(ValueError):
    """Text that is no number a plan can use: `reason` says why, `allowed` what would be right."""

    def __init__(self, reason: str, allowed: str) -> None:
        super().__init__(reason, allowed)
        self.reason = reason
        self.allowed = allowed

    def __str__(self) -> str:
        return f"{self.reason}; allowed: {self.allowed}"


class _Traits(NamedTuple):
    label: str
    emergency_calls: Answer
    no_voice_warp: str | None
    """Why Voice Warp cannot forward to it, or None where J3 names no obstacle."""


_SILENT = "J3 does not name this kind: ask the carrier"
_SHORT = "cannot forward to a three-digit number (J3)"

# Emergency calls are those placed from a number: a duty of fixed lines (J5) and, by the Ministry's plan, of
# mobiles. 050 often cannot (J5). Service numbers place no calls at all.
_TRAITS: Final = {
    NumberKind.FIXED: _Traits("fixed line (0AB-J)", "yes", None),
    NumberKind.FREE_DIAL: _Traits("free dial, paid by the called", "no", "cannot forward to Free Dial (J3)"),
    NumberKind.NAVI_DIAL: _Traits("navi dial, one number nationwide", "no", _SILENT),
    NumberKind.MESSAGE_DIAL: _Traits("message dial", "no", _SILENT),
    NumberKind.MASS_CALL: _Traits("mass-call announcement", "no", _SILENT),
    NumberKind.PREMIUM: _Traits("premium rate", "no", _SILENT),
    NumberKind.IP_PHONE: _Traits("IP phone", "unknown", None),
    NumberKind.MOBILE: _Traits("mobile", "yes", None),
    NumberKind.M2M: _Traits("machine to machine", "unknown", _SILENT),
    NumberKind.PAGER: _Traits("pager", "no", _SILENT),
    NumberKind.EMERGENCY: _Traits("emergency", "no", _SHORT),
    NumberKind.SHORT_CODE: _Traits("special short code (1XY)", "no", _SHORT),
    NumberKind.CARRIER_PREFIXED: _Traits("a carrier's own service (00XY)", "no", _SILENT),
    NumberKind.FOREIGN: _Traits("foreign", "unknown", "cannot forward to an international number (J3)"),
}

FROM_ABROAD: Final = frozenset({NumberKind.FIXED, NumberKind.IP_PHONE, NumberKind.MOBILE, NumberKind.FOREIGN})
"""J2: `phonenumbers` says that 0120 and 0570 can be dialled from abroad; no service number can."""


class Correction(NamedTuple):
    """A range that `phonenumbers` errs on (J2): its kind, and the sizes of its hyphenated groups."""

    range: re.Pattern[str]
    kind: NumberKind
    groups: tuple[int, ...] = ()


def _range(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


CORRECTIONS: Final = {
    "J2: a ten-digit 060 is no personal number": Correction(_range(r"060\d{7}"), NumberKind.INVALID),
    "J2: 118 is an emergency number": Correction(_range("118"), NumberKind.EMERGENCY, (3,)),
    "J2: 0170 is valid": Correction(_range(r"0170\d{6}"), NumberKind.MESSAGE_DIAL, (4, 3, 3)),
    "J2: 0180 is valid": Correction(_range(r"0180\d{6}"), NumberKind.MASS_CALL, (4, 3, 3)),
    "J2: a 14-digit 0200 is valid": Correction(_range(r"0200\d{10}"), NumberKind.M2M, (4, 5, 5)),
    "J2: an 11-digit 0200 is no pager": Correction(_range(r"0200\d{7}"), NumberKind.INVALID),
    "J2: an 11-digit 020 is no pager": Correction(_range(r"020[1-35-9]\d{7}"), NumberKind.M2M, (3, 4, 4)),
}
"""Ranges put right before the library is asked."""


class _Shape(NamedTuple):
    lead: str
    digits: int
    example: str


# For messages only, longest lead first (J1).
_SHAPES: Final = (
    _Shape("0120", 10, "0120-123-456"),
    _Shape("0800", 11, "0800-123-4567"),
    _Shape("0570", 10, "0570-012-345"),
    _Shape("0170", 10, "0170-123-456"),
    _Shape("0180", 10, "0180-123-456"),
    _Shape("0990", 10, "0990-123-456"),
    _Shape("0200", 14, "0200-12345-67890"),
    _Shape("020", 11, "020-1234-5678"),
    _Shape("050", 11, "050-3123-4567"),
    _Shape("060", 11, "060-1234-5678 (a ten-digit number of 06 goes on with 1 to 9)"),
    _Shape("070", 11, "070-1234-5678"),
    _Shape("080", 11, "080-1234-5678"),
    _Shape("090", 11, "090-1234-5678"),
    _Shape("0", 10, "03-1234-5678"),
)

_LIBRARY_KINDS: Final = {
    _Type.FIXED_LINE: NumberKind.FIXED,
    _Type.TOLL_FREE: NumberKind.FREE_DIAL,
    _Type.UAN: NumberKind.NAVI_DIAL,
    _Type.PREMIUM_RATE: NumberKind.PREMIUM,
    _Type.VOIP: NumberKind.IP_PHONE,
    _Type.MOBILE: NumberKind.MOBILE,
    _Type.PAGER: NumberKind.PAGER,
}

_LONGEST_TEXT: Final = 64
# Dashes that NFKC leaves alone, the long-vowel sign and the box-drawing line among them, and invisible marks.
_SEPARATORS: Final = re.compile(
    "[-\\s().\u2010\u2012-\u2015\u2212\u2500\u30fc\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]+"
)
_NUMBER: Final = re.compile(r"\+?[0-9]+")
_CALLER_ID: Final = re.compile(r"(18[46])(.+)")
_CARRIER: Final = re.compile(r"(0091\d\d|002\d\d|00[13-8]\d|001)(0[^0].*)")  # 00XY before a number with its 0
_NOT_FORWARDED: Final = frozenset({"001", "0033", "0081", "0086", "0070", "0077", "0088"})


@dataclass(frozen=True, slots=True)
class NumberInfo:
    """One number, recognised."""

    text: str
    """As written for people: national with hyphens, or international where it is foreign."""
    digits: str
    """Digits as dialled inside Japan; country code and number where it is foreign."""
    kind: NumberKind
    e164: str | None
    """With + and country code; None for 1XY, emergency and 00XY numbers, which never have one (J1)."""
    prefix: str | None = None
    """Dialled before it and no part of it: 184 or 186, a carrier prefix, or both with a hyphen between."""

    @property
    def area(self) -> str | None:
        """The place in English, where the number tells; the first use loads large tables (half a second)."""
        if self.e164 is None or self.kind not in (NumberKind.FIXED, NumberKind.FOREIGN):
            return None
        return _area(self.e164)

    @property
    def carrier_code(self) -> str | None:
        """The four digits after 050, which name the carrier (J1)."""
        return self.digits[3:7] if self.kind is NumberKind.IP_PHONE else None

    @property
    def dialable_from_abroad(self) -> bool:
        """Whether callers outside Japan reach it (J2)."""
        return self.kind in FROM_ABROAD

    @property
    def emergency_calls(self) -> Answer:
        """Whether 110, 118 and 119 can be called from it (J5)."""
        return _TRAITS[self.kind].emergency_calls

    @property
    def voice_warp_target(self) -> bool:
        """Whether a plan may forward to it by Voice Warp (J3); False also where J3 is silent."""
        return self._no_voice_warp() is None

    @property
    def voice_warp_reason(self) -> str:
        """Why Voice Warp may or may not forward to it."""
        allowed = "J3 names no obstacle; sign-up takes days, and contracted channels cap the calls (J3)"
        return self._no_voice_warp() or allowed

    @property
    def may_lead_to(self) -> tuple[str, ...]:
        """Where a plan may point it, or what may point to it, in sentences that cite their rules."""
        if self.kind is NumberKind.FIXED:
            return _FIXED_06 if self.digits.startswith("06") else _FIXED
        return _LEADS.get(self.kind, ())

    def _no_voice_warp(self) -> str | None:
        prefix = self.digits[:4] if self.kind is NumberKind.CARRIER_PREFIXED else self.prefix or ""
        carrier = next((part for part in prefix.split("-") if part.startswith("00")), None)
        if carrier is None:
            return _TRAITS[self.kind].no_voice_warp
        if carrier in _NOT_FORWARDED:
            return f"cannot forward to a number behind {carrier} (J3)"
        return f"J3 does not name the prefix {carrier}: ask the carrier"


_BEHIND_06 = "May be the number behind 0120, 0800 or 0570; on BIZTEL DR it is the advised choice (Z19)."
_BEHIND_03 = "May be the number behind 0120, 0800 or 0570; on BIZTEL DR a 06 number should be (Z19)."
_BEHIND_050 = "May be the number behind 0120, 0800 or 0570 only with Free Dial Intelligent Service (Z17)."
_IN_FRONT = "0120, 0800 or 0570 in front of it keeps the number callers know (Z18)."
_NEW_NUMBER = "Published on its own, it changes at failover and callers must be told the new number (Z20)."
_NOT_ON_DR = "Does not work on BIZTEL DR, which has 06 and 050 numbers of its own (Z16)."
_ONE_SITE = "Works only at the site it belongs to, though the other site's console lists it (Z15)."
_OWN_ON_DR = "Works on BIZTEL DR if it is one of the DR's own, from NTT Communications (Z16)."
_DIAL_IN = "As the number behind, it must be bound as dial-in in the console (Z21)."
_SERVICE = (
    "Leads to the number behind it; works on BIZTEL DR if it is from NTT Communications (Z16).",
    "On BIZTEL DR, the number behind it should be a 06 number (Z19).",
    "A 050 number may stand behind it only with Free Dial Intelligent Service (Z17).",
    "The number behind it must be bound as dial-in in the console (Z21).",
)
_FIXED = (_BEHIND_03, _NOT_ON_DR, _NEW_NUMBER, _IN_FRONT)
_FIXED_06 = (_BEHIND_06, _OWN_ON_DR, _ONE_SITE, _DIAL_IN, _IN_FRONT)
_LEADS: Final = {
    NumberKind.FREE_DIAL: _SERVICE,
    NumberKind.NAVI_DIAL: _SERVICE,
    NumberKind.IP_PHONE: (_BEHIND_050, _OWN_ON_DR, _ONE_SITE, _DIAL_IN, _NEW_NUMBER, _IN_FRONT),
    NumberKind.MOBILE: (_NOT_ON_DR,),
}


def parse_number(text: str) -> NumberInfo:
    """Recognise a number as people write it: any hyphens, spaces, parentheses or width; national or with +81.

    Raises NumberError where the text is no number of Japan's plan (J1) or of another country's.
    """
    return _parse_text(text)


def canonical(text: str) -> str:
    """Return the one spelling of a number, the key of `numbers:`, without 184, 186 or a carrier's prefix.

    Raises NumberError as `parse_number` does.
    """
    return _parse_text(text).text


def is_emergency(text: str) -> bool:
    """Whether a number is that of the police (110), the coast guard (118) or fire and ambulance (119).

    Raises NumberError as `parse_number` does.
    """
    return _parse_text(text).kind is NumberKind.EMERGENCY


def is_fixed_line(text: str) -> bool:
    """Whether a number is that of a fixed line (0AB-J), which has to carry emergency calls (J5).

    Raises NumberError as `parse_number` does.
    """
    return _parse_text(text).kind is NumberKind.FIXED


def is_service_number(text: str) -> bool:
    """Whether a number leads to one behind it: 0120, 0800 or 0570 (Z16).

    Raises NumberError as `parse_number` does.
    """
    return _parse_text(text).kind in (NumberKind.FREE_DIAL, NumberKind.NAVI_DIAL)


def is_ip_phone(text: str) -> bool:
    """Whether a number is a 050 number.

    Raises NumberError as `parse_number` does.
    """
    return _parse_text(text).kind is NumberKind.IP_PHONE


def may_stand_behind(number: str, service: str, behind: str) -> bool:
    """Whether a carrier leads calls to a number on to another: to 050 not from a plain 0120, 0800 or 0570 (Z17).

    ``service`` as :attr:`scenarios.model.Number.service`. Raises NumberError as `parse_number` does.
    """
    return not (service == "free-dial" and is_service_number(number) and is_ip_phone(behind))


def forwarding(number: str) -> str:
    """Return the name of the limit that Voice Warp has for a number: its contracted channels (J3)."""
    return f"{number} voice warp"


def describe(info: NumberInfo) -> list[tuple[str, str]]:
    """Return what is known of a number as rows of label and value, for people; absent facts have no row."""
    place = [("area", info.area), ("carrier code", info.carrier_code), ("dialled behind", info.prefix)]
    line = info.kind not in (NumberKind.EMERGENCY, NumberKind.SHORT_CODE)  # a number one can call from
    return [
        ("number", info.text),
        ("kind", _TRAITS[info.kind].label),
        ("E.164", info.e164 or "none (J1)"),
        *((label, value) for label, value in place if value is not None),
        ("from abroad", _yes(info.dialable_from_abroad)),
        *([("emergency calls from it", info.emergency_calls)] if line else []),
        ("Voice Warp to it", f"{_yes(info.voice_warp_target)}: {info.voice_warp_reason}"),
        *(("in a plan", sentence) for sentence in info.may_lead_to),
    ]


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


@lru_cache(maxsize=1 << 15)
def _parse_text(text: str) -> NumberInfo:
    return _parse(_bare(text))


def _bare(text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise NumberError(f"is {len(text)} characters long", "one telephone number")
    bare = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if _NUMBER.fullmatch(bare):
        return bare
    if not bare:
        raise NumberError("holds no digit", "a telephone number: 03-1234-5678")
    if bare[0] in "#*":
        reason = "is a # or * dial, a carrier's own short cut, and no forwarding target (J3)"
        raise NumberError(reason, "the number behind it")
    strange = "".join(dict.fromkeys(re.sub(r"[0-9+]", "", bare))) or "+"
    raise NumberError(f"has {strange!r} in it", "digits, hyphens, spaces, parentheses and one leading +")


def _parse(bare: str) -> NumberInfo:
    if bare.startswith("010"):  # Japan's international prefix
        return _parse("+" + bare[3:])
    if bare.startswith("+81"):
        return _japanese(bare[3:])
    if bare.startswith("+"):
        return _foreign(bare)
    if prefixed := _CALLER_ID.fullmatch(bare) or _CARRIER.fullmatch(bare):
        return _behind(prefixed[1], prefixed[2])
    if bare.startswith("00"):
        return _carrier_service(bare)
    if bare.startswith("0"):
        return _national(bare)
    return _short_code(bare)


def _behind(prefix: str, rest: str) -> NumberInfo:
    """J2: the library strips neither 184 and 186 nor carrier prefixes."""
    try:
        info = _parse(rest)
    except NumberError as error:
        raise NumberError(f"behind {prefix}, {error.reason}", error.allowed) from None
    return replace(info, prefix=f"{prefix}-{info.prefix}" if info.prefix else prefix)


def _japanese(behind_81: str) -> NumberInfo:
    if behind_81.startswith("00") or re.fullmatch(r"1\d\d", behind_81):
        raise NumberError(f"{behind_81} has no E.164 form (J1)", f"{behind_81}, dialled inside Japan")
    return _national(behind_81 if behind_81.startswith("0") else "0" + behind_81)


def _national(digits: str) -> NumberInfo:
    e164 = "+81" + digits[1:]
    if corrected := _correction(digits):
        if corrected.kind is NumberKind.INVALID:
            raise _no_national(digits)
        return NumberInfo(_hyphenate(digits, corrected.groups), digits, corrected.kind, e164)
    if not 10 <= len(digits) <= 11:
        raise _no_national(digits)
    # The digits are clean already: phonenumbers.parse would take several times as long to find that out.
    number = phonenumbers.PhoneNumber(country_code=81, national_number=int(digits[1:]))
    # Its type is unknown exactly where is_valid_number denies it; is_possible_number accepts too much (J2).
    kind = _LIBRARY_KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise _no_national(digits)
    return NumberInfo(phonenumbers.format_number(number, _Format.NATIONAL), digits, kind, e164)


def _correction(digits: str) -> Correction | None:
    return next((found for found in CORRECTIONS.values() if found.range.fullmatch(digits)), None)


def _hyphenate(digits: str, groups: tuple[int, ...]) -> str:
    rest = iter(digits)
    return "-".join("".join(islice(rest, size)) for size in groups)


def _no_national(digits: str) -> NumberError:
    shape = next(shape for shape in _SHAPES if digits.startswith(shape.lead))
    name = "fixed (0AB-J)" if shape.lead == "0" else shape.lead
    if len(digits) != shape.digits:
        wrong = "too short" if len(digits) < shape.digits else "too long"
        reason = f"is {wrong}: {name} numbers have {shape.digits} digits, this has {len(digits)} (J1)"
    elif shape.lead == "0":
        reason = f"begins with {digits[:4]}, which is no area code and no service (J1)"
    else:
        reason = f"goes on with {digits[len(shape.lead)]} after {shape.lead}, where no number does (J1)"
    return NumberError(reason, shape.example)


def _short_code(bare: str) -> NumberInfo:
    if bare in ("184", "186"):
        raise NumberError("is a caller-number prefix with no number behind it", f"{bare}-03-1234-5678")
    if not re.fullmatch(r"1\d\d", bare):
        raise _no_lead(bare)
    corrected = _correction(bare)
    kind = corrected.kind if corrected else NumberKind.SHORT_CODE
    if phonenumbers.is_emergency_number(bare, "JP"):
        kind = NumberKind.EMERGENCY
    return NumberInfo(bare, bare, kind, None)


def _no_lead(bare: str) -> NumberError:
    # Spreadsheets drop a leading 0 or + from what they take for a quantity.
    for lead in "0+":
        with suppress(NumberError):
            return NumberError(f"lacks its leading {lead}", f"perhaps {_parse(lead + bare).text}")
    reason = f"begins with neither 0 nor +, and with {len(bare)} digits is no short code (1XY)"
    return NumberError(reason, "0 and the area code first: 03-1234-5678")


def _carrier_service(bare: str) -> NumberInfo:
    with suppress(phonenumbers.NumberParseException):
        number = phonenumbers.parse(bare, "JP")
        text = phonenumbers.format_number(number, _Format.NATIONAL)
        # The library drops 0037-68 from some numbers, and then judges the rest.
        if phonenumbers.is_valid_number(number) and text.replace("-", "") == bare:
            return NumberInfo(text, bare, NumberKind.CARRIER_PREFIXED, None)
    raise NumberError(
        "begins with 00, but is neither a carrier prefix with a number behind it nor a carrier's own service",
        "00XY or 0091XY, then a whole number with its 0: 0033-03-1234-5678",
    )


def _foreign(bare: str) -> NumberInfo:
    try:
        number = phonenumbers.parse(bare)
    except phonenumbers.NumberParseException:
        reason = "begins with no country code, or is far too short or long"
        raise NumberError(reason, "+1 212-555-1234, or +81 for Japan") from None
    if not phonenumbers.is_valid_number(number):
        reason = f"is no valid number of country code +{number.country_code}"
        raise NumberError(reason, "a number in service there")
    e164 = phonenumbers.format_number(number, _Format.E164)
    text = phonenumbers.format_number(number, _Format.INTERNATIONAL)
    return NumberInfo(text, e164[1:], NumberKind.FOREIGN, e164)


@lru_cache(maxsize=1024)
def _area(e164: str) -> str | None:
    # Imported late: its tables take half a second to load, for a fact that few readers ask for.
    from phonenumbers import geocoder

    place = geocoder.description_for_number(phonenumbers.parse(e164), "en")
    if place in ("", "Japan"):  # what it answers where its tables name no place
        return None
    return ", ".join(dict.fromkeys(place.split(", ")))
