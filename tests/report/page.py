"""What is asked of a page in a browser: nothing sticks out, everything can be read, everything can be clicked."""

from __future__ import annotations

from typing import Any

from .browser import Browser

_CLICKABLE = "button, summary, a[href^='#'], .modebar-btn, .legendtoggle"

_FAINT = """(() => {
  const channels = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    return { rgb: found.slice(0, 3), alpha: found.length > 3 ? found[3] : 1 };
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const faint = {};
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.getClientRects().length || ["SCRIPT", "NOSCRIPT", "STYLE"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const colour = channels(node instanceof SVGElement ? style.fill : style.color).rgb;
    const [high, low] = [light(colour), light(ground(node))].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const name = `${node.tagName}.${node.getAttribute("class")} ${ratio.toFixed(2)}`;
    if (ratio < 4.5) faint[name] = node.textContent.slice(0, 40);
  }
  return Object.entries(faint).map((entry) => entry.join(": "));
})()"""


def faint(browser: Browser) -> list[str]:
    """Texts whose contrast to their ground is below 4.5 : 1 (WCAG 2 AA), by element."""
    return list(browser.evaluate(_FAINT))


def overhang(browser: Browser) -> int:
    """The pixels by which the page is wider than the window."""
    return int(browser.evaluate("document.documentElement.scrollWidth - innerWidth"))


def click_everything(browser: Browser) -> dict[str, int]:
    """Click all that can be clicked, in opened details too; how many of each kind, or what lies under another."""
    clicked: dict[str, int] = {}
    _open_all(browser)
    number = int(browser.evaluate(f"document.querySelectorAll({_CLICKABLE!r}).length"))
    for index in range(number):
        place = _place(browser, index)
        if place is None:
            continue
        browser.click(place["x"], place["y"])
        clicked[place["kind"]] = clicked.get(place["kind"], 0) + 1
        if place["kind"] == "summary" and (place := _place(browser, index)):  # closed now: opened for what is in it
            browser.click(place["x"], place["y"])
    browser.evaluate("new Promise(done => setTimeout(done, 500))")  # plotly waits for a double click
    return clicked


def _open_all(browser: Browser) -> None:
    while browser.evaluate("document.querySelectorAll('details:not([open]) > summary').length"):
        browser.evaluate("document.querySelector('details:not([open]) > summary').click()")
    browser.settle()


def _place(browser: Browser, index: int) -> dict[str, Any] | None:
    found = browser.evaluate(
        f"""(() => {{
          const node = document.querySelectorAll({_CLICKABLE!r})[{index}];
          if (!node || !node.getClientRects().length) return null;
          node.scrollIntoView({{ block: "center", behavior: "instant" }});
          const box = node.getBoundingClientRect();
          if (box.right < 0) return null; // the skip link, until it has the focus
          const x = box.x + Math.min(box.width / 2, 60), y = box.y + box.height / 2;
          const kind = node.tagName === "rect" ? "legend" : node.tagName.toLowerCase();
          const met = node.contains(document.elementFromPoint(x, y));
          return {{ x, y, kind: met ? kind : `covered: ${{node.outerHTML}}` }};
        }})()"""
    )
    return None if found is None else dict(found)
