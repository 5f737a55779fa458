"use strict";
(() => {
  const { colour, pale, tones, escape, plot, axis, say, add } = chart;
  const { data, begins, lasting, faultShapes, small, line } = timeline;

  function drawPorts(element, index) {
    const limit = data.ports[index];
    const top = Math.max(limit.raised, ...limit.p100);
    const caps = limit.raised > limit.cap ? [limit.raised, limit.cap] : [limit.cap];
    const title = limit.raised > limit.cap ? say("{name}: limit {cap}, raised to {raised}", { ...limit, name: escape(limit.name) })
      : say("{name}: limit {cap}", { name: escape(limit.name), cap: limit.cap });
    plot(element, [
      line(limit.p100, say("highest run"), "accent",
        { fill: "tozeroy", fillcolor: pale("accent", 0.16), line: { width: 0, shape: "hv" }, showlegend: false }),
      line(limit.p50, say("median run"), "accent", { showlegend: false }),
    ], small(title, {
      yaxis: { ...axis(), range: [0, top * 1.08], nticks: 5 },
      shapes: [...faultShapes(), ...caps.map((cap) => ({ type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: cap, y1: cap,
        line: { color: colour("bad"), width: 1.5, dash: "dash" } }))],
    }));
  }

  // A line is as thick as its level goes up and down within a bin; around it the other runs.
  function fan(one, tone) {
    const edge = { line: { width: 0, shape: "hv" }, hoverinfo: "skip", showlegend: false };
    const band = (low, high, share) => [
      line(low, "", tone, edge),
      line(high, "", tone, { ...edge, fill: "tonexty", fillcolor: pale(tone, share) }),
    ];
    const thin = { color: colour(tone), width: 1.5, shape: "hv" };
    const told = one.low.map((low, bin) => [low, one.high[bin], one.least[bin], one.most[bin]]);
    const all = data.runs > 1 ? say("%{customdata[0]} to %{customdata[1]}, all runs %{customdata[2]} to %{customdata[3]}")
      : say("%{customdata[0]} to %{customdata[1]}");
    return [
      ...(data.runs > 1 ? [...band(one.least, one.most, 0.1), ...band(one.p10, one.p90, 0.18)] : []),
      line(one.low, "", tone, { line: thin, hoverinfo: "skip", showlegend: false }),
      line(one.high, escape(one.name), tone, { line: thin, fill: "tonexty", fillcolor: pale(tone, 0.6),
        customdata: lasting(told), hovertemplate: all }),
    ];
  }

  function drawLevels(element, index) {
    const level = data.levels[index];
    plot(element, level.lines.flatMap((one, i) => fan(one, tones[i % tones.length])), small(say(level.title), {
      height: 240, yaxis: { ...axis(), rangemode: "tozero", nticks: 5 }, showlegend: true,
      margin: { l: 36, r: 10, t: 34, b: 58 },
    }));
  }

  // A bin before a gap is there twice, or its line would end where it begins.
  function untilGaps({ shares, calls }) {
    const points = begins(shares.length).flatMap((x, bin) => {
      const [before, here] = [shares[bin - 1] ?? null, shares[bin] ?? null];
      const ends = before === null || here !== null ? [] : [[x, before, calls[bin - 1]]];
      return here === null && bin === shares.length ? ends : [...ends, [x, here, calls[bin] ?? 0]];
    });
    return { x: points.map(([x]) => x), y: points.map(([, y]) => y), customdata: points.map(([, , of]) => of) };
  }

  function drawService(element, index) {
    const queue = data.service[index];
    const target = (wanted) => ({
      type: "line", xref: "x", yref: "y", x0: wanted.from, x1: wanted.to, y0: wanted.share, y1: wanted.share,
      line: { color: colour("bad"), width: 1.5, dash: "dash" },
    });
    const targets = queue.targets.map((wanted) => ({
      xref: "x", yref: "y", x: wanted.to, y: wanted.share, xanchor: "right", yanchor: wanted.share > 0.5 ? "top" : "bottom",
      showarrow: false, text: escape(say(wanted.text)), font: { size: 11, color: colour("bad") },
    }));
    plot(element, [line(queue.shares, "", "accent", {
      ...untilGaps(queue), connectgaps: false, showlegend: false,
      hovertemplate: say("%{y:.1%} of %{customdata:.1f} calls a run") + "<extra></extra>",
    })], small(say("{queue}: answered within {time}", { queue: escape(queue.name), time: say(queue.within) }), {
      height: 240, yaxis: { ...axis(), range: [0, 1.04], tickformat: ".0%", nticks: 5 },
      margin: { l: 44, r: 10, t: 34, b: 30 }, shapes: [...faultShapes(), ...queue.targets.map(target)],
      annotations: targets,
    }));
  }

  add("ports", drawPorts);
  add("levels", drawLevels);
  add("service", drawService);
})();
