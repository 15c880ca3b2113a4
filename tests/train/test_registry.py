"""The registry: ids, promotion in order, refusal of what parted, and the way back."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import AdapterCard, Learnt, Parity, Training
from weighbridge.errors import TrainingError, UserError, WorkspaceError
from weighbridge.train.card import read_adapter_card, write_adapter_card
from weighbridge.train.registry import (
    adapters,
    adopt_adapter,
    find_adapter,
    promoted_adapter,
    promotions,
    record_promotion,
    strategies,
    undo_promotion,
)
from weighbridge.workspace import Workspace


def parity(*, ok: bool) -> Parity:
    return Parity(
        form="GGUF Q8_0",
        ok=ok,
        reasons=() if ok else ("prompt 2, token 3: 'four' became 'five' (2.1 nats)",),
        changed=True,
        prompts=4,
        identical=1.0,
        agreement=1.0,
        common_prefix=3.0,
        divergence=0.001,
        divergence_from_base=0.4,
    )


def card(name: str, *, made_at: str = "2026-01-01T00:00:00+00:00", strategy: str = "raft", ok: bool = True):
    return AdapterCard(
        id=name,
        strategy=strategy,
        fingerprint=name * 5,
        made_at=made_at,
        base_reference="file:tiny.gguf",
        base_fingerprint="b",
        licence="Apache-2.0",
        recipe={"method": "lora", "seed": 7},
        learnt=Learnt(fingerprint="l", split="s", examples=3, documents={"a.md": "1"}, access=(frozenset({"crew"}),)),
        training=Training(
            epochs=(),
            chosen_epoch=1,
            examples=3,
            tokens=9,
            steps=1,
            seconds=1.0,
            first_loss=2.0,
            last_loss=1.0,
            precision="float32",
        ),
        dev=None,
        parity=(parity(ok=ok),),
        seconds=2.0,
        quantisation="Q8_0",
        warnings=(),
    )


def keep(place: Workspace, one: AdapterCard) -> AdapterCard:
    folder = place.adapter(one.strategy, one.id)
    (folder / one.adapter).mkdir(parents=True)
    (folder / one.gguf).write_bytes(b"weights")
    write_adapter_card(one, folder)
    return one


def test_a_card_comes_back_as_it_was_written(tmp_path: Path):
    one = keep(Workspace(tmp_path), card("aaaa11112222"))
    assert read_adapter_card(Workspace(tmp_path).adapter("raft", one.id)) == one


def test_promotion_and_the_way_back(tmp_path: Path):
    place = Workspace(tmp_path)
    first, second = keep(place, card("aaaa11112222")), keep(place, card("bbbb11112222", made_at="2026-01-02T00:00:00"))
    assert strategies(place) == ("raft",)
    assert adapters(place, "raft") == (first, second)
    assert promoted_adapter(place, "raft") is None
    record_promotion(place, first, chosen=False)
    record_promotion(place, second, chosen=False)
    record_promotion(place, second, chosen=True)
    assert promotions(place, "raft").history == (first.id, second.id)
    assert promotions(place, "raft").chosen
    assert promoted_adapter(place, "raft") == second
    assert undo_promotion(place, "raft") == first
    assert promoted_adapter(place, "raft") == first
    with pytest.raises(WorkspaceError, match="no earlier adapter"):
        undo_promotion(place, "raft")


def test_cards_come_oldest_first_whatever_their_ids(tmp_path: Path):
    place = Workspace(tmp_path)
    days = {"cccc11112222": 1, "aaaa11112222": 3, "bbbb11112222": 2, "aaaa99992222": 2}
    for name, day in days.items():
        keep(place, card(name, made_at=f"2026-01-0{day}T00:00:00+00:00"))
    assert [one.id for one in adapters(place, "raft")] == [
        "cccc11112222", "aaaa99992222", "bbbb11112222", "aaaa11112222"
    ]  # fmt: skip


def test_what_a_person_went_back_to_stays_as_what_a_person_chose(tmp_path: Path):
    place = Workspace(tmp_path)
    first, second = keep(place, card("aaaa11112222")), keep(place, card("bbbb11112222"))
    record_promotion(place, first, chosen=False)
    record_promotion(place, second, chosen=False)
    assert not promotions(place, "raft").chosen
    undo_promotion(place, "raft")
    assert promotions(place, "raft").chosen


def test_what_parted_is_not_promoted(tmp_path: Path):
    place = Workspace(tmp_path)
    bad = keep(place, card("cccc11112222", ok=False))
    with pytest.raises(TrainingError, match="prompt 2, token 3"):
        record_promotion(place, bad, chosen=True)
    assert promoted_adapter(place, "raft") is None


def test_what_parted_since_it_was_promoted_serves_no_more(tmp_path: Path):
    place = Workspace(tmp_path)
    first, second = keep(place, card("aaaa11112222")), keep(place, card("bbbb11112222"))
    record_promotion(place, first, chosen=False)
    record_promotion(place, second, chosen=False)
    write_adapter_card(card(second.id, ok=False), place.adapter("raft", second.id))
    assert promoted_adapter(place, "raft") is None
    assert undo_promotion(place, "raft") == first


def test_what_it_was_found_for_is_kept_until_another_is_promoted(tmp_path: Path):
    place = Workspace(tmp_path)
    first, second = keep(place, card("aaaa11112222")), keep(place, card("bbbb11112222"))
    record_promotion(place, first, chosen=False, found_for="these settings")
    assert promotions(place, "raft").found_for == "these settings"
    record_promotion(place, second, chosen=True)
    assert promotions(place, "raft").found_for == ""


def test_adapters_are_found_by_the_start_of_their_id_or_by_their_strategy(tmp_path: Path):
    place = Workspace(tmp_path)
    with pytest.raises(UserError, match="weighbridge train"):
        find_adapter(place, "raft")
    first = keep(place, card("aaaa11112222"))
    other = keep(place, card("aaaa99992222", strategy="fine-tuned"))
    with pytest.raises(UserError, match="no adapter of raft serves; name one by its id: aaaa11112222"):
        find_adapter(place, "raft")
    record_promotion(place, first, chosen=False)
    assert find_adapter(place, "raft") == first
    assert find_adapter(place, "aaaa9") == other
    with pytest.raises(UserError, match="several"):
        find_adapter(place, "aaaa")


@given(st.lists(st.sampled_from(["aaaa11112222", "bbbb11112222", "cccc11112222"]), min_size=1, max_size=8))
def test_rollback_undoes_each_promotion(tmp_path_factory: pytest.TempPathFactory, order: list[str]):
    place = Workspace(tmp_path_factory.mktemp("registry"))
    for name in set(order):
        keep(place, card(name))
    for name in order:
        record_promotion(place, card(name), chosen=False)
    kept = [name for number, name in enumerate(order) if number == 0 or order[number - 1] != name]
    assert list(promotions(place, "raft").history) == kept
    for name in reversed(kept[:-1]):
        assert undo_promotion(place, "raft").id == name


def test_a_folder_without_its_weights_is_not_an_adapter(tmp_path: Path):
    place = Workspace(tmp_path)
    one = keep(place, card("aaaa11112222"))
    record_promotion(place, one, chosen=False)
    (place.adapter("raft", one.id) / one.gguf).unlink()
    assert promoted_adapter(place, "raft") is None
    assert adapters(place, "raft") == ()
    assert replace(one, gguf="") != one


def test_an_adapter_of_the_same_strategy_is_taken_over_under_the_new_name_with_its_own_card(tmp_path: Path) -> None:
    """As after a model is added to the settings: `raft` becomes `raft@small`, and `prompt` or another id is no kin."""
    place = Workspace(tmp_path)
    kept = keep(place, card("aa", strategy="raft"))
    adopt_adapter(place, "raft@small", "bb")
    adopt_adapter(place, "fine-tuned@small", "aa")
    assert strategies(place) == ("raft",)
    adopt_adapter(place, "raft@small", "aa")
    (taken,) = adapters(place, "raft@small")
    assert (taken.strategy, taken.id, taken.made_at) == ("raft@small", "aa", kept.made_at)
    assert (place.adapter("raft@small", "aa") / taken.gguf).read_bytes() == b"weights"
    assert adapters(place, "raft") == (kept,)
