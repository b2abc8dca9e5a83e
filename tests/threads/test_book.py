from __future__ import annotations

from anyfast_nb.threads.book import Thread, ThreadBook
from anyfast_nb.wire.values import Answer, ToolCall


def say(thread: Thread, text: str, cell: str | None, *, append: bool = False, new: bool = False) -> str:
    """Run a cell: ask, answer with the text in capitals, give the note."""
    place = thread.place(cell=cell, append=append, new=new)
    thread.add(place, message={"role": "user", "content": text}, answer=Answer(text.upper()))
    return place.note


def asked(thread: Thread) -> list[object]:
    return [turn.message["content"] for turn in thread.active()]


def conversation(*turns: str) -> Thread:
    thread = Thread("t")
    for turn in turns:
        say(thread, turn, cell=f"cell-{turn}")
    return thread


def test_turns_follow_each_other_with_their_history() -> None:
    thread = conversation("a", "b")
    assert asked(thread) == ["a", "b"]
    place = thread.place(cell="cell-c")
    assert place.history == (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "A"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "B"},
    )
    assert place.note == ""


def test_a_cell_that_runs_again_replaces_its_turn() -> None:
    thread = conversation("a", "b")
    place = thread.place(cell="cell-b")
    assert [message["content"] for message in place.history] == ["a", "A"]
    assert say(thread, "b2", "cell-b") == "thread t: this cell's turn is replaced"
    assert asked(thread) == ["a", "b2"]
    say(thread, "b3", "cell-b")
    assert asked(thread) == ["a", "b3"]


def test_the_old_branch_is_kept() -> None:
    thread = conversation("a", "b")
    say(thread, "b2", "cell-b")
    assert [turn.message["content"] for turn in thread._turns] == ["a", "b", "b2"]
    assert [turn.parent for turn in thread._turns] == [None, 0, 0]


def test_a_cell_in_the_middle_sets_the_later_turns_aside_and_says_so() -> None:
    thread = conversation("a", "b", "c", "d")
    assert say(thread, "b2", "cell-b") == "thread t: this cell's turn is replaced; 2 later turns set aside"
    assert asked(thread) == ["a", "b2"]
    say(thread, "c2", "cell-c")  # its turn stands on the old branch: here it is a new one
    assert asked(thread) == ["a", "b2", "c2"]
    thread = conversation("a", "b")
    assert say(thread, "a2", "cell-a").endswith("1 later turn set aside")
    assert asked(thread) == ["a2"]
    assert thread.place(cell="cell-a").history == ()


def test_append_adds_even_from_the_same_cell() -> None:
    thread = conversation("a")
    say(thread, "a2", "cell-a", append=True)
    assert asked(thread) == ["a", "a2"]
    say(thread, "a3", "cell-a")
    assert asked(thread) == ["a", "a3"]


def test_new_starts_over() -> None:
    thread = conversation("a", "b")
    assert say(thread, "c", "cell-c", new=True) == "thread t: started over"
    assert asked(thread) == ["c"]
    assert Thread("t").place(cell="x", new=True).note == ""


def test_a_new_that_runs_again_starts_over_again() -> None:
    thread = conversation("a")
    for text in ("b", "b2"):
        say(thread, text, "cell-b", new=True)
    assert asked(thread) == ["b2"]


def test_without_a_cell_id_turns_are_appended() -> None:
    thread = Thread("t")
    for text in ("a", "a", "b"):
        assert say(thread, text, None) == ""
    assert asked(thread) == ["a", "a", "b"]


def test_looking_for_a_place_changes_nothing() -> None:
    thread = conversation("a", "b")
    thread.place(cell="cell-a")
    thread.place(cell=None, new=True)
    assert asked(thread) == ["a", "b"]


def test_tool_calls_stay_in_the_history() -> None:
    thread = Thread("t")
    answer = Answer("", tool_calls=(ToolCall("c1", "weather", "{}"),))
    thread.add(thread.place(cell=None), message={"role": "user", "content": "a"}, answer=answer)
    assert thread.place(cell=None).history[1] == {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
    }


def test_notebooks_do_not_share_threads() -> None:
    book = ThreadBook()
    mine = book.thread("x", notebook="a.ipynb")
    say(mine, "hello", "c")
    assert book.thread("x", notebook="a.ipynb") is mine
    assert book.thread("x", notebook="b.ipynb").active() == []
    assert book.thread("x", notebook=None).active() == []
    book.thread("b", notebook="a.ipynb")
    assert book.names(notebook="a.ipynb") == ["b", "x"]
    assert book.names(notebook="other.ipynb") == []


def test_turns_of_one_run_follow_each_other_and_are_replaced_together() -> None:
    thread = Thread("t")
    for run, questions in (("run-1", ("a", "b")), ("run-2", ("c", "d"))):
        for question in questions:
            place = thread.place(cell="one", run=run)
            thread.add(place, message={"role": "user", "content": question}, answer=Answer(question))
    assert asked(thread) == ["c", "d"]
