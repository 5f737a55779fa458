"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { colour, pale, escape, plot, axis, layout, keepDrawn } = chart;
  const begins = (count) => Array.from({ length: count }, (_, bin) => bin * data.width);
  const ends = (count) => Array.from({ length: count }, (_, bin) => Math.min((bin + 1) * data.width, data.lasts));

  const minutes = (title) => ({
    ...axis(), range: [0, data.lasts], showgrid: false, ticks: "outside", tickcolor: colour("line"),
    title: title ? { text: title, font: { size: 12, color: colour("soft") } } : undefined,
  });

  const faultShapes = () => data.faults.flatMap((fault) => [
    { type: "rect", layer: "below", xref: "x", yref: "paper", x0: fault.from, x1: fault.to, y0: 0, y1: 1,
      fillcolor: pale("fault", 0.07), line: { width: 0 } },
    { type: "line", xref: "x", yref: "paper", x0: fault.from, x1: fault.from, y0: 0, y1: 1,
      line: { color: colour("fault"), width: 1.5 } },
  ]);
  const faultLabels = (yshift) => data.faults.map((fault) => ({
    xref: "x", yref: "paper", x: fault.from, y: 1, yshift, text: escape(fault.name), showarrow: false,
    xanchor: fault.from > data.lasts * 0.7 ? "right" : "left", yanchor: "bottom", xshift: 3,
    font: { color: colour("fault"), size: 12 },
  }));

  function drawCalls() {
    const traces = data.calls.map((series) => ({
      type: "bar", name: series.outcome, x: begins(series.mean.length), y: series.mean, offset: 0, width: data.width,
      marker: { color: colour(series.outcome.replace(" ", "-")), line: { width: 0 } },
      hovertemplate: "%{y:.1f}/min",
    }));
    const finished = data.steps.filter((step) => step.finished && step.finished[1] <= data.lasts);
    const shapes = finished.map((step) => ({
      type: "line", xref: "x", yref: "paper", x0: step.finished[1], x1: step.finished[1], y0: 0, y1: 1,
      line: { color: colour("soft"), width: 1, dash: "dot" },
    }));
    const inOrder = [...finished].sort((one, other) => one.finished[1] - other.finished[1]);
    let row = 0;
    const labels = inOrder.map((step, i) => {
      const crowded = i > 0 && step.finished[1] - inOrder[i - 1].finished[1] < data.lasts * 0.06;
      row = crowded ? (row + 1) % 3 : 0;
      return {
        xref: "x", yref: "paper", x: step.finished[1], y: 1, yanchor: "bottom", yshift: 17 * row, showarrow: false,
        text: String(step.number), hovertext: escape(step.step), font: { size: 11, color: colour("surface") },
        bgcolor: colour("soft"), borderpad: 2,
      };
    });
    plot(document.getElementById("chart-calls"), traces, layout({
      height: 420, barmode: "stack", bargap: 0, hovermode: "x unified", margin: { l: 44, r: 12, t: 72, b: 96 },
      xaxis: { ...minutes("minutes from the start"), unifiedhovertitle: { text: "from minute %{x}" } },
      yaxis: { ...axis(), title: { text: "attempts per minute", font: { size: 12, color: colour("soft") } },
        rangemode: "tozero" },
      shapes: [...faultShapes(), ...shapes], annotations: [...faultLabels(50), ...labels],
    }));
  }

  function drawRunbook() {
    const done = data.steps.filter((step) => step.finished);
    const row = (step) => -step.number;
    const bar = (steps, from, to, name) => ({
      type: "bar", orientation: "h", name, showlegend: false, width: 0.42, y: steps.map(row),
      base: steps.map((step) => step[from][1]), x: steps.map((step) => Math.max(step[to][1] - step[from][1], 0)),
      hoverinfo: "skip",
    });
    const told = (step) => `<b>${escape(step.step)}</b><br>${escape(step.by)}`
      + `<br>ready ${step.ready[1].toFixed(1)} min, begun ${step.started[1].toFixed(1)} min`
      + `<br>finished ${step.finished[1].toFixed(1)} min (${step.finished[0].toFixed(1)} to ${step.finished[2].toFixed(1)})`
      + `<br>finished in ${step.finishedIn} of ${data.runs} runs`;
    const wait = bar(done, "ready", "started", "ready");
    wait.marker = { color: colour("line") };
    const work = bar(done, "started", "finished", "at work");
    work.marker = { color: done.map((step) => colour(step.critical ? "accent" : "accent-pale")) };
    const whiskers = {
      type: "scatter", mode: "markers", showlegend: false, x: done.map((step) => step.finished[1]), y: done.map(row),
      marker: { color: colour("ink"), size: 5 }, hovertext: done.map(told), hoverinfo: "text",
      error_x: { type: "data", symmetric: false, color: colour("ink"), thickness: 1.2, width: 4,
        array: done.map((step) => step.finished[2] - step.finished[1]),
        arrayminus: done.map((step) => step.finished[1] - step.finished[0]) },
    };
    const names = data.steps.map((step) => {
      const begin = step.ready ? step.ready[1] : 0;
      const late = begin > data.lasts * 0.5;
      return {
        xref: "x", yref: "y", y: row(step) + 0.27, yanchor: "bottom", showarrow: false, font: { size: 12 },
        x: late ? step.finished[1] : begin, xanchor: late ? "right" : "left",
        text: `${step.number} ${escape(step.step)}${step.finished ? "" : " (never finished)"}`,
      };
    });
    plot(document.getElementById("chart-runbook"), [wait, work, whiskers], layout({
      height: 90 + 46 * data.steps.length, barmode: "overlay", hovermode: "closest",
      margin: { l: 12, r: 12, t: 30, b: 40 }, xaxis: { ...minutes("minutes from the start"), showgrid: true },
      yaxis: { ...axis(), visible: false, range: [-data.steps.length - 0.5, -0.35] },
      shapes: faultShapes(), annotations: [...faultLabels(0), ...names],
    }));
  }

  function cell(grid, index) {
    while (grid.children.length <= index) grid.appendChild(document.createElement("div")).className = "chart";
    return grid.children[index];
  }

  const small = (title, more) => layout({
    height: 210, hovermode: "x unified", margin: { l: 36, r: 10, t: 34, b: 30 }, shapes: faultShapes(),
    title: { text: escape(title), font: { size: 13 }, x: 0, xref: "paper", xanchor: "left", y: 0.98, yanchor: "top" },
    xaxis: { ...minutes(""), unifiedhovertitle: { text: "minute %{x}" } },
    ...more,
  });
  const line = (x, y, name, tone, more) => ({
    type: "scatter", mode: "lines", x, y, name, line: { color: colour(tone), width: 1.8, shape: "hv" }, ...more,
  });

  function drawPorts() {
    const grid = document.getElementById("charts-ports");
    data.ports.forEach((limit, index) => {
      const x = begins(limit.p50.length);
      const top = Math.max(limit.cap, ...limit.p100);
      plot(cell(grid, index), [
        line(x, limit.p100, "highest run", "accent",
          { fill: "tozeroy", fillcolor: pale("accent", 0.16), line: { width: 0, shape: "hv" }, showlegend: false }),
        line(x, limit.p50, "median run", "accent", { showlegend: false }),
      ], small(`${limit.name}: limit ${limit.cap}`, {
        yaxis: { ...axis(), range: [0, top * 1.08], nticks: 5 },
        shapes: [...faultShapes(), { type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: limit.cap, y1: limit.cap,
          line: { color: colour("bad"), width: 1.5, dash: "dash" } }],
      }));
    });
  }

  function drawLevels() {
    const grid = document.getElementById("charts-levels");
    document.getElementById("section-people").hidden = data.levels.length === 0;
    data.levels.forEach((level, index) => {
      const traces = level.lines.flatMap((one, i) => {
        const tone = "series-" + (i % 5 + 1);
        const x = ends(one.p50.length);
        const edge = { line: { width: 0 }, hoverinfo: "skip", showlegend: false };
        return [
          line(x, one.p10, one.name, tone, edge),
          line(x, one.p90, one.name, tone, { ...edge, fill: "tonexty", fillcolor: pale(tone, 0.16) }),
          line(x, one.p50, escape(one.name), tone, { line: { color: colour(tone), width: 1.8 } }),
        ];
      });
      plot(cell(grid, index), traces, small(level.title, {
        height: 240, yaxis: { ...axis(), rangemode: "tozero", nticks: 5 }, showlegend: true,
        margin: { l: 36, r: 10, t: 34, b: 58 },
      }));
    });
  }

  function draw() {
    drawCalls();
    if (data.steps.length) drawRunbook();
    drawPorts();
    drawLevels();
  }
  keepDrawn(draw);
})();
