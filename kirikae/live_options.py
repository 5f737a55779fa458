"""Options of a live run: what it is aimed at, and what it may do there."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from kirikae.options import OptionError
from sbc.decisions.dialling import PatternError, parse_pattern
from sbc.decisions.permission import Permission, refusals
from scenarios.addresses import ADDRESSES, Address, AddressError, parse_address
from scenarios.model import Drill, Side, Target
from scenarios.problems import did_you_mean
from scenarios.units import UnitError, parse_rate

Parsed = TypeVar("Parsed")


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the command line asks of a live run, as it was written."""

    targets: Sequence[str] = ()
    allow_targets: Sequence[str] = ()
    allow_numbers: Sequence[str] = ()
    allow_exec: bool = False
    max_rate: str | None = None

    @property
    def given(self) -> list[str]:
        """The options that are on the command line."""
        found = {
            "--target": self.targets,
            "--allow-target": self.allow_targets,
            "--allow-number": self.allow_numbers,
            "--allow-exec": self.allow_exec,
            "--max-rate": self.max_rate,
        }
        return [option for option, value in found.items() if value]


def permission(options: LiveOptions) -> Permission:
    """Return what is allowed; raises :class:`~kirikae.options.OptionError` with all that cannot be read."""
    wrong: list[str] = []
    networks = _each("--allow-target", options.allow_targets, _network, wrong)
    numbers = _each("--allow-number", options.allow_numbers, parse_pattern, wrong)
    rates = _each("--max-rate", () if options.max_rate is None else (options.max_rate,), _rate, wrong)
    if wrong:
        raise OptionError("\n".join(wrong))
    return Permission(tuple(networks), tuple(numbers), rates[0] if rates else None, options.allow_exec)


def aimed(drill: Drill, targets: Sequence[str]) -> Drill:
    """Return a drill with the targets of the command line; what it says else of such a pair stays as it is.

    The plan has to be checked afterwards. Raises :class:`~kirikae.options.OptionError`.
    """
    wrong: list[str] = []
    found = dict[str, Target]()
    for pair, address in _each("--target", targets, lambda text: _target(text, drill), wrong):
        if pair in found:
            wrong.append(f"--target {pair}=…: stands twice (allowed: each pair once)")
        before = drill.targets.get(pair)
        outside = Side(send_to=address) if before is None else before.outside.model_copy(update={"send_to": address})
        found[pair] = Target(outside=outside) if before is None else before.model_copy(update={"outside": outside})
    if wrong:
        raise OptionError("\n".join(wrong))
    return drill.model_copy(update={"targets": {**drill.targets, **found}})


def see_that_it_may_begin(drill: Drill, allowed: Permission) -> None:
    """Raise :class:`~kirikae.options.OptionError` with every reason why a shortened drill may not be played."""
    reasons = refusals(drill, allowed)
    if reasons:
        raise OptionError("\n".join([*reasons, "Nothing was sent."]))


def _each(option: str, texts: Sequence[str], read: Callable[[str], Parsed], wrong: list[str]) -> list[Parsed]:
    """Read the values of an option, and collect what is wrong with those that cannot be read."""
    found = []
    for text in texts:
        try:
            found.append(read(text))
        except (AddressError, PatternError, UnitError) as error:
            wrong.append(f"{option} {text}: {error.reason} (allowed: {error.allowed})")
    return found


def _target(text: str, drill: Drill) -> tuple[str, Address]:
    name, equals, address = text.partition("=")
    if not equals:
        raise AddressError("this is not PAIR=ADDRESS", f"a pair, '=' and {ADDRESSES}")
    pair = unicodedata.normalize("NFKC", name).strip()
    if pair not in drill.sbc_pairs:
        known = ", ".join(drill.sbc_pairs)
        raise AddressError(f"no SBC pair is called {pair!r}{did_you_mean(pair, drill.sbc_pairs)}", known)
    return pair, parse_address(address)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError:
        raise AddressError("this is no network", "an address and the bits of its network: 192.0.2.0/28") from None
    if network.prefixlen == 0:
        raise AddressError("this is every address there is", "the network that the target is in")
    if str(network.network_address) != text.strip().partition("/")[0].strip():
        both = f"{network}, or {text.strip().partition('/')[0]}/{network.max_prefixlen} for this address alone"
        raise AddressError("this is an address within a network", both)
    return network


def _rate(text: str) -> float:
    rate = parse_rate(text)
    if rate == 0:
        raise UnitError("no call could ever be placed", "a rate above 0")
    return rate
