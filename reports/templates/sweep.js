"use strict";
(() => {
  const { colour, tones, escape, plot, axis, layout, keepDrawn } = chart;
  const data = JSON.parse(document.getElementById("data").textContent);
  const markers = { passed: "circle", failed: "x", inconclusive: "diamond-open" };

  const trace = (drawn, series, index) => {
    const { points } = series;
    const tone = colour(tones[index % tones.length]);
    return {
      type: "scatter", mode: drawn.lines ? "lines+markers" : "markers", name: escape(series.name),
      showlegend: drawn.series.length > 1,
      x: points.map((point) => point.x), y: points.map((point) => point.y),
      line: { color: tone, width: 1.5 },
      marker: { color: tone, size: 8, symbol: points.map((point) => markers[point.verdict] ?? "circle") },
      error_y: {
        type: "data", symmetric: false, color: tone, thickness: 1.3, width: 4,
        array: points.map((point) => (point.high ?? point.y) - point.y),
        arrayminus: points.map((point) => point.y - point.low),
      },
      hovertext: points.map((point) => point.text.map(escape).join("<br>")), hoverinfo: "text",
    };
  };
  const title = (text) => ({ text: escape(text), font: { size: 12, color: colour("soft") } });

  function drawOne(drawn, index) {
    const shapes = drawn.bounds.map((bound) => ({
      type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: bound.y, y1: bound.y,
      line: { color: colour("bad"), width: 1.5, dash: "dash" },
    }));
    const annotations = drawn.bounds.map((bound) => ({
      xref: "paper", yref: "y", x: 1, y: bound.y, xanchor: "right", yanchor: "bottom", showarrow: false,
      text: escape(bound.text), font: { color: colour("bad"), size: 12 },
    }));
    const many = drawn.series.length > 1;
    plot(document.getElementById(`chart-${index}`), drawn.series.map((series, i) => trace(drawn, series, i)), layout({
      height: many ? 400 : 340, hovermode: "closest", margin: { l: 52, r: 12, t: 16, b: many ? 110 : 52 },
      xaxis: { ...axis(), title: title(drawn.x), type: drawn.numeric ? "linear" : "category", ticks: "outside",
        tickcolor: colour("line"), tickvals: drawn.ticks ?? undefined },
      yaxis: { ...axis(), title: title(drawn.y), rangemode: "tozero" },
      shapes, annotations,
    }));
  }

  keepDrawn(() => data.forEach(drawOne));
})();
