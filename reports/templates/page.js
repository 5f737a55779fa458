"use strict";
(() => {
  const buttons = [...document.querySelectorAll("button[data-language]")];
  const pages = [...document.querySelectorAll("[data-page]")];
  const shown = () => pages.find((page) => page.matches("main *") && !page.hidden);

  // The section that is being read stays where it is on the screen.
  const place = () => {
    const sections = [...shown().querySelectorAll("section[id]")];
    const read = sections.findLastIndex((section) => section.getBoundingClientRect().top < innerHeight / 3);
    return read < 0 ? null : { read, top: sections[read].getBoundingClientRect().top };
  };
  const show = (language) => {
    const before = place();
    for (const page of pages) page.hidden = page.dataset.page !== language;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === language));
    document.documentElement.lang = language;
    document.title = shown().dataset.title;
    document.dispatchEvent(new Event("page-shown"));
    if (before === null) return;
    const section = shown().querySelectorAll("section[id]")[before.read];
    scrollBy({ top: section.getBoundingClientRect().top - before.top, behavior: "instant" });
  };
  // A link to a part of the page in the other language leads there.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const page = target?.closest("main [data-page]");
    if (!page?.hidden) return;
    show(page.dataset.page);
    target.scrollIntoView({ behavior: "instant" });
  };
  // Tables are stops on the way of the Tab key only where they can be scrolled.
  const reach = () => {
    for (const region of shown().querySelectorAll(".scrolled")) {
      region.tabIndex = region.scrollWidth > region.clientWidth ? 0 : -1;
    }
  };
  // What is folded, and has its place on paper, is opened for as long as it takes.
  const opened = new Set();
  const unfold = () => shown().querySelectorAll('details[data-paper="open"]:not([open])').forEach((part) => {
    part.open = true;
    opened.add(part);
  });
  const fold = () => {
    opened.forEach((part) => { part.open = false; });
    opened.clear();
  };
  addEventListener("beforeprint", unfold);
  addEventListener("afterprint", fold);
  addEventListener("resize", reach);
  document.addEventListener("page-shown", reach);
  document.addEventListener("toggle", reach, true);

  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.language));
  buttons[0].parentElement.hidden = false;
  addEventListener("hashchange", follow);
  reach();
  follow();
})();
