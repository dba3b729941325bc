"""The page of `python -m bot preview` as a person uses it: a real process, and a real browser.

`SCREENSHOTS=1 python -m pytest tests/operator/test_preview_page.py` also renews the README's pictures in
docs/images.
"""

import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from bot.images.chart import SIZE
from bot.images.portrait import MAX_SIDE_PX
from tests.support.paths import ROOT
from tests.support.preview import WITHIN, Preview

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
BROWSER_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=WITHIN * 1000)

needs_browser = pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome on the PATH")


@pytest.fixture
async def page(preview: Preview, tmp_path: Path) -> AsyncGenerator[Page]:
    """The preview's page in a browser, as the first of its people sees it."""
    url = await preview.line(r"http://127\.0\.0\.1:\d+/\S+")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=BROWSER,
            args=BROWSER_OPTIONS,
            viewport={"width": 1200, "height": 800},
            # The page forbids eval, by which Playwright waits for what its scripts say.
            bypass_csp=True,
        )
        page = browser.pages[0]
        page.set_default_timeout(WITHIN * 1000)
        await page.goto(url)
        yield page
        await browser.close()


async def settled(page: Page) -> None:
    """The page shows what it was last told, and takes what is typed into it."""
    await page.wait_for_function(
        "simcordPreview.ready && simcordPreview.commandPicker.catalog.state === 'ready'"
    )


async def view_as(page: Page, person: str) -> None:
    await settled(page)
    await page.get_by_label("Viewing as").select_option(person)
    await settled(page)


async def use(page: Page, command: str, **options: str) -> None:
    """Choose a command from the list and type its options, leaving the last one open."""
    await settled(page)
    message = page.get_by_label("Message", exact=True)
    await message.press_sequentially(f"/{command}")
    # By a key: the list may be drawn anew between the two halves of a click, which then chooses nothing.
    await page.get_by_role("option", name=f"/{command}", selected=True).wait_for()
    await message.press("Enter")
    await page.get_by_role("button", name=f"Command /{command}").wait_for()
    for option, value in options.items():
        await page.get_by_label(f"{option}, required", exact=True).press_sequentially(value)


async def send(page: Page) -> None:
    await page.get_by_role("button", name="Send").click()


def messages(page: Page) -> Locator:
    return page.get_by_role("log").get_by_role("article")


async def picture(page: Page, name: str, shown: Locator | None = None) -> None:
    """Renew one of the README's pictures, if that is wished for.

    Args:
        page: in a browser.
        name: of the picture.
        shown: what is to be seen on it, in full; by default the page as a person sees it.
    """
    if not os.environ.get("SCREENSHOTS"):
        return
    await settled(page)
    path = ROOT / "docs" / "images" / f"{name}.png"
    if shown is None:
        await page.get_by_text("Who is who").click()  # so that no message is highlighted
        await page.screenshot(path=path)
        return
    usual = page.viewport_size
    assert usual is not None
    await page.set_viewport_size({"width": 1000, "height": 1800})
    await page.add_style_tag(content="[role=dialog] { max-height: none !important }")
    await settled(page)
    await shown.screenshot(path=path)
    await page.set_viewport_size(usual)
    await settled(page)


@needs_browser
async def test_a_member_finds_a_hero_and_only_its_owner_reads_who_it_is(page: Page, preview: Preview) -> None:
    await use(page, "hero find", name="dead")
    await page.get_by_role("option", name="Deadpond").click()
    await send(page)
    card = messages(page).filter(has_text="Talks to the reader.")
    await expect(card).to_contain_text("Played by @Mara · here since")

    await card.get_by_role("button", name="Secret identity").click()
    answer = messages(page).last
    await expect(answer).to_contain_text("Only you can see this")
    await expect(answer).to_contain_text("Dive Wilson")
    await picture(page, "preview")

    await view_as(page, "Tom (keeper)")
    await expect(messages(page).filter(has_text="Dive Wilson")).to_have_count(0)
    await card.get_by_role("button", name="Secret identity").click()
    await expect(messages(page).last).to_contain_text("You could ask them nicely.")
    preview.process.terminate()
    await preview.ended()


@needs_browser
async def test_a_mistake_is_answered_with_a_sentence_and_not_with_a_failure(
    page: Page, preview: Preview
) -> None:
    await use(page, "hero add", name="DEADPOND", secret_name="Somebody Else")
    await send(page)
    await expect(messages(page).last).to_contain_text("The name “Deadpond” is taken: @Mara plays that hero.")
    await use(page, "hero find", name="dedpont")
    await send(page)
    await expect(messages(page).last).to_contain_text("Did you mean one of these?")
    await use(page, "hero find", name="zzzzzz")
    await send(page)
    await expect(messages(page).last).to_contain_text("no name comes close")

    await page.get_by_role("button", name="Inspector").click()
    await page.get_by_role("tab", name="Diagnostics").click()
    await expect(page.get_by_role("tabpanel", name="Diagnostics")).to_contain_text("No warnings or errors.")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="End preview session").click()
    await preview.ended()


@needs_browser
async def test_a_member_leafs_through_the_roster_and_edits_a_hero_in_a_form(
    page: Page, preview: Preview
) -> None:
    await use(page, "hero list")
    await send(page)
    roster = messages(page).filter(has_text="13 heroes")
    await expect(roster).to_contain_text("Page 1 of 2")
    await picture(page, "list", roster)
    await roster.get_by_role("button", name="Next").click()
    await expect(roster).to_contain_text("Page 2 of 2")
    await roster.get_by_role("combobox", name="Open a card, for you alone").click()
    await page.get_by_role("option", name="The Procrastinator").click()
    card = messages(page).last
    await expect(card).to_contain_text("Only you can see this")
    await expect(card).to_contain_text("Will save the world. Tomorrow.")

    await use(page, "hero edit", name="procr")
    await page.get_by_role("option", name="The Procrastinator").click()
    await send(page)
    form = page.get_by_role("dialog")
    await expect(form.get_by_label("Secret identity")).to_have_value("Lena Later")
    await expect(form.get_by_label("Description")).to_have_value("Will save the world. Tomorrow.")
    await form.get_by_label("Description").fill("Will save the world. On Monday, surely.")
    await picture(page, "form", form)
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_have_count(0)
    await expect(messages(page).last).to_contain_text("Saved.")
    await expect(messages(page).last).to_contain_text("On Monday, surely.")
    preview.process.terminate()
    await preview.ended()


@needs_browser
async def test_a_portrait_and_the_statistics_are_pictures_that_load(page: Page, preview: Preview) -> None:
    portrait = messages(page).filter(has_text="Spider-Boy").get_by_role("img", name="portrait")
    await expect(portrait).to_have_js_property("naturalWidth", MAX_SIDE_PX)
    await use(page, "hero stats")
    await send(page)
    answer = messages(page).filter(has_text="Heroes by member")
    await expect(answer.get_by_role("img", name="diagrams")).to_have_js_property("naturalWidth", SIZE[0])
    await picture(page, "stats", answer)
    preview.process.terminate()
    await preview.ended()
