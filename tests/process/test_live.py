"""The main job on real input: a real process over Discord's protocol, on both databases."""

import json
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from tests.endurance.load import connection
from tests.support.databases import PostgresServer
from tests.support.live import live_bot, start_process
from tests.support.paths import ROOT
from tests.wire import Wire
from tests.wire.form import BUTTON, TEXT_SELECT
from tests.wire.messages import blank
from tests.wire.records import COMPONENT, COMPONENTS_V2, Json

SECRET = "Marker Secret"


async def test_a_member_adds_a_hero_and_finds_it_again(url: URL) -> None:
    async with Wire() as wire:
        ana, ben = wire.member("Ana"), wire.member("Ben")
        async with live_bot(wire, url, {"LOG_LEVEL": "DEBUG", "LOG_SQL": "true"}) as bot:
            added = await ana.slash("hero add", name="Deadpond", secret_name=SECRET, age=30)
            assert added.ephemeral
            assert "## Deadpond" in added.text
            assert added.message is not None
            announced = await ana.click(added.message, label="Announce")
            assert not announced.ephemeral

            suggested = await ben.autocomplete("hero find", "name", "dea")
            assert [choice["name"] for choice in suggested.choices or []] == ["Deadpond"]
            found = await ben.slash("hero find", name="  dEADPOND ")
            assert not found.ephemeral
            assert found.text.startswith("## Deadpond")
            assert found.message is not None
            told = await ana.click(found.message, label="Secret identity")
            assert told.ephemeral
            assert SECRET in told.text
            refused = await ben.click(found.message, label="Secret identity")
            assert refused.ephemeral
            assert SECRET not in refused.text

            missed = await ben.slash("hero find", name="Dedpond")
            assert missed.ephemeral
            assert missed.message is not None
            picked = await ben.select(missed.message, None, "Deadpond")
            assert picked.text.startswith("## Deadpond")

            code, log = await bot.stop()
        assert code == 0, log
        assert "INSERT INTO hero" in log, "LOG_SQL is on"
        for typed in (SECRET, "eadpond", wire.token):
            assert typed not in log

        # What was stored is there for the next process, which has nothing to tell Discord.
        assert wire.syncs == [0]
        async with live_bot(wire, url) as bot:
            assert (await ben.slash("hero find", name="Deadpond")).text.startswith("## Deadpond")
            assert (await ana.click(found.message, label="Secret identity")).text.count(SECRET) == 1
            code, log = await bot.stop(signal.SIGINT)
        assert code == 0, log
        assert wire.syncs == [0]


async def test_members_who_add_and_find_at_once_each_get_their_own(url: URL) -> None:
    async with Wire() as wire, live_bot(wire, url):
        people = [wire.member(f"Member {number}") for number in range(16)]
        secrets = {who: f"Secret {number}" for number, who in enumerate(people)}

        adding = [
            (who, who.slash("hero add", name=f"Hero {number % 4}", secret_name=secrets[who]))
            for number, who in enumerate(people)
        ]
        added = [(who, await answer) for who, answer in adding]
        finding = [
            (number % 5, who.slash("hero find", name=f"hero {number % 5}"))
            for number, who in enumerate(people)
        ]
        found = [(number, (await answer).text) for number, answer in finding]

        owners = [who for who, answer in added if answer.text.startswith("-# Added.")]
        assert len(owners) == 4
        for who, answer in added:
            name = f"Hero {people.index(who) % 4}"
            (owner,) = (each for each in owners if people.index(each) % 4 == people.index(who) % 4)
            assert f"<@{owner.id}>" in answer.text
            assert (f"## {name}" if who is owner else f"The name “{name}” is taken") in answer.text
        for who in owners:
            told = await who.slash("hero secret", name=f"Hero {people.index(who) % 4}")
            assert secrets[who] in told.text
        for number, text in found:
            assert (f"## Hero {number}" if number < 4 else "No hero here is called") in text


async def test_without_a_gateway_url_it_goes_where_the_api_says(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url, {"DISCORD_GATEWAY_URL": ""}) as bot:
        # A session that can't be resumed is started anew, at the same place.
        assert (await wire.member("Ana").slash("hero find", name="x")).ephemeral
        assert (await bot.stop())[0] == 0


@pytest.mark.parametrize("compression", ["zstd-stream", "zlib-stream"])
async def test_it_speaks_what_its_python_can_unpack(
    tmp_path: Path, tmp_path_url: URL, compression: str
) -> None:
    # Python 3.14 brings zstd along; on an older one only who installed zstandard has it.
    hidden = 'import sys\nsys.modules |= {"zstandard": None, "compression.zstd": None}\n'
    if compression == "zlib-stream":
        (tmp_path / "sitecustomize.py").write_text(hidden, encoding="utf-8")
    variables = {"PYTHONPATH": f"{tmp_path}:{ROOT}"}
    async with Wire() as wire, live_bot(wire, tmp_path_url, variables) as bot:
        ana, gateway = wire.member("Ana"), wire.gateway
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)
        assert gateway.drop() == 1
        missed = ana.slash("hero find", name="Deadpond")
        await gateway.until(lambda: gateway.resumes)
        assert (await missed).text.startswith("## Deadpond")
        assert (await ana.slash("hero find", name="Deadpond")).text.startswith("## Deadpond")
        assert [each.compression for each in gateway.identifies + gateway.resumes] == [compression] * 2
        assert (await bot.stop())[0] == 0


@pytest.mark.slow
async def test_members_of_every_shard_are_answered(tmp_path_url: URL) -> None:
    async with Wire(guilds=4, shards=2) as wire, live_bot(wire, tmp_path_url) as bot:
        people = [wire.member("Ana", guild) for guild in wire.guilds.values()]
        added = [await ana.slash("hero add", name="Deadpond", secret_name=SECRET) for ana in people]
        found = [await ana.slash("hero find", name="Deadpond") for ana in people]
        assert (await bot.stop())[0] == 0
    first, second = wire.gateway.identifies
    assert [first.shard, second.shard] == [0, 1]
    # Discord takes one in 5 seconds; the clocks may differ by a little.
    assert second.at - first.at > 4.9
    assert {(guild.id >> 22) % 2 for guild in wire.guilds.values()} == {0, 1}
    for ana, answers in zip(people, zip(added, found, strict=True), strict=True):
        for answer in answers:
            assert f"<@{ana.id}>" in answer.text


async def test_a_hero_is_claimed_only_after_its_owner_has_left(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url):
        ana, ben = wire.member("Ana"), wire.member("Ben")
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)

        refused = await ben.slash("hero claim", name="Deadpond")
        assert refused.ephemeral
        assert f"<@{ana.id}> plays “Deadpond” and is still in this server" in refused.text
        ana.leave()
        claimed = await ben.slash("hero claim", name="Deadpond")
        assert not claimed.ephemeral
        assert f"<@{ben.id}> has claimed this hero" in claimed.text
        assert (await ben.slash("hero secret", name="Deadpond")).text.count(SECRET) == 1
        assert wire.requests["GET /guilds/{guild}/members/{user}"] == 2


async def test_a_slow_database_still_gives_the_answer(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url):
        ana = wire.member("Ana")
        with closing(sqlite3.connect(str(tmp_path_url.database), isolation_level=None)) as other_process:
            other_process.execute("BEGIN IMMEDIATE")
            answer = ana.slash("hero add", name="Deadpond", secret_name=SECRET)
            await answer.until_acknowledged()
            assert answer.deferred
            assert answer.ephemeral
            other_process.execute("ROLLBACK")
        await answer
        assert "## Deadpond" in answer.text


async def test_a_file_whose_sending_was_cut_off_is_sent_whole(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url) as bot:
        ana = wire.member("Ana")
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)
        wire.faults.cut("POST /interactions/*/callback", times=1)

        exported = await ana.slash("mydata export")

        assert exported.answered
        (upload,) = wire.uploads.values()
        assert json.loads(upload.data)["heroes"][0]["name"] == "Deadpond"
        assert (await bot.stop())[0] == 0


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[URL]:
    with postgres.new_database() as created:
        yield created


async def test_no_suggestions_are_better_than_late_ones(postgres_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, postgres_url) as bot:
        ana = wire.member("Ana")
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)
        async with connection(postgres_url) as other:
            # Nobody can read.
            await other.execute(text("LOCK TABLE hero IN ACCESS EXCLUSIVE MODE"))
            suggested = await ana.autocomplete("hero find", "name", "dea")
            assert suggested.choices == []
        suggested = await ana.autocomplete("hero find", "name", "dea")
        assert suggested.choices is not None
        assert [choice["name"] for choice in suggested.choices] == ["Deadpond"]
        code, log = await bot.stop()
    assert code == 0
    assert "ERROR" not in log, log


async def test_suggestions_under_way_are_sent_before_it_stops(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url) as bot:
        ana = wire.member("Ana")
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)
        wire.faults.delay("POST /interactions/*/callback", 0.5, times=1)

        suggested = ana.autocomplete("hero find", "name", "dea")
        await ana.slash("hero find", name="Deadpond")
        code, log = await bot.stop()

        assert suggested.answered
        assert [choice["name"] for choice in suggested.choices or []] == ["Deadpond"]
    assert code == 0
    assert "ERROR" not in log, log


async def test_an_id_of_ours_on_another_kind_of_component_is_answered(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url) as bot:
        ana = wire.member("Ana")
        await ana.slash("hero add", name="Deadpond", secret_name=SECRET)
        said: list[str] = []
        for custom_id in ("hero:open", "hero:near", "list:last:1:name:0", f"offer:accept:1:{ana.id}:7"):
            is_menu = custom_id.startswith("hero:")
            used: Json = {"component_type": BUTTON if is_menu else TEXT_SELECT, "custom_id": custom_id}
            shown: Json = {"type": used["component_type"], "id": 2, "custom_id": custom_id}
            if is_menu:
                shown |= {"style": 2, "label": "x"}
            else:
                shown |= {"options": [{"label": "x", "value": "x"}]}
                used["values"] = ["x"]
            message = blank(wire, ana.guild.channel_id, COMPONENTS_V2)
            message["components"] = [{"type": 1, "id": 1, "components": [shown]}]
            answer = await ana.raw(COMPONENT, used, message)
            said.append(f"{answer.ephemeral} {answer.text}")
        _, log = await bot.stop()
    outdated = "True This menu is out of date. Please use the command anew."
    assert said[:2] == [outdated, outdated]
    assert said[2].startswith("False ## 1 hero")
    assert said[3].startswith("True This offer is for <@7> to accept.")
    assert "ERROR" not in log, log


async def test_a_dev_guild_gets_the_commands_alone(tmp_path_url: URL) -> None:
    async with Wire() as wire:
        (guild,) = wire.guilds
        async with live_bot(wire, tmp_path_url, {"DEV_GUILD_ID": str(guild)}):
            assert wire.syncs == [guild]


async def test_the_procfile_releases_and_works(tmp_path_url: URL) -> None:
    honcho = (sys.executable, "-m", "honcho", "-f", str(ROOT / "Procfile"), "-d", str(ROOT))
    async with Wire() as wire:
        release = await start_process(wire, tmp_path_url, command=(*honcho, "start", "release"))
        _, log = await release.ended()
        assert "migrated the database" in log
        async with live_bot(wire, tmp_path_url, command=(*honcho, "start", "worker")) as worker:
            assert (await wire.member("Ana").slash("hero find", name="x")).ephemeral
            # honcho's own exit code tells of the shell between the two.
            _, log = await worker.stop()
            await wire.gateway.until(lambda: not wire.gateway.live())
        assert "migrated" not in log
