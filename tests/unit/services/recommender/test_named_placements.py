"""Placements over gRPC: by name, in the variant of who looks, and by the settings of now."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.config.shops import Shops
from recsys.core.errors import InvalidInput
from recsys.core.serving.experiments import assignment
from recsys.rpc.v1 import recommender_pb2 as pb
from tests.clock import Clock
from tests.unit.services.recommender.shop import Shop
from tests.unit.services.recommender.test_servicer import NoDeadline, ids

_SETTINGS = """
[placements.home]
generators = ["for_you", "popular"]
[placements.bestsellers]
generators = ["popular"]

[[experiments]]
name = "simple_home"
placements = ["home"]
enabled = true
variants = [{ name = "as_is" }, { name = "simple", placements = { home = ["popular"] } }]
"""


class Rpc:
    """A recommender whose shop has an experiment, and one user of each variant."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.toml"
        self.file.write_text(_SETTINGS)
        self.clock = Clock()
        shops = Shops(folder, lambda: None, self.clock)
        self.shop = Shop(shops=shops)
        self.users = dict[str, str]()
        for number in range(20):
            found = assignment(shops.experiments_of("shop"), "shop", "home", f"u{number}")
            assert found is not None
            self.users[found.variant.name] = f"u{number}"

    def stop_experiments(self) -> None:
        draft = self.file.with_suffix(".draft")
        draft.write_text(_SETTINGS.replace("enabled = true", "enabled = false"))
        draft.replace(self.file)
        self.clock.now += 2

    def recommend(self, **wishes: str) -> pb.Answer:
        request = pb.RecommendRequest(tenant="shop", limit=2, placement="home", **wishes)
        return self.shop.wait(self.shop.servicer.Recommend(request, NoDeadline())).answer

    def page(self, *requests: pb.RecommendRequest, user_id: str = "") -> list[pb.Answer]:
        page = pb.RecommendPageRequest(tenant="shop", requests=requests, user_id=user_id)
        return list(self.shop.wait(self.shop.servicer.RecommendPage(page, NoDeadline())).answers)


@pytest.fixture
def rpc(tmp_path: Path) -> Iterator[Rpc]:
    rpc = Rpc(tmp_path)
    with rpc.shop:
        yield rpc


def test_an_answer_is_that_of_the_users_variant_and_names_it(rpc: Rpc) -> None:
    simple = rpc.recommend(user_id=rpc.users["simple"])
    assert simple.placement == "home"
    assert simple.experiment == pb.Experiment(name="simple_home", variant="simple")
    assert simple.items[0].source == pb.SOURCE_POPULAR
    assert simple.fallback_level == 0
    beside = rpc.recommend(item_id="i0", visitor_id=rpc.users["as_is"])
    assert beside.experiment.variant == "as_is"
    nobody = rpc.recommend(item_id="i0")
    assert nobody.placement == "home"
    assert not nobody.HasField("experiment")


def test_each_item_says_why_unless_that_is_not_wanted(rpc: Rpc) -> None:
    assert all(item.reason.code for item in rpc.recommend(user_id="ann").items)
    request = pb.RecommendRequest(tenant="shop", limit=2, placement="home", user_id="ann")
    request.controls.explain = False
    answer = rpc.shop.wait(rpc.shop.servicer.Recommend(request, NoDeadline())).answer
    assert not any(item.HasField("reason") for item in answer.items)


def test_the_kill_switch_is_followed(rpc: Rpc) -> None:
    rpc.stop_experiments()
    answer = rpc.recommend(user_id=rpc.users["simple"])
    assert answer.placement == "home"
    assert not answer.HasField("experiment")


def test_a_page_of_placements_names_them_and_shows_no_item_twice(rpc: Rpc) -> None:
    first, second, third = rpc.page(
        pb.RecommendRequest(placement="home", user_id=rpc.users["simple"], limit=2),
        pb.RecommendRequest(placement="bestsellers", limit=2),
        pb.RecommendRequest(user_id="ann", limit=1),
    )
    assert [first.placement, second.placement, third.placement] == ["home", "bestsellers", ""]
    assert first.experiment.variant == "simple"
    assert not {*ids(first)} & {*ids(second)}


def test_who_looks_at_an_item_of_a_page_is_its_user_unless_the_request_names_another(
    rpc: Rpc,
) -> None:
    beside = pb.RecommendRequest(placement="home", item_id="i0", limit=1)
    named = pb.RecommendRequest()
    named.CopyFrom(beside)
    named.visitor_id = rpc.users["as_is"]
    nobody = pb.RecommendRequest(placement="home", limit=1)
    answers = rpc.page(beside, named, nobody, user_id=rpc.users["simple"])
    assert [each.experiment.variant for each in answers] == ["simple", "as_is", "simple"]
    assert not any(each.HasField("experiment") for each in rpc.page(beside, nobody))


def test_a_page_with_a_placement_that_is_not_there_says_where(rpc: Rpc) -> None:
    good = pb.RecommendRequest(placement="home", limit=1)
    with pytest.raises(InvalidInput) as caught:
        rpc.page(good, pb.RecommendRequest(placement="atlantis", limit=1))
    [problem] = caught.value.problems
    assert problem.field == "requests.1.placement"
    assert "it has" in problem.reason
