# Copyright: the cvops.custom_vision contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as a browser shows it, on a desk and on a phone, by day and by night.

Each view is left in tests/output/, for people to look at.
"""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from reported import made_up
from selenium import webdriver

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests/output"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
WIDTHS = {"desk": 1280, "phone": 390}
LEAST_CONTRAST = 4.5  # for text of normal size, WCAG 2.2 level AA

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="tests in a browser need Chromium and chromedriver, see tests/browser.sh"
)

# The contrast, by WCAG's formula, of all that is written with the first opaque background below it; gives the
# lowest and the text that has it.
CONTRAST = """
const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
const light = colour => numbers(colour).slice(0, 3)
  .map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
  .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
const clear = colour => numbers(colour)[3] === 0;
const below = element => {
  const colour = getComputedStyle(element).backgroundColor;
  return clear(colour) && element.parentElement ? below(element.parentElement) : colour;
};
const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let lowest = [21, ''];
while (words.nextNode()) {
  const text = words.currentNode.textContent.trim();
  if (!text) continue;
  const element = words.currentNode.parentElement;
  const [dark, bright] = [light(getComputedStyle(element).color), light(below(element))].sort((a, b) => a - b);
  const contrast = (bright + 0.05) / (dark + 0.05);
  if (contrast < lowest[0]) lowest = [contrast, text];
}
return lowest;
"""
# What is cut off or sticks out is wider inside than outside, or ends beyond the window.
TOO_WIDE = """
return [...document.querySelectorAll('main *, footer *')].filter(
  element => !element.closest('thead') && element.getBoundingClientRect().right > innerWidth + 0.5
).map(element => element.outerHTML);
"""
# Numbers and words that are broken in the middle, for want of width.
BROKEN = """
return [...document.querySelectorAll('td.number, td.still, .mark')].filter(element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return range.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(element).fontSize);
}).map(element => element.outerHTML);
"""


@pytest.fixture(name="browser")
def fixture_browser(monkeypatch, tmp_path):
    # Selenium talks to the driver by this name.
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    # The page of a new tab asks for things of its own.
    driver.get("about:blank")
    requested(driver)
    yield driver
    driver.quit()


@pytest.fixture(name="view")
def fixture_view(browser):
    """Opens a page in a window so wide and in a scheme, and leaves a picture of it."""

    def view(name, page, screen, scheme):
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": WIDTHS[screen], "height": 844, "deviceScaleFactor": 1, "mobile": screen == "phone",
        })
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "media": "screen", "features": [{"name": "prefers-color-scheme", "value": scheme}],
        })
        browser.get(page.as_uri())
        picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        OUTPUT.mkdir(exist_ok=True)
        (OUTPUT / f"report-{name}-{screen}-{scheme}.png").write_bytes(base64.b64decode(picture["data"]))

    return view


def requested(browser):
    """The addresses that the browser asked for since it was last asked."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}


def check_views(browser, view, name, page, texts):
    """Looks at a page on each screen in each scheme."""
    for screen, width in WIDTHS.items():
        for scheme in ("light", "dark"):
            view(name, page, screen, scheme)
            where = f"{screen}, {scheme}"
            shown = browser.execute_script("return document.body.innerText")
            assert [text for text in texts if text not in shown] == [], where
            inner, scrolled = browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
            assert scrolled <= inner == width, where
            assert browser.execute_script(TOO_WIDE) == [], where
            assert browser.execute_script(BROKEN) == [], where
            contrast, text = browser.execute_script(CONTRAST)
            assert contrast >= LEAST_CONTRAST, f"{where}: {text}"
            background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
            assert (background == "rgb(245, 246, 247)") == (scheme == "light"), where
    assert requested(browser) - {"data:,"} == {page.as_uri()}
    assert browser.get_log("browser") == []


def identifier(number):
    return f"{number:08x}-4af2-4c0a-9d1e-{number * 7919:012x}"


def copy_of(name, number, **changes):
    """A copy of a project as one really looks."""
    project = {"id": identifier(number), "name": name}
    there = {"id": identifier(number + 100), "name": name, "status": "Succeeded", "created": "2026-11-23T19:00:36.7Z"}
    usual = {
        "name": name, "source": project, "destination": there, "published": [], "set_aside": [], "deleted": [],
        "counts": {"iterations": number, "tags": 3 * number, "tagged_images": 1240 * number},
    }
    return made_up(**{**usual, **changes})


REFUSED = (
    f"GET /customvision/v3.3/training/projects/{identifier(4)}/export of the source resource at "
    "https://vision-dev.cognitiveservices.azure.com was refused with 403 Forbidden: The operation is forbidden. The "
    "resource's firewall may not let this host in, it may have key-based authentication switched off (then use "
    "source.access_token), or the identity lacks the right: exporting and importing takes the role Contributor. The "
    "service knows this request as apim-request-id 1cf5e46c-37bb-4cd3-8f4b-0fd9a0b7f9d2."
)
UNBROKEN = "line7_station3_camera2_widget_inspection_multiclass_2026w47_retrained_after_new_lighting_" * 2
SIDES = {
    f"promote_{side}": {"endpoint": f"https://vision-{name}.cognitiveservices.azure.com"}
    for side, name in {"source": "dev", "destination": "prod-westeurope"}.items()
}


def test_the_report_can_be_read_on_each_screen_in_each_scheme(browser, view, pages_of):
    copies = [
        copy_of("Widget inspection", 1, action="copied", published=["production", "canary"]),
        copy_of(
            "Shelf stock (EU)", 2, source={"id": identifier(2), "name": "Shelf stock"},
            set_aside=["Shelf stock (EU) (superseded 20261123T190036Z)"],
            deleted=["Shelf stock (EU) (superseded 20261009T081500Z)", "Shelf stock (EU) (failed 20261123T184512Z)"],
        ),
        copy_of("Returned parts", 3, action="unchanged", verified=False),
        copy_of("Café crème 検査 \u05e9\u05dc\u05d5\u05dd", 5, action="waited"),
        copy_of(
            "Gadget assembly", 4, action="failed", destination=None, counts=None, verified=None,
            error=f"project 'Gadget assembly': {REFUSED}",
        ),
        copy_of(UNBROKEN, 6, action="failed", verified=False, error=f"project '{UNBROKEN}': It lacks 3 of 7440 images.",
                set_aside=[f"{UNBROKEN} (failed 20261123T190036Z)"], published=[UNBROKEN]),
    ]
    good = [copy for copy in copies if copy["error"] is None]
    warnings = [
        "project 'Returned parts': it stays as it is, because 'Returned parts (withdrawn 20261123T184512Z)' equals the "
        "source and was rolled back on purpose: train or change the source to promote it again",
        f"project '{UNBROKEN}': another run brought the copy about first, so that of this run is not needed",
    ]
    refused = f"GET /customvision/v3.3/training/projects of the destination resource: {REFUSED}"
    mixed, success, failure = pages_of({
        "prod-westeurope": {
            "failed": True, "msg": " ".join(copy["error"] for copy in copies if copy["error"]), "copies": copies,
            "warnings": warnings,
        },
        "good": {"copies": good, "warnings": warnings[:1]},
        "bad": {"failed": True, "msg": refused, "copies": []},
    }, **SIDES)
    everywhere = [side["endpoint"] for side in SIDES.values()]
    check_views(browser, view, "mixed", mixed.path, [
        *everywhere, "2 projects promoted, 1 waited for, 1 unchanged, 2 failed", "✕ Failed", "What went wrong", REFUSED,
        "Warnings", *warnings,
        *(text for copy in copies for text in (
            copy["name"], copy["source"]["id"], *copy["published"], *copy["set_aside"], *copy["deleted"],
        )),
    ])
    check_views(browser, view, "success", success.path, [
        *everywhere, "2 projects promoted, 1 waited for", "✓ Succeeded", "There is a warning, see below.", warnings[0],
    ])
    check_views(browser, view, "failure", failure.path, [*everywhere, "Nothing was promoted", "✕ Failed", refused])
