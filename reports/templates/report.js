// Draws the plots in the colours of the theme, switches it, and opens everything for printing.
"use strict";
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

  // A specification names colours as variables of the style sheet.
  const COLOUR = /^--(text|muted|grid|paper|series-\d|(non-)?mated(-fill)?)$/;
  function coloured(value, style) {
    if (typeof value === "string") return COLOUR.test(value) ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map((entry) => coloured(entry, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, coloured(entry, style)]));
  }

  // Named one by one: plotly's own set has a button that uploads the chart.
  const config = { displaylogo: false, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };
  function draw(node, width) {
    const style = getComputedStyle(root);
    const spec = coloured(JSON.parse(node.nextElementSibling.textContent), style);
    const across = width || node.clientWidth;
    const named = spec.data.filter((line) => line.showlegend !== false);
    const longest = Math.max(0, ...named.map((line) => line.name.length));
    const abreast = Math.max(1, Math.floor((0.9 * across) / (55 + 6.5 * longest)));
    const rows = Math.ceil(named.length / abreast); // of the legend: it shall not take them from the plot
    Object.assign(spec.layout, {
      width: across,
      height: spec.layout.height + 19 * Math.max(0, rows - 1),
      font: { ...spec.layout.font, family: getComputedStyle(document.body).fontFamily },
      // A finger on a plot scrolls the page.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    });
    Plotly.react(node, spec.data, spec.layout, config);
  }
  // Plots inside closed details have no width: they are drawn when first seen.
  const visible = (within) => [...within.querySelectorAll(".drawing")].filter((node) => !node.closest("details:not([open])"));
  const drawAll = () => visible(document).forEach((node) => draw(node));

  function label() {
    document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));
  }
  function themed() {
    label();
    drawAll();
  }
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    themed();
  });
  system.addEventListener("change", themed);

  document.addEventListener("toggle", (event) => {
    if (event.target.open) visible(event.target).forEach((node) => draw(node));
  }, true);
  let seen = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== seen) drawAll();
    seen = innerWidth;
  });

  // A link into closed details opens them.
  function reveal() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target) target.scrollIntoView();
  }
  addEventListener("hashchange", reveal);

  const PRINTED = 325; // px: half of what A4 has between its margins
  let before = null;
  addEventListener("beforeprint", () => {
    before = { theme: root.dataset.theme, closed: [...document.querySelectorAll("details:not([open])")] };
    root.dataset.theme = "light";
    before.closed.forEach((node) => { node.open = true; });
    visible(document).forEach((node) => draw(node, PRINTED));
  });
  addEventListener("afterprint", () => {
    if (before.theme) root.dataset.theme = before.theme; else delete root.dataset.theme;
    before.closed.forEach((node) => { node.open = false; });
    before = null;
    drawAll();
  });

  themed();
  reveal();
})();
