"use strict";
(() => {
  const { colour, escape, plot, axis, layout, say, add } = chart;
  const { data, minutes, faultShapes, faultLabels } = timeline;
  const LANE = 16; // pixels
  const NUMBER = 20; // pixels that the number of a step takes
  const HEIGHT = 420;
  const LANES = 6; // for which the height has room
  const BELOW = 96; // pixels for the axis and the legend

  // Steps at work, as strips above the chart: as many lanes as it takes for none to cover another.
  function strips(width) {
    const least = (NUMBER / Math.max(width, 1)) * data.lasts;
    const worked = data.steps.flatMap((step) => {
      if (step.finished) return [{ step, from: step.started[1], to: step.finished[1], open: false }];
      return step.openBegun ? [{ step, from: step.openBegun[1], to: data.until, open: true }] : [];
    }).sort((one, other) => one.from - other.from);
    const free = [];
    for (const strip of worked) {
      strip.lane = free.findIndex((end) => end <= strip.from);
      if (strip.lane < 0) strip.lane = free.length;
      free[strip.lane] = Math.max(strip.to, strip.from + least);
    }
    return { worked, lanes: free.length };
  }

  function drawCalls(element) {
    const margin = { l: 44, r: 12, b: BELOW };
    const across = element.clientWidth - margin.l - margin.r;
    const { worked, lanes } = strips(across);
    const height = HEIGHT + LANE * Math.max(lanes - LANES, 0);
    margin.t = 24 + LANE * lanes;
    const inside = height - margin.t - BELOW;
    const up = (pixels) => 1 + pixels / inside;
    const traces = data.calls.map((series) => ({
      type: "bar", name: say(series.name), x: series.mean.map((_, bin) => bin * data.width), y: series.mean, offset: 0,
      width: data.width, marker: { color: colour(series.outcome.replace(" ", "-")), line: { width: 0 } },
      hovertemplate: say("%{y:.1f}/min"),
    }));
    const tone = (strip) => colour(strip.step.critical ? "accent" : "accent-pale");
    const shapes = worked.flatMap((strip) => [
      { type: "rect", xref: "x", yref: "paper", x0: strip.from, x1: strip.to, y0: up(2 + LANE * strip.lane),
        y1: up(LANE * (strip.lane + 1)), fillcolor: tone(strip), opacity: strip.open ? 0.5 : 1,
        line: { width: 1, color: colour("surface") } },
      ...(strip.open ? [] : [{ type: "line", xref: "x", yref: "paper", x0: strip.to, x1: strip.to, y0: 0,
        y1: up(2 + LANE * strip.lane), line: { color: colour("soft"), width: 1, dash: "dot" }, opacity: 0.6 }]),
    ]);
    const labels = worked.map((strip) => ({
      xref: "x", yref: "paper", x: strip.from, y: up(LANE * strip.lane), xanchor: "left", yanchor: "bottom",
      showarrow: false, text: String(strip.step.number), hovertext: escape(strip.step.step), borderpad: 0,
      font: { size: 11, color: colour(strip.step.critical ? "surface" : "ink") }, bgcolor: tone(strip), height: LANE - 3,
    }));
    plot(element, traces, layout({
      height, barmode: "stack", bargap: 0, hovermode: "x unified", margin,
      xaxis: { ...minutes(say("minutes from the start")), unifiedhovertitle: { text: say("from minute %{x}") } },
      yaxis: { ...axis(), title: { text: say("attempts per minute"), font: { size: 12, color: colour("soft") } },
        rangemode: "tozero" },
      shapes: [...faultShapes(), ...shapes], annotations: [...faultLabels(2 + LANE * lanes, across), ...labels],
    }));
  }

  add("calls", drawCalls);
})();
