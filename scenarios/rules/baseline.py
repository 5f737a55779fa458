"""The day before the fault: every number that is dialled has somebody behind it, every caller number works."""

from collections.abc import Iterator

from scenarios.model import Drill, Traffic
from scenarios.problems import Severity
from scenarios.rules.plan import Landing, behind, emergency_landing, land, moments, phone_sites, rates
from scenarios.rules.rule import Check, Path, Remark, Rule
from scenarios.text import Text


def landing_before(drill: Drill, stream: Traffic) -> Landing | None:
    """Return where calls of a stream pass before any step, outbound ones by the number they show; None for nowhere."""
    if stream.emergency:
        return emergency_landing(drill, home(drill, stream.from_ or ""))
    number = stream.to if stream.from_ is None else shown_before(drill, stream)
    return None if number is None else land(drill, behind(drill), number)


def shown_before(drill: Drill, stream: Traffic) -> str | None:
    """Return the number that an outbound stream shows before any step."""
    match stream.shows:
        case "default" | None:
            return drill.default_caller
        case "terminal":
            return drill.agents[stream.from_ or ""].caller_number
        case number:
            return number


def team_before(drill: Drill, queue: str, site: str) -> frozenset[str]:
    """Return the groups of a queue whose phones start at a site."""
    return frozenset(group for group in drill.queue_table()[queue].agents if home(drill, group) == site)


def home(drill: Drill, group: str) -> str:
    """Return the site at which the phones of a group start."""
    return drill.agents[group].softphone.sites[0]


def in_service(drill: Drill, site: str) -> bool:
    """Whether a site takes calls before any step."""
    return drill.sites[site].role == "primary"


def _busy(drill: Drill, stream: Traffic) -> bool:
    """Whether calls of a stream are placed before anything has failed."""
    end = min((fault.at for fault in drill.faults), default=drill.run.lasts)
    if end == 0 and not drill.run.warm:
        return False
    return any(rates(drill, stream, moments(drill, end)))


def _unreachable(drill: Drill) -> Iterator[Remark]:
    for index, stream in enumerate(drill.traffic):
        landing = landing_before(drill, stream)
        if stream.from_ is not None or landing is None or not _busy(drill, stream):
            continue
        path, site, queue = ("traffic", index, "to"), landing.site, landing.queue
        if not in_service(drill, site):
            message = Text(
                "{dialled} leads to {number} at {site}, which refuses calls until it is activated (Z14)",
                dialled=stream.to,
                number=landing.way[-1],
                site=site,
            )
            yield Remark(path, message, Text("a number that leads to a primary site"))
        elif queue is not None and not team_before(drill, queue, site):
            message = Text(
                "nobody answers {dialled} before the fault: calls wait in queue {queue!r} at {site}, "
                "where no phone of its groups starts (W39)",
                dialled=stream.to,
                queue=queue,
                site=site,
            )
            yield Remark(path, message, Text("a group whose softphone.sites begin with {site}", site=site))


def _no_caller_number(drill: Drill) -> Iterator[Remark]:
    for index, stream in enumerate(drill.traffic):
        if stream.from_ is None or stream.emergency or shown_before(drill, stream) is not None:
            continue
        path: Path = ("default_caller",)
        message = Text("calls of traffic[{index}] fail: there is no default caller number (Z32)", index=index)
        if stream.shows == "terminal":
            path = ("agents", stream.from_, "caller_number")
            message = Text(
                "calls of traffic[{index}] fail: the terminals of {group} have no caller number (Z37)",
                index=index,
                group=stream.from_,
            )
        yield Remark(path, message, Text("a number that works at {site}", site=home(drill, stream.from_)))


def _unusable_caller_number(drill: Drill) -> Iterator[Remark]:
    for index, stream in enumerate(drill.traffic):
        landing = landing_before(drill, stream)
        if stream.from_ is None or landing is None or not _busy(drill, stream):
            continue
        group, site = stream.from_, home(drill, stream.from_)
        number = landing.way[0]
        if not in_service(drill, site):
            message = Text(
                "{group} cannot place calls before the fault: they start at {site}, not in service yet (Z14)",
                group=group,
                site=site,
            )
            yield Remark(("traffic", index, "from"), message, Text("a group that starts at a primary site"))
        elif landing.site != site:
            message = Text(
                "calls fail before the fault: {group} start at {site} and show {number}, "
                "which works at {elsewhere} only (Z15)",
                group=group,
                site=site,
                number=number,
                elsewhere=landing.site,
            )
            path = ("traffic", index, "from" if stream.shows is None else "shows")
            yield Remark(path, message, Text("a number that works at {site}", site=site))


def _no_fixed_line(drill: Drill) -> Iterator[Remark]:
    sites = phone_sites(drill)
    for index, stream in enumerate(drill.traffic):
        if not stream.emergency:
            continue
        for site in drill.sites:
            if site in sites[stream.from_ or ""] and not drill.fixed_lines(site):
                message = Text(
                    "calls to {number} fail from {site}, where phones of {group} come to be: "
                    "no fixed-line number has a trunk by a pair there, and 050 often cannot carry them (J5)",
                    number=stream.to,
                    site=site,
                    group=stream.from_,
                )
                remedy = Text("a fixed-line (0AB-J) number with a trunk via a pair at {site}", site=site)
                yield Remark(("traffic", index, "to"), message, remedy)


BASELINE: dict[Rule, Check] = {
    Rule(
        "unreachable-baseline",
        Severity.ERROR,
        "Callers who reach nobody before the fault have nothing to lose by it.",
        cites=("Z14", "W39"),
    ): _unreachable,
    Rule(
        "no-caller-number",
        Severity.ERROR,
        "An outbound call without a caller number fails.",
        cites=("Z32", "Z37"),
    ): _no_caller_number,
    Rule(
        "unusable-caller-number",
        Severity.ERROR,
        "An outbound call fails where its caller number belongs to another site.",
        cites=("Z14", "Z15"),
    ): _unusable_caller_number,
    Rule(
        "no-emergency-line",
        Severity.WARNING,
        "Emergency calls leave by a fixed line at the caller's own site.",
        cites=("J5",),
    ): _no_fixed_line,
}
"""Rules about who gets through before anything has failed."""
