from __future__ import annotations

import re

from anyfast_nb.render.clip import clip_bundle
from anyfast_nb.render.pictures import Shown, pictures_bundle

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)> $x^2$ \x1b[31m'


def safe(html: str) -> bool:
    """No element and no attribute came from the text."""
    own = re.sub(r'="[^"]*"', "", html)
    return "<script" not in html and not re.search(r"<[^>]*onerror", own) and "\x1b" not in html


def test_a_film_plays_from_its_path_and_shows_poster_and_link_where_it_cannot() -> None:
    bundle = clip_bundle(
        path="/home/ada/anyfast_media/a b.mp4",
        place="anyfast_media/a%20b.mp4",
        poster=("image/jpeg", b"poster"),
        size=(1280, 720),
        facts=("seedance", "5 s"),
        prompt="A cat",
    )
    html = bundle["text/html"]
    player, inside = re.search(r"<video ([^>]*)>(.*)</video>", html, re.DOTALL).groups()  # type: ignore[union-attr]
    assert "controls" in player
    assert 'src="anyfast_media/a%20b.mp4"' in player
    assert 'poster="data:image/jpeg;base64,cG9zdGVy"' in player
    assert 'width="640"' in player
    assert (
        '<a href="anyfast_media/a%20b.mp4"><img src="data:image/jpeg;base64,cG9zdGVy" alt="A cat"' in inside
    )
    assert bundle["text/plain"] == "Film · seedance · 5 s · 1280 × 720 · /home/ada/anyfast_media/a b.mp4"


def test_a_film_can_be_inside() -> None:
    html = clip_bundle(path="/a.mp4", place="a.mp4", film=b"film")["text/html"]
    assert 'src="data:video/mp4;base64,ZmlsbQ=="' in html
    assert "poster" not in html
    assert '<a href="a.mp4">the film</a>' in html


def test_no_text_becomes_html() -> None:
    film = clip_bundle(
        path=HOSTILE, place=HOSTILE, facts=(HOSTILE,), prompt=HOSTILE, poster=("image/png", b"x")
    )
    pictures = pictures_bundle(
        [Shown(path=HOSTILE, image=("image/png", b"x")), Shown(error=HOSTILE)],
        prompt=HOSTILE,
        facts=(HOSTILE,),
    )
    for bundle in (film, pictures):
        assert safe(bundle["text/html"])
        assert "\x1b" not in bundle["text/plain"]
        assert "<span>$</span>" in bundle["text/html"]


def test_pictures_stand_side_by_side_and_a_failed_one_says_why() -> None:
    bundle = pictures_bundle(
        [Shown("/a.png", ("image/jpeg", b"x"), (2048, 1024)), Shown(error="it was refused"), Shown("/b.png")],
        prompt="A kite",
        facts=("simulated", "16,384 tokens"),
    )
    html = bundle["text/html"]
    assert html.count("<figure") == 3
    assert html.count("<img") == 1
    assert "flex-wrap:wrap" in html
    assert "failed: it was refused" in html
    assert "2048 × 1024<br>/a.png" in html
    assert "cannot be shown here" in html
    assert bundle["text/plain"].splitlines() == [
        "Picture · 2048 × 1024 · /a.png",
        "Picture · failed: it was refused",
        "Picture · /b.png",
    ]
    assert "width:480px" in pictures_bundle([Shown("/a.png", ("image/png", b"x"))])["text/html"]


def test_a_picture_with_a_place_is_a_link_and_one_to_come_is_a_frame() -> None:
    shown = Shown("anyfast_media/a b.png", ("image/png", b"x"), (8, 8), place="anyfast_media/a%20b.png")
    bundle = pictures_bundle([shown, Shown(pending=True)], status="1 of 2 · 3 s", notes=("a note",))
    html = bundle["text/html"]
    assert html.count('<a href="anyfast_media/a%20b.png">') == 2
    assert ">a b.png</a>" in html
    assert "aspect-ratio:1" in html
    assert "a note" in html
    assert bundle["text/plain"].splitlines() == [
        "1 of 2 · 3 s", "Picture · 8 × 8 · anyfast_media/a b.png", "Picture · …",
    ]  # fmt: skip
