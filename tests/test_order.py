"""Which steps are surely over when others begin: by what they wait for, and by whose hands they are in."""

from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.evidence import EventKind
from scenarios.rules.order import Order
from tests.drills import played
from tests.made_plans import ACTIVATE, FREE_DIAL, LOST, OSAKA, REROUTE, SWITCH, TOKYO, plan, step


def before(*runbook: dict[str, object], **changes: object) -> dict[str, set[str]]:
    """Return what is surely over when each step of a runbook begins."""
    return {name: set(over) for name, over in Order.of(plan(runbook=list(runbook), **changes)).before.items()}


def test_what_a_step_waits_for_is_over_and_so_is_what_that_waits_for() -> None:
    assert before(ACTIVATE, SWITCH, REROUTE) == {
        "activate": set(),
        "switch": {"activate"},
        "re-point": {"activate", "switch"},
    }


def test_one_actor_takes_steps_that_are_set_off_together_in_the_order_of_the_file() -> None:
    assert before(step("a"), step("b"), step("c", by="another")) == {"a": set(), "b": {"a"}, "c": set()}
    assert before(step("first"), step("a", after="first"), step("b", after="first")) == {
        "first": set(),
        "a": {"first"},
        "b": {"first", "a"},
    }


def test_an_earlier_step_of_the_same_actor_brings_what_it_waited_for() -> None:
    """`b` is set off by x alone, but its actor is still at `a`, which waited for x and y."""
    found = before(step("x"), step("y"), step("a", after="x", by="u"), step("b", after="y", by="u"))
    assert found["b"] == {"x", "y", "a"}, "y is taken after x by one actor, so that a has been set off by then"
    found = before(step("x"), step("y", by="v"), step("a", after="x", by="u"), step("b", after="y", by="u"))
    assert found["b"] == {"y"}


def test_every_agent_acts_beside_the_others_and_a_step_that_waits_lets_others_go_first() -> None:
    assert before(step("a", by="agents"), step("b", by="agents"))["b"] == set()
    assert before(step("a", when={"in_service": "tokyo"}), step("b"), faults=[{**LOST, "for": "5m"}])["b"] == set()
    console = {"console": {"site": "osaka", "address": "https://dr.example.jp", "needs": "osaka"}}
    assert before(step("a", uses="console"), step("b"), consoles=console)["b"] == set()
    slow = {"starts": {"after": "tokyo-lost", "delay": "5m"}}
    assert before(step("a", **slow), step("b"))["b"] == set()


def test_who_waits_for_an_actor_already_comes_before_what_is_only_set_off_when_the_actor_is_free() -> None:
    """Of one actor: `a` and `c` are set off by `p`, `b` by `a`; when `a` is over, `c` has been waiting."""
    book = [step("p", by="v"), step("a", after="p"), step("b", after="a"), step("c", after="p")]
    assert before(*book)["c"] == {"p", "a"}


def test_steps_that_are_set_off_at_different_moments() -> None:
    late = {"starts": {"at": "20m"}}
    assert before(step("a"), step("b", **late))["b"] == {"a"}
    assert before(step("a", **late), step("b"))["b"] == set()
    assert before(step("a", **late), step("b", **late))["b"] == {"a"}


def test_a_step_that_never_begins_is_before_none() -> None:
    never = step("never", starts={"at": "2h"})
    assert before(never, ACTIVATE) == {"activate": set()}


def test_where_steps_lead_and_which_tests_belong_to_the_way_back() -> None:
    back = {"softphones": "sales", "site": "tokyo"}
    order = Order.of(
        plan(
            runbook=[
                ACTIVATE,
                SWITCH,
                REROUTE,
                step("test there", {"verify": FREE_DIAL}, after="re-point"),
                step("phones back", back, after="test there", when={"repaired": "tokyo-lost"}),
                step("caller back", {"default_caller": TOKYO}, after="phones back"),
                step("test here", {"verify": FREE_DIAL}, after="caller back"),
            ],
            faults=[{**LOST, "for": "5m"}],
        )
    )
    assert [each.step for each in order.there().values()] == ["switch", "re-point"]
    assert [each.step for each in order.back().values()] == ["phones back", "caller back"]
    assert [each.step for each in order.tests(back=False).values()] == ["test there"]
    assert [each.step for each in order.tests(back=True).values()] == ["test here"]
    assert [each.step for each in order.activations("osaka")] == ["activate"]


def test_nothing_leads_back_in_a_plan_that_never_left() -> None:
    again = step("again", {"route": FREE_DIAL, "to": TOKYO}, after="activate")
    assert not Order.of(plan(runbook=[ACTIVATE, again])).back()
    assert Order.of(plan(runbook=[ACTIVATE, step("go", {"route": FREE_DIAL, "to": OSAKA}), again])).back()


@st.composite
def books(draw: st.DrawFn) -> list[dict[str, object]]:
    """Return a runbook in which every step waits for some before it, or for the fault, shuffled."""
    book: list[dict[str, object]] = []
    for index in range(draw(st.integers(2, 7))):
        after = (
            draw(st.lists(st.sampled_from([each["step"] for each in book]), max_size=2, unique=True)) if book else []
        )
        length = draw(st.sampled_from(["0s", "1s", "2s", "3s"]))
        delay = draw(st.sampled_from([None, "1s"]))
        starts = {"starts": {"after": "tokyo-lost", **({"delay": delay} if delay else {})}}
        by = draw(st.sampled_from(["u", "v", "agents"]))
        book.append(step(f"s{index}", after=after, by=by, takes=length, **({} if after else starts)))
    return draw(st.permutations(book))


@settings(max_examples=150, deadline=None)
@given(books())
def test_what_is_surely_over_is_over_in_the_engine(book: list[dict[str, object]]) -> None:
    drill = plan(runbook=book, faults=[{**LOST, "at": "1s"}], run={"for": "40s", "warm": False})
    journal = played(drill, [], []).of(EventKind.STEP_STARTED, EventKind.STEP_FINISHED)
    seen = [(entry.kind, entry.subject) for entry in journal]
    for name, over in Order.of(drill).before.items():
        began = seen.index((EventKind.STEP_STARTED, name))
        assert over <= {other for kind, other in seen[:began] if kind is EventKind.STEP_FINISHED}
