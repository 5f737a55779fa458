"""Rows about a BIZTEL switch that engines act by, and how each is switched off."""

from tests.rule_switches import Switch

SWITCHES: dict[str, Switch] = {
    "Z14": Switch(
        drill="dr-button-late",
        sees="softphones_back{agents=desk}",
        changes=("sites.osaka.role=primary",),
    ),
    "Z34": Switch(
        drill="dr-button-first",
        sees="softphones_back{agents=desk}",
        changes=("runbook[switch the softphones].takes=0",),
    ),
    "Z35": Switch(
        drill="dr-button-first",
        sees="softphones_back{agents=desk}",
        changes=("runbook[switch the softphones].does.slips=0%",),
    ),
    "Z46": Switch(
        drill="dr-button-first",
        sees="softphones_back{agents=desk}",
        changes=("runbook[switch the softphones].does.login=0",),
    ),
}
"""By row."""
