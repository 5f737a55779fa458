"""What the plan checks say, for programs: `kirikae lint --json`.

    version    of this format
    language   of the messages
    exit_code  as the command line returned it
    totals     files, errors, warnings, notes, waived, declared
    files      per file: file (as asked for), readable, notes (on how it was read), expected_verdict (null where it
               is no drill) and
               expectations  text, line, column: what a run is judged by, in the order of `result.json`
               findings  id, severity, rows (of the catalogue), path, file, line, column, message, found, why, remedy
               waived    the same, and the reason
               declared  path, file, line, column, rows, text: what rules take at the plan's word

Lines and columns count from 1; both are null for what is about a whole file, or about the option that `file` names.
"""

import json
from collections.abc import Sequence
from typing import Any

from reports.checked import Checked, Declared, Expected, Found
from reports.exit_codes import ExitCode
from scenarios.problems import Mark, Severity
from scenarios.text import Translate

VERSION = 1
"""Raised when a key changes its meaning or goes; a new key leaves it as it is."""

Json = dict[str, Any]


def lint_text(several: Sequence[Checked], exit_code: ExitCode, language: str, say: Translate) -> str:
    """Return the result as JSON text: UTF-8, one final newline."""
    return json.dumps(_lint(several, exit_code, language, say), ensure_ascii=False, indent=1) + "\n"


def _lint(several: Sequence[Checked], exit_code: ExitCode, language: str, say: Translate) -> Json:
    return {
        "version": VERSION,
        "language": language,
        "exit_code": int(exit_code),
        "totals": {
            "files": len(several),
            **{f"{each}s": sum(file.count(each) for file in several) for each in Severity},
            "waived": sum(len(file.waived) for file in several),
            "declared": sum(len(file.declared) for file in several),
        },
        "files": [
            {
                "file": file.file,
                "readable": file.readable,
                "notes": list(file.notes),
                "expected_verdict": file.expected_verdict,
                "expectations": [_expected(each) for each in file.expectations],
                "findings": findings(file, say),
                "waived": [{**_finding(file, each, say), "reason": each.reason} for each in file.waived],
                "declared": declarations(file, say),
            }
            for file in several
        ],
    }


def findings(file: Checked, say: Translate = str) -> list[Json]:
    """Return what stands against a plan."""
    return [_finding(file, each, say) for each in file.found]


def waived(file: Checked, rule: str) -> list[Json]:
    """Return the findings of one rule that its author accepts."""
    return [_finding(file, each, str) for each in file.waived if each.rule.id == rule]


def declarations(file: Checked, say: Translate = str) -> list[Json]:
    """Return what is taken at the plan's word."""
    return [_declaration(file, each, say) for each in file.declared]


def _finding(file: Checked, found: Found, say: Translate) -> Json:
    problem = found.problem
    return {
        "id": found.rule.id,
        "severity": found.severity,
        "rows": list(found.rows),
        "path": problem.path,
        **_place(file, problem.mark),
        "message": say(problem.message),
        "found": problem.found,
        "why": say(found.rule.why),
        "remedy": say(problem.allowed) if problem.allowed else None,
    }


def _declaration(file: Checked, declared: Declared, say: Translate) -> Json:
    place = {"path": declared.path, **_place(file, declared.mark)}
    return {**place, "rows": list(declared.rows), "text": say(declared.text)}


def _expected(expected: Expected) -> Json:
    return {"text": expected.text, "line": expected.mark.line, "column": expected.mark.column}


def _place(file: Checked, mark: Mark | None) -> Json:
    line, column = (mark.line, mark.column) if mark is not None and mark.line else (None, None)
    return {"file": file.name_of(mark), "line": line, "column": column}
