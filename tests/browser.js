// What tests ask of a page from inside it; see browser.py.
window.asked = {
  // Charts follow a change of size a little later; a machine that is busy is given a minute.
  settled: async () => {
    const fits = (chart) => !chart.checkVisibility() || !chart._fullLayout
      || Math.abs(chart._fullLayout.width - chart.getBoundingClientRect().width) < 2;
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const until = performance.now() + 60_000;
    while (![...document.querySelectorAll(".js-plotly-plot")].every(fits)) {
      if (performance.now() > until) throw new Error("a chart has not the size of its place");
      await frame();
    }
    await frame();
    await frame();
  },

  // Charts draw themselves when they come near: all of the page that is shown are brought near.
  drawAll: async () => {
    const charts = [...document.querySelectorAll("[data-chart]")].filter((chart) => chart.checkVisibility());
    for (const chart of charts.filter((chart) => !chart._fullLayout)) {
      chart.scrollIntoView({ behavior: "instant" });
      const until = performance.now() + 60_000;
      while (!chart._fullLayout) {
        if (performance.now() > until) throw new Error(`not drawn: ${chart.cloneNode().outerHTML}`);
        await new Promise((done) => requestAnimationFrame(done));
      }
    }
    await asked.settled();
    asked.top();
  },

  // What is drawn in the page that is shown, by kind of chart, in the order of the page.
  charts: () => {
    const found = {};
    for (const chart of document.querySelectorAll("[data-chart]")) {
      if (!chart.checkVisibility()) continue;
      const { height, width } = chart.querySelector(".main-svg").getBoundingClientRect();
      (found[chart.dataset.chart] ??= []).push(JSON.parse(JSON.stringify({
        label: chart.ariaLabel, data: chart.data, layout: chart.layout, height, width,
        texts: [...chart.querySelectorAll("text")].map((text) => text.textContent),
      })));
    }
    return found;
  },

  // The text that is shown with the least contrast to what lies under it, in drawings as well; WCAG's formula.
  palest: () => {
    const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = ([red, green, blue]) => [red, green, blue].map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
      .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
    const under = (element) => {
      const colour = parts(element ? getComputedStyle(element).backgroundColor : "rgb(255, 255, 255)");
      return colour.length === 4 && colour[3] === 0 ? under(element.parentElement) : colour;
    };
    const written = (text) => {
      const box = text.closest(".annotation-text-g")?.querySelector("rect.bg");
      const filled = box && getComputedStyle(box).fillOpacity !== "0" && !/, 0\)$/.test(getComputedStyle(box).fill);
      return [getComputedStyle(text).fill, filled ? parts(getComputedStyle(box).fill) : under(text.closest(".chart"))];
    };
    const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const found = [...document.body.querySelectorAll("*")].filter((element) => element.checkVisibility()
      && (element.matches("svg text") || (own(element) && !element.matches("svg *, script, style")))).map((element) => {
      const [ink, paper] = element.matches("svg text") ? written(element) : [getComputedStyle(element).color, under(element)];
      const pair = [light(parts(ink)), light(paper)];
      return { ratio: (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), text: element.textContent.slice(0, 80) };
    });
    return found.sort((one, other) => one.ratio - other.ratio)[0];
  },

  // As if the page had just been opened: Tab goes on from where the focus was last, so it is put before everything.
  top: () => {
    const before = document.createElement("span");
    before.tabIndex = -1;
    document.body.prepend(before);
    before.focus();
    before.remove();
    scrollTo(0, 0);
  },

  // What reaches beyond the right edge of the page, and stands in nothing that scrolls by itself.
  tooWide: () => {
    const edge = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= edge) return [];
    const cut = (element) => element
      && (["auto", "scroll", "hidden"].includes(getComputedStyle(element).overflowX) || cut(element.parentElement));
    const beyond = [...document.body.querySelectorAll("*")].filter((element) => !cut(element.parentElement)
      && element.getBoundingClientRect().right > edge + 0.5);
    return [`${document.documentElement.scrollWidth} in ${edge}`, ...beyond.map((element) => element.cloneNode().outerHTML)];
  },

  // Which elements Tab has to reach: controls that are shown, by their place in the file.
  controls: () => [...document.querySelectorAll("*")].flatMap((element, place) => (
    element.matches("a[href], button:not(:disabled), summary, input, select, textarea, [tabindex]")
    && element.tabIndex >= 0 && element.checkVisibility({ visibilityProperty: true }) ? [place] : [])),

  focus: () => {
    const element = document.activeElement;
    if (!element || element === document.body) return { place: -1, what: "", shown: false };
    const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
    const outlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 1 && !/, 0\)$/.test(outlineColor);
    return {
      place: [...document.querySelectorAll("*")].indexOf(element), what: element.cloneNode().outerHTML,
      shown: element.matches(":focus-visible") && (outlined || boxShadow !== "none"),
    };
  },

  data: (id) => JSON.parse(JSON.stringify(document.getElementById(id).data)),

  barriers: async () => {
    const { violations } = await axe.run({ include: [["html"]], exclude: [[".main-svg"]] }, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target}: ${node.failureSummary}`));
  },
};
