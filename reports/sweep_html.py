"""`sweep.html`: one file that shows a sweep to people, opens offline and asks nothing of any server."""

from markupsafe import Markup

from reports.html import embedded_json, plotly, report_environment
from reports.origin import Origin, software
from reports.pages import source
from reports.sweep import Sweep
from reports.sweep_charts import charts


def sweep_page(sweep: Sweep, origin: Origin, command: str) -> str:
    """Return the page as HTML, plotly's library, styles and data inside."""
    drawn = charts(sweep) if sweep.points else []
    return (
        report_environment()
        .get_template("sweep.html.j2")
        .render(
            sweep=sweep,
            origin=origin,
            charts=drawn,
            data=embedded_json(drawn) if drawn else "",
            command=command,
            software=software(),
            style=source("report.css"),
            script=source("chart.js") + source("sweep.js"),
            plotly=plotly() if drawn else Markup(""),
        )
    )
