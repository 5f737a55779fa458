"use strict";
(() => {
  const { colour, escape, plot, axis, layout, keepDrawn } = chart;
  const data = JSON.parse(document.getElementById("data").textContent);
  const tones = ["series-5", "series-1"];

  const trace = (line, index) => ({
    type: "scatter", mode: "lines", name: escape(line.name),
    x: line.y.map((_, bin) => (bin + 0.5) * line.width), y: line.y,
    line: { color: colour(tones[index]), width: 2, dash: index ? "solid" : "dash" },
    hovertemplate: `%{y:.2~f}<extra>${escape(line.name)}</extra>`,
  });
  const cap = (value, index) => ({
    type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: value, y1: value,
    line: { color: colour("bad"), width: 1, dash: index ? "solid" : "dash" },
  });

  function drawOne(drawn, index) {
    const caps = drawn.caps.map((value, side) => (value === null ? null : cap(value, side))).filter(Boolean);
    plot(document.getElementById(`chart-${index}`), drawn.lines.map(trace), layout({
      height: 260, hovermode: "x unified", margin: { l: 44, r: 8, t: 8, b: 56 },
      xaxis: { ...axis(), ticksuffix: " min" }, yaxis: { ...axis(), rangemode: "tozero" }, shapes: caps,
    }));
  }

  keepDrawn(() => data.forEach(drawOne));
})();
