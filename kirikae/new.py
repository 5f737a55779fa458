"""`kirikae new`: a few questions, and a commented drill that stands and runs."""

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import TypeAdapter, ValidationError

from kirikae.drills import SCHEMA_NAME, schema_text
from scenarios import fields, rules
from scenarios.loader import load_text
from scenarios.numberplan import NumberKind, parse_number
from scenarios.paths import exists
from scenarios.portplan import MOST_CONCURRENT
from scenarios.problems import did_you_mean, show
from scenarios.rules.load import OCCUPANCY
from scenarios.theory.erlang import ports_for
from scenarios.theory.erlang_a import erlang_a

Answers = dict[str, Any]
"""What was answered, by the name of the question: numbers as people write them, seconds, events per second."""

Objection = Callable[[Answers, Any], str | None]
"""Says what is wrong with an answer in view of those before, or nothing."""

PATIENCE = 60.0
"""Mean patience of callers in the templates, in seconds."""
ABANDONMENT = 0.01
"""Share of callers who may give up on an ordinary day, by Erlang A, with the agents of a new plan."""
OUTBOUND = 0.4
"""Erlang of the calls that agents place in the templates."""
FULL = 0.001
"""Share of callers for whom all ports may be taken, by Erlang B, with the ports of a new plan."""
BUSIEST = 10_000.0
"""Erlang of the largest plan that is written here."""
QUIETEST = 0.5
"""Erlang of the smallest; with less nothing could be said about shares of callers."""
_PLAIN = re.compile(r"[a-z][a-z0-9-]*")
_YAML_WORDS = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")


class NewError(ValueError):
    """No drill can be written; the message says why."""


def _nothing(_answers: Answers, _value: object) -> None:
    """No objection."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a new plan is about."""

    name: str
    """Also its option, with hyphens."""
    asks: str
    kind: TypeAdapter[Any]
    default: Callable[[Answers], str]
    objection: Objection = _nothing
    """What else an answer has to be."""

    @property
    def option(self) -> str:
        """The option that answers it."""
        return "--" + self.name.replace("_", "-")

    def read(self, text: str, answers: Answers) -> Any:
        """Return an answer as the language reads it; raises :class:`NewError`."""
        try:
            value = self.kind.validate_python(text)
        except ValidationError as error:
            found, context = error.errors()[0], error.errors()[0].get("ctx", {})
            allowed = f"; allowed {context['allowed']}" if "allowed" in context else ""
            raise NewError(f"{context.get('reason', found['msg'])} (found {show(text)}{allowed})") from None
        objection = self.objection(answers, value)
        if objection is not None:
            raise NewError(f"{objection} (found {show(text)})")
        return value


def _kind(field: Any) -> TypeAdapter[Any]:
    return TypeAdapter(field)


def _of_kinds(*kinds: NumberKind, begins: str = "", allowed: str) -> Objection:
    """Return an objection to numbers of other kinds."""

    def objection(_answers: Answers, number: str) -> str | None:
        fits = parse_number(number).kind in kinds and number.startswith(begins)
        return None if fits else f"{allowed} is needed here"

    return objection


def _another(than: str, and_then: Objection = _nothing) -> Objection:
    """Return an objection to the answer that another question has already."""

    def objection(answers: Answers, value: Any) -> str | None:
        return "that is taken already; another is needed" if value == answers[than] else and_then(answers, value)

    return objection


def _other(first: str, taken: str, second: str) -> str:
    return second if taken == first else first


def _load(answers: Answers) -> float:
    """Return the erlang of inbound calls."""
    return float(answers["calls"] * answers["talk"])


def _unwieldy(answers: Answers, talk: float) -> str | None:
    load = answers["calls"] * talk
    if not QUIETEST <= load <= BUSIEST:
        return f"calls of that length come to {load:.3g} erlang; plans are written for {QUIETEST:g} to {BUSIEST:g}"
    return None


def agents_for(load: float, talk: float) -> int:
    """Return so many agents that few callers give up, by Erlang A, and that each has a break, calls of their own
    included."""
    agents = math.floor((load + OUTBOUND) / OCCUPANCY) + 1
    while erlang_a(load, agents, talk / PATIENCE).abandon > ABANDONMENT:
        agents += max(1, agents // 100)
    return agents + 1


def _too_few(answers: Answers, agents: int) -> str | None:
    needed = agents_for(_load(answers), answers["talk"])
    return None if agents >= needed else f"with {_load(answers):.3g} erlang of calls, at least {needed} are needed"


def ports_needed(load: float) -> int:
    """Return so many ports that calls at work and in the queue rarely find none (Erlang B), with a tenth to spare."""
    return math.ceil(1.1 * ports_for(load, FULL)) + 2


def _campaign_unwieldy(answers: Answers, calls: float) -> str | None:
    load = calls * answers["talk"]
    if load <= _load(answers):
        return "a campaign brings more calls than an ordinary hour"
    needed = ports_needed(load)
    return (
        None if needed <= MOST_CONCURRENT else f"this needs {needed} ports; a tenant has {MOST_CONCURRENT} at most (P8)"
    )


def _campaign_agents(answers: Answers) -> int:
    return agents_for(float(answers["campaign"] * answers["talk"]), answers["talk"])


def _too_few_for_campaign(answers: Answers, agents: int) -> str | None:
    needed = _campaign_agents(answers)
    return None if agents >= needed else f"for the calls of the campaign at least {needed} are needed"


_FREE_DIAL = _of_kinds(NumberKind.FREE_DIAL, NumberKind.NAVI_DIAL, allowed="a 0120, 0800 or 0570 number")
_FIXED = _of_kinds(NumberKind.FIXED, allowed="a fixed-line number, such as 03-1234-5678,")
_OSAKA = _of_kinds(NumberKind.FIXED, begins="06", allowed="a 06 number of the DR site")

_TITLE = Question("title", "What happens, in one line", _kind(fields.Line), lambda _: "The contact centre fails over")
_PRIMARY = Question("primary", "Name of the primary site", _kind(fields.Name), lambda _: "tokyo")
_SECONDARY = Question(
    "secondary",
    "Name of the DR site",
    _kind(fields.Name),
    lambda given: _other("osaka", given["primary"], "dr"),
    _another("primary"),
)
_PUBLISHED = Question(
    "published", "The number that callers dial", _kind(fields.PhoneNumber), lambda _: "0120-123-456", _FREE_DIAL
)
_BEHIND = Question("behind", "The number behind it", _kind(fields.PhoneNumber), lambda _: "03-1234-5678", _FIXED)
_BEHIND_DR = Question(
    "behind_dr",
    "The number behind it on the DR site",
    _kind(fields.PhoneNumber),
    lambda given: _other("06-1234-5678", given["behind"], "06-1234-5679"),
    _another("behind", _OSAKA),
)
_CALLS = Question("calls", "Calls in a busy hour", _kind(fields.Rate), lambda _: "300/h")
_TALK = Question("talk", "How long people talk", _kind(fields.LongerThanZero), lambda _: "3m", _unwieldy)
_AGENTS = Question(
    "agents",
    "Agents on duty",
    _kind(fields.Count),
    lambda given: str(agents_for(_load(given), given["talk"])),
    _too_few,
)

_CAMPAIGN_TITLE = Question("title", _TITLE.asks, _TITLE.kind, lambda _: "Ports for a campaign are asked for in time")
_SITE = Question("primary", "Name of the site", _kind(fields.Name), lambda _: "tokyo")
_DIALLED = Question(
    "published",
    "The number that callers dial",
    _kind(fields.PhoneNumber),
    lambda _: "03-1234-5678",
    _of_kinds(NumberKind.FIXED, NumberKind.IP_PHONE, allowed="a fixed-line or 050 number"),
)
_CAMPAIGN = Question(
    "campaign",
    "Calls in the hour of the campaign",
    _kind(fields.Rate),
    lambda given: f"{math.ceil(3 * given['calls'] * 3600)}/h",
    _campaign_unwieldy,
)
_CAMPAIGN_AGENTS = Question(
    "agents", "Agents on duty", _kind(fields.Count), lambda given: str(_campaign_agents(given)), _too_few_for_campaign
)
_DAILY_LIMIT = Question(
    "daily_limit", "Growth of ports in a day that needs no review", _kind(fields.Count), lambda _: "50"
)

QUESTIONS: dict[str, tuple[Question, ...]] = {
    "biztel": (_TITLE, _PRIMARY, _SECONDARY, _PUBLISHED, _BEHIND, _BEHIND_DR, _CALLS, _TALK, _AGENTS),
    "cxone-ports": (_CAMPAIGN_TITLE, _SITE, _DIALLED, _CALLS, _TALK, _CAMPAIGN, _CAMPAIGN_AGENTS, _DAILY_LIMIT),
}
"""What is asked about a plan for each system, in order."""


def known(system: str) -> str:
    """Return the system that a drill can be written for; raises :class:`NewError`."""
    name = system.strip().casefold()
    if name not in QUESTIONS:
        raise NewError(f"there is no template for {system!r}{did_you_mean(system, QUESTIONS)} ({', '.join(QUESTIONS)})")
    return name


def answer(system: str, given: Mapping[str, str | None], *, ask: bool) -> tuple[Answers, dict[str, str]]:
    """Return what was answered about a plan: as read, and as written.

    ``given``: answers from options; others are asked for on the terminal, or take their default. Raises
    :class:`NewError` for options that are wrong, all at once, and for those that the system does not ask.
    """
    questions = QUESTIONS[system]
    names = [question.name for question in questions]
    problems = [
        f"--{name.replace('_', '-')}: this is not asked for {system}"
        for name, text in given.items()
        if text is not None and name not in names
    ]
    answers: Answers = {}
    written: dict[str, str] = {}
    for question in questions:
        text = given.get(question.name)
        default = question.default(answers)
        if text is None:
            text = _asked(question, default, answers) if ask else default
        try:
            answers[question.name], written[question.name] = question.read(text, answers), text
        except NewError as error:
            problems.append(f"{question.option}: {error}")
            answers[question.name], written[question.name] = question.kind.validate_python(default), default
    if problems:
        raise NewError("\n".join(problems))
    return answers, written


def _asked(question: Question, default: str, answers: Answers) -> str:
    """Ask until the answer can be used."""
    while True:
        text = str(typer.prompt(question.asks, default=default))
        try:
            question.read(text, answers)
        except NewError as error:
            typer.echo(f"  {error}")
        else:
            return text


def _derived(answers: Answers) -> dict[str, int]:
    """Return what follows from the answers."""
    if "campaign" not in answers:
        return {"channels": 2 * answers["agents"] + 10}
    ports, wanted = ports_needed(_load(answers)), ports_needed(answers["campaign"] * answers["talk"])
    return {"ports": ports, "wanted": max(wanted, ports + 1), "channels": 2 * wanted}


def text_of(system: str, answers: Answers, written: Mapping[str, str]) -> str:
    """Return a drill; raises :class:`NewError` if it would not stand."""
    as_said = {
        name: value if isinstance(value, str | int) else written[name].strip() for name, value in answers.items()
    }
    template = _environment().get_template(f"{system}.kirikae.yaml.j2")
    text = template.render(**as_said, **_derived(answers), schema=SCHEMA_NAME)
    drill = load_text(text, system).drill
    judged = rules.judge(drill, rules.check(drill))
    findings = [f"{finding.id}: {finding.message}" for finding in (*judged.errors, *judged.remarks)]
    if findings:
        raise NewError("with these answers the plan would not stand:\n" + "\n".join(findings))
    return text


def refuse_existing(out: Path, *, force: bool) -> None:
    """Raise :class:`NewError` for a file that is there, unless it is to be replaced; nobody is asked in vain."""
    if exists(out) and not force:
        raise NewError(f"{out}: this is there already; --force replaces it")


def write(text: str, out: Path, *, force: bool) -> Iterator[Path]:
    """Write a drill, and the schema that its editor hint names if that is not there; yields what was written.

    Raises an OSError if a file cannot be written.
    """
    with out.open("w" if force else "x", encoding="utf-8") as file:
        file.write(text)
    yield out
    schema = out.parent / SCHEMA_NAME
    if not schema.exists():
        schema.write_text(schema_text(), encoding="utf-8")
        yield schema


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("scenarios", "templates"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # YAML is written, and every text of the user's is quoted
    )
    environment.filters["quoted"] = _quoted
    return environment


def _quoted(text: str) -> str:
    """Return text as YAML reads it back."""
    return text if _PLAIN.fullmatch(text) and text not in _YAML_WORDS else json.dumps(text, ensure_ascii=False)


def on_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()
