"""Structure: no number in a circle, no part without use, no caller in front of agents who can never come (G14)."""

from collections.abc import Iterator

from scenarios.model import Announce, CallerNumbers, DefaultCaller, Drill, Forward, Reroute, Verify
from scenarios.problems import Severity
from scenarios.rules.plan import behind, circle, course, phone_sites, reached, redirected, ring, rings
from scenarios.rules.rule import Check, Path, Remark, Rule, listed
from scenarios.text import Text


def _loops(drill: Drill) -> Iterator[Remark]:
    leads_to = behind(drill)
    for members in rings(leads_to):
        message = Text("calls go round in a circle: {circle}; a SIP proxy answers 482 (G14)", circle=circle(members))
        yield Remark(("numbers", members[0], "to"), message, _OUT_OF_THE_CIRCLE)
    for index, step in course(drill).items():
        if (moved := redirected(step.does)) is not None:
            leads_to[moved[0]] = moved[1]
            if members := ring(leads_to, moved[0]):
                message = Text(
                    "this step closes a circle: {circle}; calls then end with 482 (G14)", circle=circle(members)
                )
                yield Remark(("runbook", index, "does", "to"), message, _OUT_OF_THE_CIRCLE)


_OUT_OF_THE_CIRCLE = Text("one of these numbers led to a number that has a trunk")


def _orphan_numbers(drill: Drill) -> Iterator[Remark]:
    used = _numbers_in_use(drill)
    orphans = [number for number in drill.numbers if number not in used]
    if orphans:
        message = Text("nobody dials or shows, and nothing leads to, {numbers} (G14)", numbers=listed(orphans))
        yield Remark(("numbers", orphans[0]), message, Text("traffic to it, or a plan without it"))


def _numbers_in_use(drill: Drill) -> set[str | None]:
    """Return the numbers that traffic, other numbers, terminals or steps name."""
    used: set[str | None] = {drill.default_caller}
    used |= {entry.to for entry in drill.numbers.values()}
    used |= {group.caller_number for group in drill.agents.values()}
    used |= {number for stream in drill.traffic for number in (stream.to, stream.shows)}
    if any(stream.emergency for stream in drill.traffic):
        used |= {line for site in drill.sites for line in drill.fixed_lines(site).values()}
    for step in drill.runbook:
        match step.does:
            case Reroute(to=number) | CallerNumbers(to=number) | DefaultCaller(default_caller=number):
                used.add(number)
            case Forward(to=number) | Announce(to=number):
                used.add(number)
            case Verify(verify=number):
                used.add(number)
            case _:
                pass
    return used


def _orphan_parts(drill: Drill) -> Iterator[Remark]:
    overflows = {queue.overflow.trunk for queue in drill.queues.values() if queue.overflow is not None}
    trunks = {trunk for entry in drill.numbers.values() for trunk in entry.trunks} | overflows
    pairs = {trunk.via for trunk in drill.trunks.values()}
    queues = {entry.queue for entry in drill.numbers.values()}
    answering = {
        group
        for name, queue in drill.queue_table().items()
        if name in queues
        for groups in (queue.agents, *(stage.agents for stage in queue.widen))
        for group in groups
    }
    working = {group.office for group in drill.agents.values()}
    working |= {place for console in drill.consoles.values() for place in console.places}
    used_at = {console for step in drill.runbook for console in step.consoles}
    calling = {stream.from_ for stream in drill.traffic}
    kept = {entry.open for entry in drill.numbers.values()} | {queue.open for queue in drill.queues.values()}
    kept |= {actor.hours for actor in drill.actors.values()}
    kept |= {calendar for group in drill.agents.values() for calendar in group.shifts}
    acting = {step.by for step in drill.runbook} | {actor.deputy for actor in drill.actors.values()}
    for section, names, used, message in (
        ("trunks", drill.trunks, trunks, Text("no number arrives by this trunk (G14)")),
        ("sbc_pairs", drill.sbc_pairs, pairs, Text("no trunk enters by this pair (G14)")),
        ("queues", drill.queues, queues, Text("no number leads to this queue (G14)")),
        ("calendars", drill.calendars, kept, Text("nothing keeps to this calendar")),
        ("actors", drill.actors, acting, Text("this actor takes no step, and stands in for nobody")),
        ("offices", drill.offices, working, Text("no group of agents works at this office (G1)")),
        ("consoles", drill.consoles, used_at, Text("no step is taken at this console")),
        (
            "agents",
            drill.agents,
            answering | calling,
            Text("this group answers no queue in use and places no calls (W39)"),
        ),
    ):
        for name in names:
            if name not in used:
                yield Remark((section, name), message, Text("something that uses it, or a plan without it"))


def _unstaffed_queues(drill: Drill) -> Iterator[Remark]:
    queues, sites = drill.queue_table(), phone_sites(drill)
    dialled = _numbers_dialled(drill)
    for number, entry in drill.numbers.items():
        if entry.queue is None or number not in dialled:
            continue
        groups = queues[entry.queue].agents
        there = {place for group in groups for place in sites[group]}
        for site in dict.fromkeys(drill.sbc_pairs[drill.trunks[trunk].via].site for trunk in entry.trunks):
            if site not in there:
                message = Text(
                    "callers would wait for ever in queue {queue!r} at {site}: "
                    "phones of {groups} are only ever at {sites} (W39)",
                    queue=entry.queue,
                    site=site,
                    groups=listed(groups),
                    sites=listed(sorted(there)),
                )
                remedy = Text(
                    "a step that switches softphones of {groups} to {site}, or another queue",
                    groups=listed(groups),
                    site=site,
                )
                yield Remark(("numbers", number, "queue"), message, remedy)


def _unskilled_groups(drill: Drill) -> Iterator[Remark]:
    for name, queue in drill.queues.items():
        stages: list[tuple[Path, list[str]]] = [(("agents",), queue.agents)]
        stages += [(("widen", index, "agents"), stage.agents) for index, stage in enumerate(queue.widen)]
        for path, groups in stages:
            for index, group in enumerate(groups):
                skills = drill.agents[group].skills
                lacking = [skill for skill, level in queue.skills.items() if skills.get(skill, 0) < level]
                if lacking:
                    message = Text(
                        "{group!r} never answers queue {queue!r}, which needs more of {skills} (W11)",
                        group=group,
                        queue=name,
                        skills=listed(lacking),
                    )
                    yield Remark(("queues", name, *path, index), message, Text("a group that has the skills"))


def _numbers_dialled(drill: Drill) -> set[str]:
    """Return the numbers that a caller or a test call can come to, at the start or after any step."""
    tested = {step.does.verify for step in drill.runbook if isinstance(step.does, Verify)}
    return reached(drill, {stream.to for stream in drill.traffic if stream.from_ is None} | tested)


def _changing_sources(drill: Drill) -> Iterator[Remark]:
    for index, stream in enumerate(drill.traffic):
        changes = _CHANGES.get((not stream.arrivals.constant, stream.surge is not None))
        if stream.sources is not None and changes is not None:
            message = Text(
                "{sources} sources have {changes}, and call at one rate as long as they are idle",
                sources=stream.sources,
                changes=changes,
            )
            remedy = Text("constant arrivals without a surge, or no sources")
            yield Remark(("traffic", index, "sources"), message, remedy)


_CHANGES = {
    (True, True): Text("a profile, a surge"),
    (True, False): Text("a profile"),
    (False, True): Text("a surge"),
}
"""What makes traffic change: whether it has a profile, and whether it has a surge."""


STRUCTURE: dict[Rule, Check] = {
    Rule(
        "routing-loop",
        Severity.ERROR,
        "Calls to numbers that lead to each other in a circle never arrive.",
        waivable=False,
        cites=("G14",),
    ): _loops,
    Rule(
        "orphan-number",
        Severity.WARNING,
        "A number that nothing uses is a number somebody forgot, in the plan or in the traffic.",
        cites=("G14",),
    ): _orphan_numbers,
    Rule(
        "orphan-part",
        Severity.WARNING,
        "A trunk, pair, queue, calendar, actor, office, group or console that nothing leads to adds nothing.",
        cites=("G1", "G14", "W39"),
    ): _orphan_parts,
    Rule(
        "unstaffed-queue",
        Severity.ERROR,
        "Agents answer at the site of their phone only, so callers elsewhere wait for ever.",
        cites=("W39",),
    ): _unstaffed_queues,
    Rule(
        "changing-sources",
        Severity.ERROR,
        "How often few sources call follows from how many of them are idle, and from nothing else.",
        waivable=False,
    ): _changing_sources,
    Rule(
        "unskilled-group",
        Severity.ERROR,
        "A group without the skills that a queue needs is in its list but never gets its calls.",
        cites=("W11",),
    ): _unskilled_groups,
}
"""Rules about numbers and the parts they lead to."""
