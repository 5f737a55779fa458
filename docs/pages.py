"""What the pages for a browser have that the Markdown has not; MkDocs calls it (`mkdocs.yml`)."""

import re
from html import escape
from typing import Any

_FENCE = re.compile(r"^```(?P<kind>\w+) (?:file=(?P<file>\S+)|exit=(?P<exit>\d))$", re.MULTILINE)
_ARROW = re.compile(r"(?P<state>\w+) --> (?P<target>\w+): (?P<event>[^/\n]*)(?:/(?P<does>.*))?")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Say above an example which file it is, or with which exit code it ends if that is not 0."""

    def titled(match: re.Match[str]) -> str:
        title = match["file"] or ("" if match["exit"] == "0" else f"exit code {match['exit']}")
        return f"```{match['kind']}" + (f' title="{title}"' if title else "")

    return _FENCE.sub(titled, markdown)


def machine(source: str, _language: str, css_class: str, *_args: Any, **_options: Any) -> str:
    """Show a state machine as a table: a drawing would need a program that is loaded, and cannot be searched."""
    rows = []
    for match in _ARROW.finditer(source):
        cells = (match["state"], match["event"], match["target"], match["does"] or "")
        rows.append("".join(f"<td>{escape(cell.strip())}</td>" for cell in cells))
    head = "".join(f"<th>{name}</th>" for name in ("state", "event", "next state", "effects"))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="{css_class}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
