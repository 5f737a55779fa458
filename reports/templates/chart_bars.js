"use strict";
(() => {
  const { colour, pale, escape, plot, axis, layout, say, add } = chart;
  const { data } = timeline;
  const SHADES = [1, 0.72, 0.5, 0.32];
  const TONES = { customer: "series-1", vendor: "series-2", carrier: "series-3", shared: "series-5" };

  function bars(element, names, parts, title) {
    const wide = element.clientWidth > 560;
    const legend = Math.ceil(parts.length / (wide ? 3 : 1)) * 19;
    plot(element, parts.map((part) => ({
      type: "bar", orientation: "h", name: part.name, y: names.map((_, row) => row), x: part.mean,
      marker: { color: part.colour, line: { width: 1, color: colour("surface") } }, hovertemplate: part.told,
    })), layout({
      height: 70 + 38 * names.length + legend, barmode: "stack", bargap: 0.35, hovermode: "closest", showlegend: true,
      margin: { l: 12, r: 12, t: 8, b: 50 + legend },
      xaxis: { ...axis(), rangemode: "tozero", title: { text: title, font: { size: 12, color: colour("soft") } } },
      yaxis: { ...axis(), showgrid: false, autorange: "reversed", tickvals: names.map((_, row) => row), ticktext: names },
    }));
  }

  function drawLosses(element) {
    const names = data.losses.rows.map((row) => [escape(say(row.name)), row.direction && `(${say(row.direction)})`].filter(Boolean).join(" "));
    bars(element, names, data.losses.parts.map((part) => {
      const name = [say(part.name), escape(say(part.reason))].filter(Boolean).join(": ");
      return { name, mean: part.mean, colour: pale(part.outcome, SHADES[part.rank]), told: `${name}<br>%{x:.1f}<extra></extra>` };
    }), say("attempts in a run"));
  }

  function drawOutages(element) {
    bars(element, data.outages.names.map((name) => escape(say(name))),
      data.outages.owners.filter((owner) => owner.mean.some(Boolean)).map((owner) => ({
        name: say(owner.name), mean: owner.mean, colour: colour(TONES[owner.owner]),
        told: `${say(owner.name)}<br>${say("%{x:.1f} min")}<extra></extra>`,
      })), say("minutes without service in a run"));
  }

  add("losses", drawLosses);
  add("outages", drawOutages);
})();
