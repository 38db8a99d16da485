"""What the player costs, in figures: `python -m tests.browser.bench [--loads 50]`. Needs the bundle and a Chromium.

The time to the first picture is of this machine, with software rendering; beside other busy processes it means little.
Script time is the processor time of script on the page's own thread, without layout, painting and the graphics card:
other processes do not add to it.
"""
from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.engine_motion import engine_squat
from tests.browser.player_page import BUNDLE, ROOT, PlayerServer

BONES = ROOT / "models" / "body" / "bones.glb"
ALL = "&muscles=/muscles.json"
MUSCLES = f"{ALL}&muscle-activity="
EVERYTHING = f"{MUSCLES}&ground-reaction=&joint-angles=&centre-of-mass=&hip-path="
KINDS = (("bones", ""), ("bones and muscles", MUSCLES), ("all overlays", EVERYTHING),
         ("sportswear", f"{ALL}&appearance=outfit"))
READY = "() => window.log?.some((entry) => entry.name === 'ready')"


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, 6))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--loads", type=int, default=50)
    loads = arguments.parse_args().loads
    server = PlayerServer()
    real = engine_squat()
    server.add_motion("/engine.json", real.playback)
    server.add_motion("/again.json", real.playback)
    server.add_motion("/muscles.json", real.muscles)
    server.files["/shipped.glb"] = ("model/gltf-binary", BONES.read_bytes())
    script, bones = compressed(BUNDLE.read_bytes()), len(BONES.read_bytes())
    motion, muscles = (compressed(server.files[name][1]) for name in ("/engine.json", "/muscles.json"))
    frames = real.playback["frames"]
    first = script + bones + motion + muscles
    print(f"payload, kB: script {script / 1e3:.0f}, bones {bones / 1e3:.0f}, motion of {frames} frames "
          f"{motion / 1e3:.0f}, its muscles {muscles / 1e3:.0f}; first {first / 1e3:.0f}, "
          f"next {(motion + muscles) / 1e3:.0f}")
    with sync_playwright() as playwright:
        program = os.environ.get("GENUFLEX_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--js-flags=--expose-gc"])
        for name, query in KINDS:
            page = browser.new_page(viewport={"width": 900, "height": 800})
            print(f"{name}: first picture after {first_picture(page, server, query):.0f} ms, "
                  f"script {script_per_frame(page):.2f} ms a frame")
            page.close()
        page = browser.new_page(viewport={"width": 500, "height": 500})
        first_picture(page, server, EVERYTHING)
        before, after, drawn = memory(page, loads)
        print(f"memory after {loads} more loads: {before / 1e6:.1f} -> {after / 1e6:.1f} MB of script; {drawn}")
        browser.close()
    server.close()


def first_picture(page: Page, server: PlayerServer, query: str) -> float:
    """Milliseconds from the navigation to the first picture of the motion, nothing in the cache."""
    page.goto(f"{server.url}/page?src=/engine.json&bones=/shipped.glb{query}")
    page.wait_for_function(READY)
    page.wait_for_function("() => player.inspect().renderedFrames > 0")
    return page.evaluate("() => window.log.find((entry) => entry.name === 'timeupdate' || entry.name === 'ready').at")


def script_per_frame(page: Page) -> float:
    page.wait_for_timeout(500)                      # muscles arrive after the first picture
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, drawn = script_ms(session), page.evaluate("() => player.inspect().renderedFrames")
    page.evaluate("() => { player.loop = true; player.play(); }")
    page.wait_for_timeout(5000)
    page.evaluate("() => player.pause()")
    return (script_ms(session) - before) / max(1, page.evaluate("() => player.inspect().renderedFrames") - drawn)


def script_ms(session: CDPSession) -> float:
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return 1000 * metrics["ScriptDuration"]


def memory(page: Page, loads: int) -> tuple[float, float, str]:
    """Bytes of script after five loads and after `loads` more; what lies in the graphics card's memory, both times."""
    def load(count: int) -> None:
        page.evaluate("""async (count) => {
          for (let i = 0; i < count; i += 1) {
            await new Promise((done) => {
              player.addEventListener("ready", done, { once: true });
              player.src = player.getAttribute("src") === "/again.json" ? "/engine.json" : "/again.json";
            });
            while (!player.inspect().muscles) await new Promise(requestAnimationFrame);
            player.drawFrame(0.3);
          }
          window.log.length = 0;
        }""", count)

    def used() -> float:
        page.evaluate("() => { gc(); gc(); }")
        return page.evaluate("() => performance.memory.usedJSHeapSize")

    load(5)
    before, card = used(), page.evaluate("() => player.inspect().memory")
    load(loads)
    return before, used(), f"{json.dumps(card)} -> {json.dumps(page.evaluate('() => player.inspect().memory'))}"


if __name__ == "__main__":
    main()
