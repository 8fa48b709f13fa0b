"""One hit for a file, and one for all files that say the same."""

from __future__ import annotations

import os

from desk import Desk

from pplx_local.records import Answer
from pplx_local.search.alike import Passage, alike

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
