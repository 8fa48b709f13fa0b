"""One hit for a file, and one for all files that say the same."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import pytest
from desk import Desk

from pplx_local.records import Answer, Span
from pplx_local.search import fold as folding
from pplx_local.search.alike import Passage, alike
from pplx_local.search.fold import Group
from pplx_local.search.living import Found
from pplx_local.search.sketches import Sketches
from pplx_local.store import ChunkRef

NOTICE = (
    "The tenant gives notice three months before the end of a quarter, in writing, "
    "and pays the rent until the keys are handed over to the landlord. "
)
FILLER = "\n\n".join(f"Paragraph {n} of filler. " + "words " * 170 for n in range(3))


def names(answer: Answer) -> list[str]:
    return [os.fsdecode(hit.path).rsplit("/", 1)[-1] for hit in answer.hits]


def same(answer: Answer, number: int = 0) -> dict[str, bool]:
    return {
        os.fsdecode(copy.path).rsplit("/", 1)[-1]: copy.is_exact
        for copy in answer.hits[number].same
    }


def like(one: str, other: str) -> bool:
    return alike(Passage(one), Passage(other))


def test_blanks_and_case_do_not_matter():
    assert like(NOTICE, NOTICE.upper().replace(" ", "\n  "))


def test_a_word_that_was_changed_does_not_matter_a_sentence_does():
    assert like(NOTICE * 3, NOTICE * 2 + NOTICE.replace("keys", "flat"))
    assert not like(NOTICE, NOTICE + "Leeks and potatoes, simmered in broth. " * 2)


def test_a_number_that_was_changed_does_matter():
    bill = NOTICE * 3 + "To be paid: 1200 crowns."
    assert not like(bill, bill.replace("1200", "1300"))


def test_short_passages_are_compared_too():
    assert like("Rent!", "rent")
    assert not like("Rent", "Lease")
    assert not like("", "Lease")


def test_passages_of_a_file_are_one_hit_that_mentions_the_others(desk: Desk) -> None:
    text = f"The herring is here.\n\n{FILLER}\n\nThe herring is there.\n\n{FILLER}"
    path = desk.write("long.txt", text)
    desk.write("short.txt", "A herring.\n")
    desk.update()
    answer = desk.search("herring", mode="lexical", folded=True)
    assert sorted(names(answer)) == ["long.txt", "short.txt"]
    [hit] = [hit for hit in answer.hits if hit.path == bytes(path)]
    assert len(hit.more_in_file) == 1
    more = hit.more_in_file[0]
    assert text[more.char_start :].find("herring") >= 0
    assert {hit.line, more.line} & {1}
    assert more.score <= hit.score
    unfolded = desk.search("herring", mode="lexical")
    assert sorted(names(unfolded)) == ["long.txt", "long.txt", "short.txt"]
    assert not any(hit.more_in_file or hit.same for hit in unfolded.hits)


def test_what_is_far_behind_is_not_mentioned(desk: Desk) -> None:
    desk.write("long.txt", f"Herring, and more herring.\n\n{FILLER}")
    desk.update()
    assert desk.search("herring", folded=True).hits[0].more_in_file == ()


def test_copies_are_one_hit_that_names_the_others(desk: Desk) -> None:
    desk.write("b.txt", NOTICE)
    desk.write("a.txt", NOTICE)
    desk.write("near.txt", f"{NOTICE}Signed.")
    desk.write("other.txt", "The tenant moved out, and the landlord moved in.\n")
    desk.update()
    answer = desk.search("tenant landlord", folded=True)
    copies = {name: same(answer, n) for n, name in enumerate(names(answer))}
    assert copies["other.txt"] == {}
    assert copies.get("a.txt") == {"b.txt": True, "near.txt": False} or copies.get(
        "near.txt"
    ) == {"a.txt": False, "b.txt": False}


def test_unfolded_each_copy_is_a_hit(desk: Desk) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        desk.write(name, NOTICE)
    desk.update()
    assert names(desk.search("landlord", mode="lexical")) == ["a.txt", "b.txt", "c.txt"]
    assert names(desk.search("landlord", mode="lexical", k=2)) == ["a.txt", "b.txt"]


def test_a_copy_that_was_deleted_is_not_named(desk: Desk) -> None:
    desk.write("a.txt", NOTICE)
    desk.write("b.txt", NOTICE)
    desk.update()
    (desk.folder / "a.txt").unlink()
    answer = desk.search("landlord", mode="lexical", folded=True)
    assert names(answer) == ["b.txt"]
    assert same(answer) == {}


def test_a_copy_has_a_hit_of_its_own_for_what_only_it_says(desk: Desk) -> None:
    own = "The landlord of the other flat is a fishmonger, and sells herring."
    desk.write("lease.txt", NOTICE)
    desk.write("quotes.txt", f"{NOTICE}\n\n{'filler ' * 170}\n\n{own}\n")
    desk.update()
    answer = desk.search("landlord", mode="lexical", folded=True)
    assert any("fishmonger" in hit.text for hit in answer.hits)


def test_k_counts_files_however_many_passages_one_has(desk: Desk) -> None:
    passages = "\n\n".join(
        f"Herring, herring, herring {n}. " + f"filler{n} " * 170 for n in range(300)
    )
    desk.write("long.txt", passages)
    for n in range(9):
        desk.write(f"{n}.txt", f"One herring, among other fish and birds number {n}.")
    desk.update()
    answer = desk.search("herring", k=10, folded=True)
    assert len(set(names(answer))) == 10


WORDS = [first + second for first in "bdfgklmnprst" for second in ("an", "el", "ir")]


def variants(n: int, share: float, *, spread: int = 1, seed: int = 5) -> list[str]:
    """Texts of which each has changed up to so large a share of the words of one."""
    dice = random.Random(seed)
    text = dice.choices(WORDS, k=120)
    return [
        " ".join(
            dice.choice(WORDS) if dice.random() < share * number / n else word
            for word in text
        )
        + f" {number % spread}"
        for number in range(n)
    ]


def found_in(texts: Sequence[str]) -> list[Found]:
    """A passage of a document each, the best first, with scores close together."""
    return [
        Found(
            number,
            1 - number / (8 * len(texts)),
            ChunkRef(number, number, "d", 0, Span(0, len(text))),
            (b"path",),
        )
        for number, text in enumerate(texts)
    ]


def fold(texts: Sequence[str], k: int) -> list[Group]:
    return folding.fold(found_in(texts), k, lambda found: texts[found.candidate])


@pytest.mark.parametrize("text", ["", "Rent", "1 2", "rent " * 300, NOTICE])
def test_what_is_alike_is_never_passed_over(text: str) -> None:
    passages = [Passage(one) for one in (*variants(90, 0.2, spread=3), text)]
    sketches = Sketches()
    for passage in passages:
        sketches.add(passage)
    for passage in passages:
        perhaps = sketches.perhaps_like(passage)
        really = [i for i, one in enumerate(passages) if alike(one, passage)]
        assert really
        assert set(really) <= set(perhaps)
        assert list(perhaps) == sorted(perhaps)


def test_however_many_hits_are_wanted_the_best_that_is_alike_takes_a_copy() -> None:
    texts = [text for seed in range(60) for text in variants(4, 0.06, seed=seed)]
    random.Random(8).shuffle(texts)
    passages = [Passage(text) for text in texts]
    leaders: list[int] = []
    expected: dict[int, list[int]] = {}
    for number, passage in enumerate(passages):
        same = (one for one in leaders if alike(passage, passages[one]))
        if (leader := next(same, None)) is not None:
            expected[leader].append(number)
        else:
            leaders.append(number)
            expected[number] = []
    groups = fold(texts, len(texts))
    assert 60 < len(groups) < len(texts), "some are near enough, others are not"
    assert any(group.near for group in groups[40:])
    assert expected == {
        group.best.candidate: [one.candidate for one in group.near] for group in groups
    }


def test_for_many_hits_few_passages_are_compared_word_for_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_compared = 0

    def count(one: Passage, other: Passage) -> bool:
        nonlocal n_compared
        n_compared += 1
        return alike(one, other)

    monkeypatch.setattr(folding, "alike", count)
    dice = random.Random(3)
    texts = [" ".join(dice.choices(WORDS, k=100)) for _ in range(300)]
    assert len(fold(texts, 300)) == 300
    assert n_compared < 1_000, "each with each would be 44,850"
