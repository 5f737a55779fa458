"""A comparison as JUnit: one test case for each expectation of the second run and each metric that decides."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

from reports.compare import Comparison, ExpectationChange, Kind
from reports.compare_changes import Change, Outcome
from reports.compare_words import allowed_shown, difference_shown, headline, remarks, sentences, shown
from reports.junit_document import junit_document


def comparison_junit(comparison: Comparison) -> str:
    """Return the XML text: a failure is worse than is allowed, an error cannot be told."""
    suite = ET.Element("testsuite", name=f"{comparison.second.name}: compared")
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("first", comparison.first.source),
        ("second", comparison.second.source),
        ("kind", comparison.kind),
        ("engine", comparison.second.engine),
        ("answer", headline(comparison)),
    ):
        ET.SubElement(properties, "property", name=name, value=value)
    for each in comparison.expectations:
        if each.second is not None:
            _expectation(suite, comparison, each)
    for change in comparison.changes:
        if change.decides:
            _metric(suite, comparison, change)
    if comparison.no_evidence:
        _problem(_case(suite, comparison, "the runs are evidence"), "error", "; ".join(comparison.no_evidence))
    ET.SubElement(suite, "system-out").text = "\n".join(sentences(comparison))
    return junit_document(suite)


def _expectation(suite: ET.Element, comparison: Comparison, each: ExpectationChange) -> None:
    case = _case(suite, comparison, f"still holds: {each.text}")
    states = [f"{state.verdict} ({state.shown})" if state else "not there" for state in (each.first, each.second)]
    said = " → ".join(states)
    decides = comparison.kind is not Kind.NIGHTS
    if each.lost and decides:
        _problem(case, "failure", said)
    elif each.doubtful and decides:
        _problem(case, "error", said)
    else:
        ET.SubElement(case, "system-out").text = said


def _metric(suite: ET.Element, comparison: Comparison, change: Change) -> None:
    case = _case(suite, comparison, f"not worse: {change.text}")
    said = "; ".join(_said(comparison, change))
    if change.outcome is Outcome.WORSE:
        _problem(case, "failure", said)
    elif change.outcome is Outcome.UNCLEAR:
        if comparison.kind is Kind.NIGHTS:  # which waits for more of them, and ends well until then
            ET.SubElement(case, "skipped", message=f"not enough nights yet: {said}")
        else:
            _problem(case, "error", said)
    else:
        ET.SubElement(case, "system-out").text = said


def _said(comparison: Comparison, change: Change) -> Iterator[str]:
    values = f"{shown(change, change.first)} → {shown(change, change.second)}"
    yield f"{change.outcome}: {values}, {difference_shown(change)}, allowed {allowed_shown(change)}"
    yield from remarks(change, comparison.names)


def _case(suite: ET.Element, comparison: Comparison, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=comparison.second.file, name=name, time="0")


def _problem(case: ET.Element, element: str, message: str) -> None:
    ET.SubElement(case, element, message=message, type="comparison").text = message
