"use strict";
const chart = (() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const pale = (name, share) => {
    const [r, g, b] = colour(name).match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
    return `rgba(${r}, ${g}, ${b}, ${share})`;
  };
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const plot = (element, traces, drawing) => {
    element.style.height = `${drawing.height}px`; // or the figure shrinks under its chart when the window is resized
    Plotly.react(element, traces, drawing, { responsive: true, displayModeBar: false });
  };
  const axis = () => ({
    gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, fixedrange: true, automargin: true,
    tickfont: { color: colour("soft") },
  });
  const layout = (more) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("ink") },
    hoverlabel: { bgcolor: colour("surface"), bordercolor: colour("line"), font: { color: colour("ink") } },
    legend: { orientation: "h", x: 0, xref: "container", y: 0, yref: "container", yanchor: "bottom", traceorder: "normal" },
    margin: { l: 44, r: 12, t: 28, b: 40 },
    ...more,
  });
  const keepDrawn = (draw) => {
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const onPaper = (yes) => {
      document.documentElement.toggleAttribute("data-print", yes);
      draw();
    };
    addEventListener("beforeprint", () => onPaper(true));
    addEventListener("afterprint", () => onPaper(false));
  };
  return { colour, pale, escape, plot, axis, layout, keepDrawn };
})();
