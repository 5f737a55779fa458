"""What every JUnit file has: the counts of its suite, and XML that parsers take, whatever people call their files."""

import re
import xml.etree.ElementTree as ET

NOT_IN_XML = re.compile(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""What XML 1.0 forbids: control characters, halves of surrogate pairs, and two more."""


def junit_document(suite: ET.Element) -> str:
    """Count the test cases of a suite, and return the XML text of the file with it."""
    for element, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(len(suite.findall(f"testcase/{element}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("time", "0")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    text = NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", ET.tostring(suites, encoding="unicode"))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
