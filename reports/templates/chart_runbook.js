"use strict";
(() => {
  const { colour, escape, plot, axis, layout, say, add } = chart;
  const { data, minutes, faultShapes, faultLabels } = timeline;
  const HALF = 0.21; // of a bar, in rows
  const NARROW = 560; // pixels, below which names of steps begin at the left edge
  const row = (step) => -step.number;
  const minute = (value) => value.toFixed(1);

  function told(step) {
    const lines = [`<b>${escape(step.step)}</b>`, escape(step.by)];
    if (step.finished) {
      lines.push(
        say("ready {ready} min", { ready: minute(step.ready[1]) }),
        say("begun {median} min ({early} to {late})",
          { early: minute(step.started[0]), median: minute(step.started[1]), late: minute(step.started[2]) }),
        say("finished {median} min ({early} to {late})",
          { early: minute(step.finished[0]), median: minute(step.finished[1]), late: minute(step.finished[2]) }),
      );
    }
    lines.push(say("finished in {count} of {runs} runs", { count: step.finishedIn, runs: data.runs }));
    if (step.openIn) lines.push(open(step));
    if (step.repeatedIn) lines.push(repeated(step));
    return lines.join("<br>");
  }
  const open = (step) => say("open at the end of {count} of {runs} runs", { count: step.openIn, runs: data.runs });
  const repeated = (step) => say("repeated in {count} of {runs} runs", { count: step.repeatedIn, runs: data.runs });

  function label(step, narrow) {
    const notes = [];
    if (!step.finished) notes.push(step.openSince ? say("never finished") : say("never begun"));
    else if (step.openIn && !narrow) notes.push(open(step));
    if (step.repeatedIn && !narrow) notes.push(repeated(step));
    const begin = (step.ready ?? step.openSince ?? [0, 0])[1];
    const late = begin > data.lasts * 0.5;
    const place = narrow ? { xref: "paper", x: 0, xanchor: "left" } : {
      xref: "x", x: late ? (step.finished?.[1] ?? data.until) : begin, xanchor: late ? "right" : "left",
    };
    return {
      ...place, yref: "y", y: row(step) + HALF + 0.04, yanchor: "bottom", showarrow: false, font: { size: 12 },
      text: `${step.number} ${escape(step.step)}${notes.length ? ` (${notes.map(escape).join("; ")})` : ""}`,
    };
  }

  // A point with the runs around it: 10 to 90 percent.
  function whiskers(steps, moment, tone, shift) {
    const of = (step) => step[moment];
    return {
      type: "scatter", mode: "markers", showlegend: false, x: steps.map((step) => of(step)[1]),
      y: steps.map((step) => row(step) + shift), marker: { color: colour(tone), size: 5 },
      hovertext: steps.map(told), hoverinfo: "text",
      error_x: { type: "data", symmetric: false, color: colour(tone), thickness: 1.2, width: 4,
        array: steps.map((step) => of(step)[2] - of(step)[1]), arrayminus: steps.map((step) => of(step)[1] - of(step)[0]) },
    };
  }

  function drawRunbook(element) {
    const done = data.steps.filter((step) => step.finished);
    const still = data.steps.filter((step) => step.openSince);
    const bar = (steps, from, to, marker, more) => ({
      type: "bar", orientation: "h", showlegend: false, width: 2 * HALF, y: steps.map(row), marker,
      base: steps.map((step) => from(step)), x: steps.map((step) => Math.max(to(step) - from(step), 0)),
      hoverinfo: "text", hovertext: steps.map(told), ...more,
    });
    const wait = bar(done, (step) => step.ready[1], (step) => step.started[1], { color: colour("line") });
    const work = bar(done, (step) => step.started[1], (step) => step.finished[1],
      { color: done.map((step) => colour(step.critical ? "accent" : "accent-pale")),
        line: { width: done.map((step) => (step.critical ? 1.5 : 0)), color: colour("ink") } });
    const unfinished = bar(still, (step) => step.openSince[1], () => data.until,
      { color: "rgba(0,0,0,0)", line: { width: 1, color: colour("unsure") },
        pattern: { shape: "/", fgcolor: colour("unsure"), size: 6, solidity: 0.2 } },
      { width: still.map((step) => (step.finished ? 0.1 : 2 * HALF)),
        y: still.map((step) => row(step) - (step.finished ? HALF + 0.08 : 0)) });
    // The critical path leads from the end of a step to the next that it has set off.
    const links = data.steps.flatMap((step) => {
      const before = data.steps.find((other) => other.step === step.releasedBy);
      const at = (step.ready ?? step.openSince)?.[1];
      if (!step.critical || !before?.critical || at === undefined) return [];
      const [upper, lower] = [row(before), row(step)].sort((one, other) => other - one);
      return [{ type: "line", xref: "x", yref: "y", x0: at, x1: at, y0: upper - HALF, y1: lower + HALF,
        line: { color: colour("accent"), width: 2 } }];
    });
    plot(element, [wait, work, unfinished, whiskers(done, "started", "soft", HALF / 2), whiskers(done, "finished", "ink", -HALF / 2)],
      layout({
        height: 90 + 46 * data.steps.length, barmode: "overlay", hovermode: "closest",
        margin: { l: 12, r: 12, t: 30, b: 40 }, xaxis: { ...minutes(say("minutes from the start")), showgrid: true },
        yaxis: { ...axis(), visible: false, range: [-data.steps.length - 0.5, -0.35] },
        shapes: [...faultShapes(), ...links], annotations: [...faultLabels(0, element.clientWidth - 24), ...data.steps.map((step) => label(step, element.clientWidth < NARROW))],
      }));
  }

  add("runbook", drawRunbook);
})();
