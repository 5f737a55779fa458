"use strict";
const chart = (() => {
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const pale = (name, share) => {
    const [r, g, b] = colour(name).match(/[0-9a-f]{2}/gi).map((pair) => parseInt(pair, 16));
    return `rgba(${r}, ${g}, ${b}, ${share})`;
  };
  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  // The library stands in the page as text and is run for the first chart: reading it takes longer than all else there.
  let waiting = document.getElementById("plotly");
  const library = () => {
    if (waiting === null) return;
    const script = document.createElement("script");
    script.textContent = waiting.textContent;
    waiting = null;
    document.head.append(script);
  };
  const plot = (element, traces, drawing) => {
    library();
    element.style.height = `${drawing.height}px`; // or the figure shrinks under its chart when the window is resized
    Plotly.react(element, traces, { ...drawing, width: element.clientWidth }, { displayModeBar: false });
  };
  // What tells the lines of a chart apart.
  const tones = ["series-1", "series-2", "series-3", "series-4", "series-5", "blocked", "dropped", "closed"];
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

  // Calls `redraw` when the window has another width.
  const onResize = (redraw) => {
    let width = innerWidth;
    addEventListener("resize", () => {
      if (innerWidth === width) return; // the bar with the address comes and goes on a phone
      width = innerWidth;
      redraw();
    });
  };

  // Calls `draw` now, when the colours or the width change, and on paper.
  const keepDrawn = (draw) => {
    draw();
    onResize(draw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    const onPaper = (yes) => {
      root.toggleAttribute("data-print", yes);
      draw();
    };
    addEventListener("beforeprint", () => onPaper(true));
    addEventListener("afterprint", () => onPaper(false));
  };

  // Words, in the language that is shown: of the data, or of a script with its values.
  const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
  const say = (text, values = {}) => (Object.hasOwn(words[root.lang] ?? {}, text) ? words[root.lang][text] : text)
    .replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

  // Containers are `data-chart="name"` with `data-index`; each is drawn when it comes near on the page that is shown.
  const drawings = new Map();
  const drawn = new Set();
  const add = (name, draw) => drawings.set(name, draw);
  const containers = () => [...document.querySelectorAll("main [data-page]:not([hidden]) [data-chart]")]
    .filter((element) => drawings.has(element.dataset.chart));
  const drawOne = (element) => {
    near.unobserve(element);
    drawn.add(element);
    drawings.get(element.dataset.chart)(element, Number(element.dataset.index));
  };
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => drawOne(entry.target)),
    { rootMargin: "50% 0%" },
  );
  const begin = () => containers().forEach((element) => {
    const { top, bottom, width } = element.getBoundingClientRect(); // of no width inside of what is folded
    if (width && bottom > -innerHeight / 2 && top < innerHeight * 1.5) drawOne(element);
    else near.observe(element);
  });
  const beginAnew = () => {
    near.disconnect();
    drawn.forEach((element) => Plotly.purge(element));
    drawn.clear();
    begin();
  };
  const onPaper = (yes) => {
    if (root.hasAttribute("data-print") === yes) return;
    root.toggleAttribute("data-print", yes);
    (yes ? containers() : [...drawn]).forEach(drawOne);
  };
  addEventListener("DOMContentLoaded", () => {
    if (!drawings.size) return;
    begin();
    document.addEventListener("page-shown", beginAnew);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(drawOne));
    matchMedia("print").addEventListener("change", (media) => onPaper(media.matches));
    onResize(() => drawn.forEach(drawOne));
    addEventListener("beforeprint", () => onPaper(true));
    addEventListener("afterprint", () => onPaper(false));
  });

  return { colour, pale, tones, escape, plot, axis, layout, keepDrawn, say, add };
})();
