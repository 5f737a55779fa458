"""Findings for code hosts: SARIF 2.1.0 (OASIS Static Analysis Results Interchange Format)."""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reports.checked import Checked, Found
from reports.lint_terminal import message_of, remedy_of
from reports.origin import software
from scenarios.catalogue import ROWS
from scenarios.problems import Mark
from scenarios.rules import Rule
from scenarios.text import Translate

Json = dict[str, Any]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
"""What code hosts take for the top of the repository (SARIF 2.1.0 §3.4.4)."""


def sarif_text(several: Sequence[Checked], base: Path, language: str, say: Translate) -> str:
    """Return a log with one run, as JSON text; files below ``base`` are named from there.

    Waived findings are results with a suppression (§3.35), all others have none; what is only declared is counted.
    """
    every = [(file, found) for file in several for found in (*file.found, *file.waived)]
    rules = list(dict.fromkeys(found.rule for _, found in every))
    run = {
        "tool": {
            "driver": {
                "name": "kirikae",
                "version": software()["kirikae"],
                "language": language,
                "rules": [_rule(rule, say) for rule in rules],
            }
        },
        "language": language,
        "columnKind": "unicodeCodePoints",
        "results": [_result(file, found, rules.index(found.rule), base, say) for file, found in every],
        "properties": {"declaredNotChecked": sum(len(file.declared) for file in several)},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=1) + "\n"


def _rule(rule: Rule, say: Translate) -> Json:
    why = say(rule.why)
    facts = [f"{row}: {say(ROWS[row].fact)}" for row in rule.cites]
    return {
        "id": rule.id,
        "shortDescription": {"text": why},
        "fullDescription": {"text": "\n".join([why, *facts])},
        "help": {"text": "\n".join([why, *facts])},
        "defaultConfiguration": {"level": str(rule.severity)},
        "properties": {"tags": list(rule.cites)},
    }


def _result(file: Checked, found: Found, index: int, base: Path, say: Translate) -> Json:
    remedy = remedy_of(found, say)
    text = message_of(file, found, say) + (f"\n→ {remedy}" if remedy else "")
    return {
        "ruleId": found.rule.id,
        "ruleIndex": index,
        "level": str(found.severity),
        "message": {"text": text},
        "locations": list(_locations(file, found.problem.mark, base)),
        # Either every result says whether it is suppressed, or none (§3.27.23).
        "suppressions": [{"kind": "inSource", "justification": found.reason}] if found.reason else [],
        "properties": {"tags": list(found.rows)},
    }


def _locations(file: Checked, mark: Mark | None, base: Path) -> Iterable[Json]:
    # What is about no line may be about an option of the command line; the drill is what code hosts know.
    path = Path(os.path.abspath(mark.file if mark is not None and mark.line else file.source))
    artifact: Json = {"uri": path.as_uri()}
    if path.is_relative_to(base):
        artifact = {"uri": quote(path.relative_to(base).as_posix()), "uriBaseId": _ROOT}
    place: Json = {"artifactLocation": artifact}
    if mark is not None and mark.line:
        place["region"] = {"startLine": mark.line, "startColumn": mark.column}
    yield {"physicalLocation": place}
