"""Who takes part in a BIZTEL switch: what administrators may do, and what agents do with their phones."""

from collections.abc import Iterator
from functools import partial

from scenarios.distributions import Shape
from scenarios.model import Activate, DefaultCaller, Drill, Step, SwitchSoftphones
from scenarios.owners import works_for
from scenarios.problems import Severity
from scenarios.rules.order import Order
from scenarios.rules.packs.biztel_contract import stated
from scenarios.rules.rule import Check, Declaration, Path, Remark, Rule
from scenarios.text import Text

_rule = partial(Rule, system="biztel")

BUTTON = (3, 9)
"""The first version with a DR button."""
ADMINISTRATOR = "system-administrator"


def _switches(drill: Drill) -> Iterator[tuple[int, Step, SwitchSoftphones]]:
    for index, step in Order.of(drill).steps.items():
        if isinstance(step.does, SwitchSoftphones):
            yield index, step, step.does


def _activations(drill: Drill) -> Iterator[tuple[Path, Step]]:
    for index, step in enumerate(drill.runbook):
        if isinstance(step.does, Activate) and drill.sites[step.does.activate].role == "secondary":
            yield ("runbook", index, "by"), step


# The button


def _no_button(drill: Drill) -> Iterator[Remark]:
    for path, step in _activations(drill):
        if works_for(drill, step.by) == "customer":
            message = Text(
                "{by} cannot activate the DR site: there is no DR button before 3.9.0, and the vendor does it (Z30)",
                by=step.by,
            )
            yield Remark(path, message, Text("by: vendor, or an actor with 'works_for: vendor'"))


def _vendors_button(drill: Drill) -> Iterator[Remark]:
    for path, step in _activations(drill):
        if works_for(drill, step.by) != "customer":
            message = Text(
                "this waits for {by} to activate the DR site: from 3.9.0 on the customer presses the DR button (Z30)",
                by=step.by,
            )
            yield Remark(path, message, Text("an administrator of the customer"))


# Roles


def _default_caller_actors(drill: Drill) -> Iterator[tuple[int, str]]:
    """Yield who may come to change the default caller number, with the index of the step: actors and deputies."""
    for index, step in Order.of(drill).steps.items():
        if isinstance(step.does, DefaultCaller):
            name: str | None = step.by
            seen: dict[str, None] = {}
            while name is not None and name not in seen:
                seen[name] = None
                name = drill.actors[name].deputy if name in drill.actors else None
            yield from ((index, each) for each in seen)


def _without_role(drill: Drill) -> Iterator[Remark]:
    for index, name in _default_caller_actors(drill):
        may = drill.actors[name].may if name in drill.actors else None
        if may is not None and ADMINISTRATOR not in may:
            message = Text(
                "{name} is no system administrator, and nobody else can change the default caller number (Z33)",
                name=name,
            )
            yield Remark(
                ("runbook", index, "by"), message, Text("an actor who is, or no such step if the number works")
            )


def _role_unknown(drill: Drill) -> Iterator[Remark]:
    for index, name in _default_caller_actors(drill):
        if name not in drill.actors or drill.actors[name].may is None:
            message = Text(
                "changing the default caller number needs the role of system administrator, and nothing says that "
                "{name} has it (Z33)",
                name=name,
            )
            remedy = Text("actors: {{{name}: {{may: [system-administrator]}}}}", name=name)
            yield Remark(("runbook", index, "by"), message, remedy)


# Phones


def _automatic(drill: Drill) -> Iterator[Remark]:
    for name, group in drill.agents.items():
        if group.softphone.switch == "automatic" and len(group.softphone.sites) > 1:
            message = Text(
                "softphones of {name} switch by themselves here, but those of BIZTEL are switched one by one, by hand "
                "(Z34)",
                name=name,
            )
            yield Remark(("agents", name, "softphone", "switch"), message, Text("switch: by-hand, and a step"))


def _all_alike(drill: Drill) -> Iterator[Remark]:
    for index, step, does in _switches(drill):
        if step.takes.shape is Shape.CONSTANT and drill.agents[does.softphones].count > 1:
            message = Text(
                "all of {group} take the same time to switch; the last of them decides when the step is over (Z34)",
                group=does.softphones,
            )
            yield Remark(("runbook", index, "takes"), message, Text("a time that varies, as {example}",
                         example="{lognormal: {mean: 3m, cv: 0.7}}"))  # fmt: skip


def _nobody_slips(drill: Drill) -> Iterator[Remark]:
    steps = [(index, does) for index, _, does in _switches(drill)]
    if steps and not any(does.slips for _, does in steps):
        index = steps[0][0]
        message = Text("no agent ever clicks back to the lost site by mistake in this plan (Z35)")
        yield Remark(("runbook", index, "does", "slips"), message, Text("a share of those who do, as 'slips: 2%'"))


def _unprepared(drill: Drill) -> Iterator[Remark]:
    for index, _, does in _switches(drill):
        phone = drill.agents[does.softphones].softphone
        if phone.stays:
            message = Text(
                "hard phones of {group} stay where they are: nothing says that they were configured for {site} "
                "beforehand (Z25)",
                group=does.softphones,
                site=does.site,
            )
            remedy = Text(
                "'prepared: yes' in {path}, or a switch without them", path=f"agents.{does.softphones}.softphone"
            )
            yield Remark(("runbook", index, "does", "softphones"), message, remedy)


def _no_sign_in(drill: Drill) -> Iterator[Remark]:
    if not stated(drill).two_step_login:
        return
    for index, _, does in _switches(drill):
        if drill.sites[does.site].role == "secondary" and (does.login is None or not any(does.login.parameters)):
            message = Text(
                "with two-step login {group} verify anew at {site}, for which this step has no time: credentials are "
                "not replicated (Z46)",
                group=does.softphones,
                site=does.site,
            )
            yield Remark(("runbook", index, "does", "login"), message, Text("a time to sign in, as 'login: 1m'"))


def declared(drill: Drill) -> Iterator[Declaration]:
    """Yield roles and preparations that rules are content with."""
    for name in dict.fromkeys(name for _, name in _default_caller_actors(drill)):
        if name in drill.actors and ADMINISTRATOR in (drill.actors[name].may or ()):
            yield Declaration(("actors", name, "may"), ("Z33",), Text("{name} is a system administrator", name=name))
    moved = listed_groups(drill)
    for name in moved:
        if drill.agents[name].softphone.phone == "hard" and not drill.agents[name].softphone.stays:
            text = Text("hard phones of {group} were configured beforehand", group=name)
            yield Declaration(("agents", name, "softphone", "prepared"), ("Z25",), text)


def listed_groups(drill: Drill) -> list[str]:
    """Return the groups whose phones a step switches, each once."""
    return list(dict.fromkeys(does.softphones for _, _, does in _switches(drill)))


PEOPLE: dict[Rule, Check] = {
    _rule(
        "no-dr-button",
        Severity.ERROR,
        "Before 3.9.0 nobody at the customer can activate the DR site.",
        cites=("Z30",),
        before=BUTTON,
    ): _no_button,
    _rule(
        "vendor-presses-button",
        Severity.ERROR,
        "A plan that waits for the vendor waits in vain: the DR button is the customer's to press.",
        cites=("Z30",),
        since=BUTTON,
    ): _vendors_button,
    _rule(
        "no-system-administrator",
        Severity.ERROR,
        "Only a system administrator can change the default caller number.",
        cites=("Z33",),
    ): _without_role,
    _rule(
        "unstated-role",
        Severity.WARNING,
        "Who has which role is found out before the disaster, or in it.",
        cites=("Z33",),
    ): _role_unknown,
    _rule(
        "automatic-softphones",
        Severity.ERROR,
        "Every softphone is switched by hand on its own PC.",
        cites=("Z34",),
    ): _automatic,
    _rule(
        "all-agents-alike",
        Severity.NOTE,
        "People differ, and the slowest of many is much slower than the mean.",
        cites=("Z34",),
    ): _all_alike,
    _rule(
        "nobody-slips",
        Severity.NOTE,
        "The same button that switches a softphone switches it back.",
        cites=("Z35",),
    ): _nobody_slips,
    _rule(
        "unprepared-hard-phones",
        Severity.ERROR,
        "A hard phone knows only the sites that it has been configured for.",
        cites=("Z25",),
    ): _unprepared,
    _rule(
        "sign-in-forgotten",
        Severity.WARNING,
        "Two-step login costs every agent time at the switch.",
        cites=("Z46",),
    ): _no_sign_in,
}
"""Rules about people and their phones."""
