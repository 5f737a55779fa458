"use strict";
// What the charts of a report have in common: the data, the time axis in minutes, and what is marked on it.
const timeline = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const { colour, pale, escape, axis, layout, say } = chart;
  const LETTER = 8; // pixels

  // A level lasts for its whole bin: the last one is there twice, so that a line of steps reaches the end of the run.
  const begins = (count) => Array.from({ length: count + 1 }, (_, bin) => Math.min(bin * data.width, data.lasts));
  const lasting = (levels) => [...levels, levels[levels.length - 1]];
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
  // Faults so close together that one name would cover the next have them in a row; `width`: of the drawing, in pixels.
  const faultLabels = (yshift, width) => {
    const labels = [];
    for (const fault of [...data.faults].sort((one, other) => one.from - other.from)) {
      const label = labels.at(-1);
      const reach = label && (label.text.length * LETTER * data.lasts) / width;
      if (label && fault.from - label.from < reach) label.text += `, ${fault.name}`;
      else labels.push({ from: fault.from, text: fault.name });
    }
    return labels.map(({ from, text }) => ({
      xref: "x", yref: "paper", x: from, y: 1, yshift, text: escape(text), showarrow: false,
      xanchor: from > data.lasts * 0.7 ? "right" : "left", yanchor: "bottom", xshift: 3,
      font: { color: colour("fault"), size: 12 },
    }));
  };

  const titled = (title) => ({
    text: title, font: { size: 13 }, x: 0, xref: "paper", xanchor: "left", y: 0.98, yanchor: "top",
  });
  const small = (title, more) => layout({
    height: 210, hovermode: "x unified", margin: { l: 36, r: 10, t: 34, b: 30 }, shapes: faultShapes(),
    title: titled(title), xaxis: { ...minutes(""), unifiedhovertitle: { text: say("minute %{x}") } },
    ...more,
  });
  const line = (levels, name, tone, more) => ({
    type: "scatter", mode: "lines", x: begins(levels.length), y: lasting(levels), name,
    line: { color: colour(tone), width: 1.8, shape: "hv" }, ...more,
  });

  return { data, begins, lasting, minutes, faultShapes, faultLabels, titled, small, line };
})();
