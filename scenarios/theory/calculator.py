"""The closed forms as a calculator: which quantities a formula connects, and which of them the others give.

A formula is a table of ways: what is given, and what that gives. A set of quantities that is no way has too few or too
many of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from scenarios.theory import solve
from scenarios.theory.engset import engset
from scenarios.theory.erlang import MOST_LOAD, erlang_b, erlang_c, mean_wait, offered_load, ports_for, service_level
from scenarios.theory.erlang_a import answered_within, erlang_a
from scenarios.theory.extended_b import extended_erlang_b, ports_with_retries
from scenarios.theory.quantities import LISTS, MOST_VALUES, QUANTITIES, values
from scenarios.theory.solve import CannotBeMetError
from scenarios.units import UnitError

Found = dict[str, float]
"""Quantities by name: first the one that was asked for."""


class Way(NamedTuple):
    """What may be given, and what it gives."""

    needs: frozenset[str]
    extra: frozenset[str]
    """What may be given as well, and then gives more."""
    find: Callable[..., Found]
    bound: str
    """Whether the answer is so much `at least` or `at most`; empty where no goal is given."""


class Formula(NamedTuple):
    """A closed form with all its unknowns."""

    title: str
    assumes: str
    ways: tuple[Way, ...]
    load: str
    """What arrivals times holding time are, of the quantities."""
    example: str

    @property
    def quantities(self) -> tuple[str, ...]:
        """All that may be given."""
        known = frozenset[str]().union(*(way.needs | way.extra for way in self.ways))
        return tuple(name for name in QUANTITIES if name in known | {"arrivals", "holding"})


class Row(NamedTuple):
    """One question and its answer."""

    given: Mapping[str, float]
    found: Found
    """Empty where there is no answer."""
    bound: str
    reason: str
    """Why there is no answer."""


class Answer(NamedTuple):
    """What a formula says, once or for each combination of the values given."""

    formula: Formula
    varied: tuple[str, ...]
    """What more than one value is given for."""
    rows: tuple[Row, ...]


class QuestionError(ValueError):
    """Quantities that cannot be read, or that leave nothing or too much to find."""


def ask(formula: Formula, texts: Mapping[str, str]) -> Answer:
    """Return what a formula says of quantities as people write them, each one value, a list or a range.

    Raises :class:`QuestionError`. What cannot be met is a row with a reason.
    """
    given = {name: _values(name, text) for name, text in texts.items()}
    varied = tuple(name for name, found in given.items() if len(found) > 1)
    if len(varied) > 2:
        raise QuestionError(f"{_options(varied)}: a table has two dimensions at most")
    combinations = [dict(zip(given, chosen, strict=True)) for chosen in product(*given.values())]
    if len(combinations) > MOST_VALUES:
        raise QuestionError(f"{_options(varied)}: a table of more than {MOST_VALUES} rows")
    way, taken = _way(formula, frozenset(given))
    return Answer(formula, varied, tuple(_row(formula, way, taken, each) for each in combinations))


def _values(name: str, text: str) -> tuple[float, ...]:
    try:
        return values(name, text)
    except UnitError as error:
        more = "" if error.allowed == LISTS else f"; {LISTS}"
        raise QuestionError(f"--{name} {text}: {error} (allowed: {error.allowed}{more})") from error


def _row(formula: Formula, way: Way, taken: frozenset[str], given: Mapping[str, float]) -> Row:
    known, load = dict(given), formula.load
    if "arrivals" in given:
        known[load] = offered_load(given["arrivals"], given["holding"])
    try:
        if known.get(load, 0.0) > MOST_LOAD:
            raise QuestionError(f"more than {MOST_LOAD:.0f} erlang are offered")
        found = way.find(**{name: known[name] for name in taken})
    except CannotBeMetError as error:
        return Row(given, {}, way.bound, str(error))
    except ValueError as error:
        raise QuestionError(f"{_listed([f'--{name}' for name in given], 'and')}: {error}") from error
    offered = {load: known[load]} if "arrivals" in given else {}
    return Row(given, {**found, **offered}, way.bound, "")


def _way(formula: Formula, given: frozenset[str]) -> tuple[Way, frozenset[str]]:
    """Return what to do, and with which of the quantities."""
    names = given
    if "arrivals" in given:
        if formula.load in given:
            raise _wrong(formula, f"--arrivals and --{formula.load} both say what is offered: leave one out")
        if "holding" not in given:
            raise _wrong(formula, "--arrivals are a load only with --holding")
        names = given - {"arrivals"} | {formula.load}
        if not any("holding" in way.needs for way in formula.ways):
            names -= {"holding"}
    for way in formula.ways:
        if way.needs <= names <= way.needs | way.extra:
            return way, names
    raise _wrong(formula, _why_not(formula, names))


def _why_not(formula: Formula, names: frozenset[str]) -> str:
    """Return what is missing, where the nearest way has more, or that something is not needed."""
    missing = [way.needs - names for way in formula.ways if names < way.needs | way.extra and way.needs - names]
    if missing:
        fewest = min(map(len, missing))
        more = dict.fromkeys(_options(each, "and") for each in missing if len(each) == fewest)
        known = f"with {_options(names, 'and')} alone " if names else ""
        return f"{known}too much is unknown; add {', or '.join(more)}"
    return f"{_options(names, 'and')} leave nothing to find, or do not go together; leave one out"


def _wrong(formula: Formula, why: str) -> QuestionError:
    return QuestionError(f"{why} (quantities: {_options(formula.quantities)}; example: {formula.example})")


def _options(names: Iterable[str], last: str = ",") -> str:
    return _listed([f"--{name}" for name in QUANTITIES if name in set(names)], last)


def _listed(words: Iterable[str], last: str) -> str:
    *first, final = words
    return f"{', '.join(first)}{',' if last == ',' else f' {last}'} {final}" if first else final


def _w(needs: str, find: Callable[..., Found], bound: str = "", extra: str = "") -> Way:
    return Way(frozenset(needs.split()), frozenset(extra.split()), find, bound)


# Erlang B and extended Erlang B


def _b_load(ports: int, blocking: float, holding: float | None = None) -> Found:
    return _with_arrivals("load", solve.most_load(solve.blocks(blocking), ports), holding)


def _b_ports(load: float, blocking: float) -> Found:
    ports = ports_for(load, blocking)
    return {"ports": ports, "blocking": erlang_b(load, ports)}


def _extended(load: float, ports: int, retry: float) -> Found:
    found = extended_erlang_b(load, ports, retry)
    return {"blocking": found.blocking, "offered": found.load}


def _extended_load(ports: int, blocking: float, retry: float, holding: float | None = None) -> Found:
    return _with_arrivals("load", solve.load_with_retries(ports, blocking, retry), holding)


def _extended_ports(load: float, blocking: float, retry: float) -> Found:
    ports = ports_with_retries(load, blocking, retry)
    return {"ports": ports, **_extended(load, ports, retry)}


def _with_arrivals(name: str, load: float, holding: float | None) -> Found:
    """Return a load that was found and, where the holding time is known, the arrivals that make it."""
    return {name: load, "arrivals": load / holding} if holding else {name: load}


# Engset


def _engset(sources: int, ports: int, each: float) -> Found:
    found = engset(sources, ports, each)
    return {"blocking": found.call, "busy": found.time}


def _engset_ports(sources: int, each: float, blocking: float) -> Found:
    ports = solve.engset_ports(sources, each, blocking)
    return {"ports": ports, **_engset(sources, ports, each)}


def _engset_sources(ports: int, each: float, blocking: float) -> Found:
    sources = solve.engset_sources(ports, each, blocking)
    return {"sources": sources, **_engset(sources, ports, each)}


def _engset_each(sources: int, ports: int, blocking: float, holding: float | None = None) -> Found:
    return _with_arrivals("each", solve.engset_each(sources, ports, blocking), holding)


# Erlang C


def _c(load: float, agents: int, holding: float | None = None, within: float | None = None) -> Found:
    found = {"wait": erlang_c(load, agents)}
    if holding is not None:
        found["asa"] = mean_wait(load, agents, holding)
        if within is not None:
            found["level"] = service_level(load, agents, holding, within)
    return found


def _c_goal(known: Mapping[str, float]) -> solve.Goal:
    """Return what waits may be; :func:`_c_goals` says what is known for it."""
    if "wait" in known:
        return solve.waits(known["wait"])
    if "asa" in known:
        return solve.answers_after(known["asa"], known["holding"])
    return solve.answers(known["level"], known["within"], known["holding"])


def _c_agents(load: float, holding: float | None = None, within: float | None = None, **goal: float) -> Found:
    agents = solve.fewest(_c_goal(_known(holding=holding, within=within, **goal)), load)
    return {"agents": agents, **_c(load, agents, holding, within)}


def _c_load(agents: int, holding: float | None = None, within: float | None = None, **goal: float) -> Found:
    load = solve.most_load(_c_goal(_known(holding=holding, within=within, **goal)), agents)
    return {**_with_arrivals("load", load, holding), **_c(load, agents, holding, within)}


def _known(**amounts: float | None) -> dict[str, float]:
    return {name: amount for name, amount in amounts.items() if amount is not None}


def _c_ways() -> Iterator[Way]:
    yield _w("load agents", _c)
    yield _w("load agents holding", _c, extra="within")
    for goal, extra in (("wait", "holding within"), ("asa holding", "within"), ("level within holding", "")):
        yield _w(f"load {goal}", _c_agents, "at least", extra)
        yield _w(f"agents {goal}", _c_load, "at most", extra)
    yield _w("load agents asa", lambda **known: {"holding": solve.holding_for_asa(**known)}, "at most")
    yield _w("load agents level within", lambda **known: {"holding": solve.holding_for_level(**known)}, "at most")
    yield _w("load agents level holding", lambda **known: {"within": solve.target_time(**known)}, "at least")


# Erlang A


def _a(load: float, agents: int, holding: float, patience: float, within: float | None = None) -> Found:
    found = erlang_a(load, agents, _impatience(holding, patience))
    met = {"wait": found.wait, "abandon": found.abandon, "asa": found.abandon * patience}
    if within is not None:
        met["level"] = answered_within(load, agents, holding / patience, within / holding)
    return met


def _a_goal(holding: float, patience: float, known: Mapping[str, float]) -> solve.Goal:
    impatience = _impatience(holding, patience)
    if "wait" in known:
        return solve.impatient_wait(known["wait"], impatience)
    if "abandon" in known:
        return solve.abandons(known["abandon"], impatience)
    if "asa" in known:
        if known["asa"] >= patience:
            raise CannotBeMetError("nothing to find: nobody waits longer on average than their patience lasts")
        return solve.abandons(known["asa"] / patience, impatience)
    return solve.impatient_answers(known["level"], known["within"] / holding, impatience)


def _a_agents(load: float, holding: float, patience: float, within: float | None = None, **goal: float) -> Found:
    agents = solve.fewest(_a_goal(holding, patience, _known(within=within, **goal)), load)
    return {"agents": agents, **_a(load, agents, holding, patience, within)}


def _a_load(agents: int, holding: float, patience: float, within: float | None = None, **goal: float) -> Found:
    load = solve.most_load(_a_goal(holding, patience, _known(within=within, **goal)), agents)
    return {**_with_arrivals("load", load, holding), **_a(load, agents, holding, patience, within)}


def _a_patience(load: float, agents: int, holding: float, **goal: float) -> Found:
    if "wait" in goal:
        talks = solve.patience_for_wait(load, agents, goal["wait"])
    elif "abandon" in goal:
        talks = solve.patience_for_abandon(load, agents, goal["abandon"])
    else:
        talks = solve.patience_for_asa(load, agents, goal["asa"] / _above_zero(holding))
    return {"patience": talks * holding, **_a(load, agents, holding, talks * _above_zero(holding))}


def _impatience(holding: float, patience: float) -> float:
    return _above_zero(holding) / _above_zero(patience)


def _above_zero(seconds: float) -> float:
    if not seconds > 0:
        raise ValueError("holding time and patience must be above 0")
    return seconds


def _a_ways() -> Iterator[Way]:
    yield _w("load agents holding patience", _a, extra="within")
    for goal, extra in (("wait", "within"), ("abandon", "within"), ("asa", "within"), ("level within", "")):
        yield _w(f"load holding patience {goal}", _a_agents, "at least", extra)
        yield _w(f"agents holding patience {goal}", _a_load, "at most", extra)
    for goal, bound in (("wait", "at most"), ("abandon", "at least"), ("asa", "at most")):
        yield _w(f"load agents holding {goal}", _a_patience, bound)


FORMULAS: dict[str, Formula] = {
    "b": Formula(
        "Erlang B (1917)",
        "calls come at random and last any time; those refused do not come back",
        (
            _w("load ports", lambda load, ports: {"blocking": erlang_b(load, ports)}),
            _w("load blocking", _b_ports, "at least"),
            _w("ports blocking", _b_load, "at most", "holding"),
        ),
        "load",
        "kirikae erlang b --load 33.333 --blocking 1%",
    ),
    "c": Formula(
        "Erlang C (1917)",
        "calls come at random, talk times are exponential, all wait their turn and nobody gives up",
        tuple(_c_ways()),
        "load",
        "kirikae erlang c --load 10 --agents 14 --holding 180s --within 20s",
    ),
    "a": Formula(
        "Erlang A (Palm, 1946)",
        "as Erlang C, but callers give up after an exponential patience",
        tuple(_a_ways()),
        "load",
        "kirikae erlang a --load 50 --agents 50 --holding 3m --patience 3m",
    ),
    "engset": Formula(
        "Engset (1918)",
        "few sources, each calling at random when idle; those refused are idle again",
        (
            _w("sources ports each", _engset),
            _w("sources each blocking", _engset_ports, "at least"),
            _w("ports each blocking", _engset_sources, "at most"),
            _w("sources ports blocking", _engset_each, "at most", "holding"),
        ),
        "each",
        "kirikae erlang engset --sources 20 --ports 10 --each 0.5",
    ),
    "extended-b": Formula(
        "Extended Erlang B",
        "as Erlang B, but a share of the attempts refused is made again, as random as the first",
        (
            _w("load ports retry", _extended),
            _w("load blocking retry", _extended_ports, "at least"),
            _w("ports blocking retry", _extended_load, "at most", "holding"),
            _w("load ports blocking", lambda **known: {"retry": solve.retry_for(**known)}, "at most"),
        ),
        "load",
        "kirikae erlang extended-b --load 5.5 --blocking 3% --retry 50%",
    ),
}
"""By the name of the command."""
