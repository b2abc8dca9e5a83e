from __future__ import annotations

from anyfast_nb.render.pace import Pace


def test_small_draws_at_twelve_a_second() -> None:
    pace = Pace()
    assert pace.due(0.0)
    pace.drawn(0.0, size_bytes=1_000)
    assert not pace.due(0.079)
    assert pace.due(0.08)


def test_large_draws_wait_for_their_bytes() -> None:
    pace = Pace()
    pace.drawn(0.0, size_bytes=64_000)
    assert not pace.due(1.99)
    assert pace.due(2.0)


def test_a_long_answer_is_drawn_in_larger_steps() -> None:
    pace = Pace()
    pace.drawn(0.0, size_bytes=1_000, shown_chars=50_000)
    assert not pace.due(0.124)
    assert pace.due(0.125)
    pace.drawn(1.0, size_bytes=20_000, shown_chars=50_000)
    assert pace.due(2.0)


def test_seconds_go_stale_after_one() -> None:
    pace = Pace()
    assert pace.stale(0.0)
    pace.drawn(0.0, size_bytes=1_000)
    assert not pace.stale(0.9)
    assert pace.stale(1.0)
