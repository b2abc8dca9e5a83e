from __future__ import annotations

from anyfast_nb.render.notice import notice, table


def test_a_notice_is_text_and_safe_html() -> None:
    bundle = notice("base_url is <x>\nit costs $5")
    assert bundle["text/plain"] == "base_url is <x>\nit costs $5"
    assert "base_url is &lt;x&gt;<br>it costs <span>$</span>5" in bundle["text/html"]


def test_a_table_with_headings() -> None:
    bundle = table(
        [["doubao", 12, 1_234, 0.5], ["模型", 1, None, 2.0]],
        columns=["model", "requests", "in", "cost"],
        caption="Usage",
    )
    assert bundle["text/plain"].splitlines() == [
        "Usage",
        "model   requests     in  cost",
        "------  --------  -----  ----",
        "doubao        12  1,234   0.5",
        "模型           1            2",
    ]
    assert '<th style="text-align:right">in</th>' in bundle["text/html"]
    assert '<td style="text-align:right">1,234</td>' in bundle["text/html"]
    assert '<td style="text-align:left">doubao</td>' in bundle["text/html"]


def test_names_and_values() -> None:
    bundle = table([["key", True], ["url", "https://x.example/<b>"], ["ledger", None]])
    assert bundle["text/plain"].splitlines() == ["key     yes", "url     https://x.example/<b>", "ledger"]
    assert "<thead>" not in bundle["text/html"]
    assert "&lt;b&gt;" in bundle["text/html"]


def test_an_empty_table() -> None:
    assert table([], columns=["model", "requests"])["text/plain"].splitlines() == [
        "model  requests",
        "-----  --------",
    ]
    assert table([])["text/plain"] == ""


def test_a_row_may_have_a_picture_in_front() -> None:
    bundle = table([["a"], ["b"]], columns=["name"], pictures=[("image/jpeg", b"JPEG"), None])
    html = bundle["text/html"]
    assert html.count("<img") == 1
    assert 'src="data:image/jpeg;base64,SlBFRw=="' in html
    assert html.count("<th") - html.count("<thead") == 2
    assert html.count("<td") == 4
    assert bundle["text/plain"] == table([["a"], ["b"]], columns=["name"])["text/plain"]
    assert "<img" not in table([["a"]], pictures=[None])["text/html"]
