"use strict";
(() => {
  const { colour, pale, escape, plot, axis, layout, say, add } = chart;
  const { data, titled } = timeline;

  function drawRecovery(element, index) {
    const one = data.recovery[index];
    const last = Math.max(...one.minutes, ...one.bounds.map((bound) => bound.at)) * 1.06;
    const back = 1 - one.never / one.runs;
    const shapes = one.bounds.map((bound) => ({
      type: "line", xref: "x", yref: "paper", x0: bound.at, x1: bound.at, y0: 0, y1: 1,
      line: { color: colour("bad"), width: 1.5, dash: "dash" },
    }));
    const notes = one.bounds.map((bound) => ({
      xref: "x", yref: "paper", x: bound.at, y: 0, xanchor: bound.at > last / 2 ? "right" : "left", yanchor: "bottom",
      showarrow: false, text: escape(say(bound.text)), font: { size: 11, color: colour("bad") },
    }));
    if (one.never) {
      shapes.push({ type: "rect", layer: "below", xref: "paper", yref: "y", x0: 0, x1: 1, y0: back, y1: 1,
        fillcolor: pale("bad", 0.14), line: { width: 0 } });
      notes.push({ xref: "paper", yref: "y", x: 0.01, y: (back + 1) / 2, xanchor: "left", yanchor: "middle", showarrow: false,
        text: say("never in {count} of {runs} runs", { count: one.never, runs: one.runs }),
        font: { size: 11, color: colour("bad") } });
    }
    const marked = [[0.5, one.p50], [0.9, one.p90]].filter(([, at]) => at !== null);
    plot(element, [
      { type: "scatter", mode: "lines", showlegend: false, x: [0, ...one.minutes, last], y: [0, ...one.shares, back],
        line: { color: colour("accent"), width: 2, shape: "hv" }, hovertemplate: say("%{y:.0%} of runs within %{x:.1f} min") + "<extra></extra>" },
      { type: "scatter", mode: "markers+text", showlegend: false, x: marked.map(([, at]) => at), y: marked.map(([share]) => share),
        marker: { color: colour("accent"), size: 8 }, textposition: marked.map(([, at]) => (at > last / 2 ? "top left" : "bottom right")),
        text: marked.map(([share, at]) => ` p${share * 100}: ${say("{minutes} min", { minutes: at.toFixed(1) })} `),
        textfont: { size: 11, color: colour("ink") }, hoverinfo: "skip", cliponaxis: false },
    ], layout({
      height: 260, hovermode: "closest", margin: { l: 44, r: 12, t: 34, b: 44 }, title: titled(escape(say(one.name))), shapes,
      annotations: notes,
      xaxis: { ...axis(), range: [0, last], showgrid: false, ticks: "outside", tickcolor: colour("line"),
        title: { text: say("minutes from the fault"), font: { size: 12, color: colour("soft") } } },
      yaxis: { ...axis(), range: [0, 1.04], tickformat: ".0%", nticks: 5 },
    }));
  }

  add("recovery", drawRecovery);
})();
