import time
from pathlib import Path

from recog_restore.report import html


def test_look(browser, make, search, hostile):
    out = Path("/tmp/look")
    out.mkdir(exist_ok=True)
    r = make({"bicubic-down8": 0.55, "clahe": -0.02, "gamma": 0.0})
    t = time.time()
    html.write([r], out / "one.html")
    print("one", (out / "one.html").stat().st_size, time.time() - t)
    b = make(
        {"bicubic-down8": 0.5, "mdfr": 0.1},
        seed=1,
        embedder="sphere20a-casia-112x96",
        partial="--limit 500: the first 500 comparisons.",
    )
    html.write([r, b, search()], out / "many.html")
    print("many", (out / "many.html").stat().st_size)
    html.write([hostile], out / "hostile.html")
    print("host", (out / "hostile.html").stat().st_size)
    html.write([search()], out / "search.html")
    for name in ("one", "many", "hostile", "search"):
        browser.scheme("light")
        browser.size(1200)
        browser.open(out / f"{name}.html")
        browser.screenshot(out / f"{name}-light.png", True)
        browser.scheme("dark")
        browser.screenshot(out / f"{name}-dark.png", True)
        browser.scheme("light")
        browser.size(360, 780)
        browser.screenshot(out / f"{name}-phone.png", True)
        browser.size(1200)
        browser.pdf(out / f"{name}.pdf")
        print(name, browser.errors, [u[:80] for u in browser.requests])
