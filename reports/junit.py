"""`junit.xml`: one test case an expectation, in the dialect that Jenkins and GitLab read."""

import xml.etree.ElementTree as ET

from reports.judge import Judged, Judgement
from reports.junit_document import junit_document
from reports.origin import Origin
from reports.story import story
from scenarios.model import Verdict

_ELEMENT = {Verdict.FAILED: "failure", Verdict.INCONCLUSIVE: "error"}
"""A failure says that the plan does not hold, an error that it could not be found out."""


def junit_text(judged: Judged, origin: Origin) -> str:
    """Return the XML text.

    In a drill that is meant to fail, what fails as expected is skipped, as an expected failure of pytest is.
    """
    suite = ET.Element("testsuite", name=judged.drill.name)
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("file", origin.file),
        ("engine", judged.engine),
        ("seed", judged.seed),
        ("replications", judged.finished),
        ("verdict", judged.verdict),
    ):
        ET.SubElement(properties, "property", name=name, value=str(value))
    for judgement in judged.judgements:
        _expectation(suite, origin, judged, judgement)
    if judged.drill.faults or judged.interrupted:
        case = _case(suite, origin, "the run is evidence")
        if judged.no_evidence:
            _problem(case, "error", "; ".join(judged.no_evidence), "no evidence")
    if judged.drill.expected_verdict is not Verdict.PASSED:
        case = _case(suite, origin, f"the verdict is {judged.drill.expected_verdict}")
        if not judged.as_expected:
            _problem(case, "failure", f"the verdict is {judged.verdict}", "verdict")
    ET.SubElement(suite, "system-out").text = "\n".join(story(judged))
    return junit_document(suite)


def _expectation(suite: ET.Element, origin: Origin, judged: Judged, judgement: Judgement) -> None:
    case = _case(suite, origin, judgement.expectation.text)
    said = f"{judgement.shown}: {judgement.reason}"
    if judgement.verdict in _ELEMENT:
        if judged.as_expected:
            ET.SubElement(case, "skipped", message=f"as this drill is meant to: {judgement.verdict}, {said}")
        else:
            _problem(case, _ELEMENT[judgement.verdict], said, "expectation")
    else:
        ET.SubElement(case, "system-out").text = said


def _case(suite: ET.Element, origin: Origin, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=origin.file, name=name, time="0")


def _problem(case: ET.Element, element: str, message: str, kind: str) -> None:
    ET.SubElement(case, element, message=message, type=kind).text = message
