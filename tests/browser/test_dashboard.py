"""The page in a real browser: what a person sees, and what it says when nothing new comes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.dashboard.messages import Show
from shared.facts import Positions as PositionsFact
from shared.facts import SwitchStatus
from shared.topics import EXECUTION, FEED_MARKET, RISK
from tests.builders.browser import Browser, chromium
from tests.builders.dashboard import Dashboard, order_fact
from tests.builders.markets import UP, position
from tests.builders.served import Served

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium here")

HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
NO_SIZE = "\u2013"
"""A level of which state shows nothing: ours rests outside of the book's best."""

WIDTHS = ((1440, 900), (834, 1100), (390, 844))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    made = Browser()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    try:
        made.wait_until_serving()
        yield made
    finally:
        made.edge.close()


class Watcher:
    """A board, its server and the browser that looks at it."""

    def __init__(self, board: Dashboard, served: Served, browser: Browser) -> None:
        self.board = board
        self.served = served
        self.browser = browser
        browser.complaints.clear()
        browser.requested.clear()
        browser.look(1440, 900)

    def show(self) -> Show:
        """Send what the board showed last, with the newest curves."""
        history = next((one.history for one in reversed(self.board.shown) if one.history), b"")
        newest = self.board.shown[-1]
        self.served.show(
            Show(
                page=newest.page,
                history=history,
                ready=newest.ready,
                reasons=newest.reasons,
                checks=newest.checks,
                metrics=newest.metrics,
                at_ns=newest.at_ns,
            )
        )
        return newest

    def open(self) -> None:
        self.show()
        self.browser.open(f"http://127.0.0.1:{self.served.port}/")
        self.browser.wait_until("window.interlock && window.interlock.page !== null")


@pytest.fixture
def watcher(tmp_path: Path, served: Served, browser: Browser) -> Watcher:
    """A page of a group that trades, with one order of ours and a position."""
    board = Dashboard(tmp_path)
    board.speak()
    board.fact(EXECUTION, "execution.order", order_fact())
    board.run(5_000)
    board.fact(EXECUTION, "execution.positions", PositionsFact((position(UP, 10),)))
    board.run(1_000)
    made = Watcher(board, served, browser)
    made.open()
    return made


@pytest.mark.req("OP-4")
def test_trading_group_is_seen_at_one_glance_and_nothing_comes_from_elsewhere(
    watcher: Watcher,
) -> None:
    browser = watcher.browser
    assert browser.text("#headline") == "ACTIVE"
    assert browser.text("#reasons") == ""
    row = browser.text("#markets .ladder tr.bid.ours")
    assert row.split() == ["4", "0.48", NO_SIZE], row
    assert "Up" in browser.text("#positions")
    assert browser.read("document.title").startswith("● ACTIVE")
    browser.wait_until("document.querySelectorAll('.main-svg').length >= 2")
    assert browser.complaints == []
    assert all(
        f"//127.0.0.1:{watcher.served.port}/" in one for one in browser.requested if "://" in one
    )


@pytest.mark.req("OP-4", "INV-11")
def test_page_whose_server_is_silent_ages_by_itself_and_calls_nothing_current(
    watcher: Watcher,
) -> None:
    browser = watcher.browser
    browser.wait_until("document.querySelector('#headline').textContent.startsWith('UNKNOWN')")
    assert "It said ACTIVE" in browser.text("#was")
    assert browser.read("document.title").startswith("? UNKNOWN")
    assert browser.read("document.body.classList.contains('lost')")
    assert "Everything below is old" in browser.text("#lost")
    ages = "[...document.querySelectorAll('#vitals .age, #feeds .age, #components .age')]"
    browser.wait_until(
        "parseInt(document.querySelector('#lost').textContent.match(/\\d+/)[0]) >= 4"
    )
    texts = browser.read(f"{ages}.map((age) => age.textContent)")
    assert len(texts) > 20
    live = [text for text in texts if text == "<1 s"]
    assert live == [], "nothing is younger than the silence"
    assert browser.read("document.querySelectorAll('#components .age.stale').length") >= 10
    assert float(browser.read("getComputedStyle(document.querySelector('main')).opacity")) <= 0.7
    watcher.board.run(6_000)
    watcher.show()
    browser.wait_until("document.querySelector('#headline').textContent === 'ACTIVE'")
    assert browser.read("document.querySelector('#lost').hidden")


@pytest.mark.req("INV-11")
def test_feed_that_is_cut_grows_old_on_the_page_and_ends_readiness(watcher: Watcher) -> None:
    watcher.board.silent.add(FEED_MARKET)
    watcher.board.run(12_000)
    watcher.show()
    browser = watcher.browser
    browser.wait_until("document.querySelector('#feeds').innerText.includes('stale 1')")
    row = browser.text("#feeds tbody tr")
    assert "market" in row
    assert row.count("stale") == 3
    assert "Not ready: feed market not heard any more" in browser.text("#was")
    assert browser.read("document.querySelector('#verdict').classList.contains('warn')")


@pytest.mark.req("INV-11")
def test_page_of_nothing_heard_shows_unknown_and_no_zero(
    tmp_path: Path, served: Served, browser: Browser
) -> None:
    board = Dashboard(tmp_path)
    board.run(1_000, speaks=False)
    Watcher(board, served, browser).open()
    assert browser.text("#headline") == "DOWN: risk is not heard"
    for panel in ("#switches", "#positions", "#markets", "#components"):
        assert "unknown" in browser.text(panel), panel
    assert browser.text("#money .body").count("unknown") == 3
    assert "0.00" not in browser.text("main")
    assert browser.text("#feeds").count("not heard") == 4


def test_latch_names_the_command_and_text_of_others_stays_text(watcher: Watcher) -> None:
    halt = SwitchStatus("operator_halt", "account", "", "latch", 1, 10**18, HOSTILE, "uid 0")
    watcher.board.spoil[RISK] = {
        "trading_state": "HALTED",
        "reasons": (f"operator_halt: {HOSTILE}",),
        "switches": (halt,),
    }
    watcher.board.run(1_000)
    watcher.show()
    browser = watcher.browser
    browser.wait_until("document.querySelector('#headline').textContent === 'HALTED'")
    assert 'interlock resume --reason "..."' in browser.text("#switches")
    assert HOSTILE in browser.text("#reasons")
    assert browser.read("document.images.length") == 0
    assert browser.read("document.title").startswith("■ HALTED")


@pytest.mark.req("OP-4")
@pytest.mark.parametrize("dark", [False, True])
def test_page_fits_every_width_and_scheme_with_enough_contrast(
    watcher: Watcher, *, dark: bool
) -> None:
    browser = watcher.browser
    for width, height in WIDTHS:
        browser.look(width, height, dark=dark)
        assert browser.read("document.documentElement.scrollWidth") <= width
    browser.look(1440, 900, dark=dark)
    for selector in ("#headline", ".quiet", "h2", ".mark.good", ".ask .price", ".bid .price"):
        ratio = browser.read(CONTRAST.replace("SELECTOR", selector))
        assert ratio >= 4.5, (selector, ratio)


def test_keyboard_reaches_everything_and_a_fold_stays_as_it_was_left(watcher: Watcher) -> None:
    browser = watcher.browser
    press = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    browser.call("Input.dispatchKeyEvent", type="keyDown", **press)
    assert browser.read("document.activeElement.className") == "skip"
    browser.read("document.querySelector('#markets summary').click()")
    assert browser.read("document.querySelector('#markets details').open") is False
    watcher.board.run(1_000)
    at_ms = browser.read("window.interlock.page.at_ms")
    watcher.show()
    browser.wait_until(f"window.interlock.page.at_ms > {at_ms}")
    assert browser.read("document.querySelector('#markets details').open") is False
    assert browser.read("document.querySelectorAll('section:not([aria-labelledby])').length") == 0
    assert browser.read("document.querySelector('#headline').ariaLive") == "polite"


@pytest.mark.req("INV-11")
def test_held_up_message_and_sleeping_machine_make_nothing_look_younger(watcher: Watcher) -> None:
    held_up, slept = watcher.browser.read(CLOCK)
    assert held_up == 1_500
    assert slept == 61_500


CLOCK = """import("/clock.js").then(({ Clock }) => {
  let [page, wall] = [0, 0];
  const clock = new Clock(() => page, () => wall);
  clock.hear(1000, 0);
  page = wall = 500;
  clock.hear(1400, 0);  // made 100 ms before it came
  const heldUp = clock.now();
  wall += 60000;  // the page's own clock stood still meanwhile
  return [heldUp, clock.now()];
})"""

CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const element = document.querySelector("SELECTOR");
  const back = (node) => parse(getComputedStyle(node).backgroundColor);
  let behind = element;
  while (back(behind)[3] === 0) behind = behind.parentElement;
  const [a, b] = [light(parse(getComputedStyle(element).color)), light(back(behind))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})()"""
"""Contrast ratio of a text. Source: https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio."""
