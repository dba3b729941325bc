"""How soon to connect to Discord's gateway."""

import pytest

from bot.gateway.link import pause_before_connection, pause_before_session


@pytest.mark.parametrize(
    ("left", "seconds", "pause"),
    [
        (1000, 86_400, 5),
        (501, 86_400, 5),
        (500, 3600, 7.2),
        (500, 360, 5),
        (500, 86_400, 30),
        (0, 3600, 3600),
    ],
)
def test_a_bot_begins_no_more_sessions_than_discord_allows_in_a_day(
    left: int, seconds: float, pause: float
) -> None:
    assert pause_before_session(left=left, total=1000, seconds=seconds) == pause


def test_a_bot_that_starts_over_and_over_again_begins_no_more_sessions_than_a_day_has() -> None:
    began, now, day = 0, 0.0, 86_400.0
    while now < day:
        left = 1000 - began
        if left <= 500:
            now += pause_before_session(left=left, total=1000, seconds=day - now, most=day - now)
        # It takes a second to start, and then it falls over.
        now += 1
        began += 1
    assert began <= 1000


@pytest.mark.parametrize("shards", [1, 4])
def test_connections_that_come_to_nothing_are_made_ever_later(shards: int) -> None:
    pauses = [pause_before_connection(tries, shards) for tries in range(shards + 7)]

    assert pauses == [0] * shards + [1, 2, 4, 8, 16, 20, 20]
    assert pause_before_connection(10_000, shards) == 20, "also after hours of it"
