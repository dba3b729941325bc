"""`/hero stats` on Discord, and how statistics are shown."""

from typing import Any

import pytest

from bot.interactions.panel import Panel
from bot.roster.statistics import BANDS, Statistics
from cogs.ui.stats import stats_panel
from tests.support.statistics import HUGE, NOTHING, ONE, SNOWFLAKE, numbers
from tests.support.world import World, answer_of, assert_public, text_of


def texts_of(panel: Panel) -> str:
    """All that one reads in a panel."""
    return "\n".join(item["content"] for item in shown_in(panel) if "content" in item)


def shown_in(panel: Panel) -> list[dict[str, Any]]:
    (container,) = panel.to_components()
    found: list[dict[str, Any]] = container["components"]
    return found


def test_without_a_picture_the_text_stands_alone() -> None:
    panel = stats_panel(numbers(), None)

    assert panel.files == []
    assert [item["type"] for item in shown_in(panel)] == [10] * 4


def test_the_text_has_the_numbers() -> None:
    roster = numbers()

    text = texts_of(stats_panel(roster, None))

    assert text.startswith("## ")
    assert "**60 heroes**, played by **21 members**" in text
    assert "3 to 987,654, median 27.5, known for 54 heroes" in text
    for band, count in zip(BANDS, roster.bands, strict=True):
        assert f"{band}: {count}" in text
    for place, (owner_id, count) in enumerate(roster.prolific, 1):
        assert f"{place}. <@{owner_id}> with {count} hero" in text
    first, last = roster.growth[0][0], roster.growth[-1][0]
    assert f"<t:{int(first.timestamp())}:d>: 1 · " in text
    assert text.endswith(f"<t:{int(last.timestamp())}:d>: 60")


def test_one_hero_is_told_in_the_singular() -> None:
    text = texts_of(stats_panel(ONE, None))

    assert "**1 hero**, played by **1 member**" in text
    assert f"1. <@{SNOWFLAKE}> with 1 hero\n" in text
    assert "unknown" in text
    assert "None" not in text
    assert text.count("<t:") == 1


def test_an_even_median_has_no_fraction() -> None:
    assert "median 1,024," in texts_of(stats_panel(numbers(median=1024.0), None))


@pytest.mark.parametrize("roster", [numbers(), ONE, HUGE])
def test_a_panel_stays_within_discords_limits(roster: Statistics) -> None:
    panel = stats_panel(roster, b"a picture")

    assert panel.content_length() < 4000
    assert panel.total_children_count <= 40
    (gallery,) = [item for item in shown_in(panel) if item["type"] == 12]
    (picture,) = gallery["items"]
    (file,) = panel.files
    assert picture["media"]["url"] == file.uri == "attachment://stats.png"
    assert file.fp.read() == b"a picture"
    assert 20 < len(picture["description"]) <= 256


def test_an_empty_roster_says_how_to_add_the_first_hero() -> None:
    panel = stats_panel(NOTHING, None)

    assert panel.files == []
    assert "`/hero add`" in texts_of(panel)


async def test_members_see_the_numbers_and_the_picture(world: World) -> None:
    empty = await world.bob.slash(world.channel, "hero stats")
    assert "/hero add" in text_of(empty)
    for n in range(3):
        await world.add(world.alice, f"Hero {n}", age=10 * n)

    shown = await world.bob.slash(world.channel, "hero stats")

    assert_public(shown)
    assert "3" in text_of(shown)
    assert world.alice.mention in text_of(shown)
    assert [file.filename for file in answer_of(shown).attachments] == ["stats.png"]
