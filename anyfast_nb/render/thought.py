"""The chain of thought while it streams: an open pane that shows its last lines."""

from __future__ import annotations

from anyfast_nb.render.escape import escape_prose
from anyfast_nb.render.status import BYTES_PER_TOKEN
from anyfast_nb.render.style import LINE_COLOUR, QUIET_COLOUR

# What is shown while thinking: about ten lines. The whole is in the pane once it is closed.
SHOWN_CHARS = 1_000
# No style sheet goes with each redraw; drawn from the bottom, so the last line is in view.
_PANE = f"margin:0 0 .8em;padding-left:.8em;border-left:2px solid {LINE_COLOUR};color:{QUIET_COLOUR}"
_BOX = "display:flex;flex-direction:column-reverse;max-height:11em;overflow:hidden;margin-top:.5em"


class Thought:
    """Reasoning as it comes, and how long it took.

    Attributes:
        drawn_chars: how much of it the last draw knew.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._chars = 0
        self.drawn_chars = 0
        self.started_s: float | None = None
        self.ended_s: float | None = None

    def __bool__(self) -> bool:
        return bool(self._parts)

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    @property
    def fresh(self) -> bool:
        """Whether more has come since the last draw."""
        return self._chars > self.drawn_chars

    @property
    def seconds(self) -> float | None:
        """From its first word to the answer's, or None while it lasts."""
        if self.started_s is None or self.ended_s is None:
            return None
        return self.ended_s - self.started_s

    def add(self, text: str, now_s: float) -> None:
        """A piece of it."""
        if self.started_s is None:
            self.started_s = now_s
        self._parts.append(text)
        self._chars += len(text)

    def end(self, now_s: float) -> bool:
        """Note that it is over; tells whether that is new."""
        if not self._parts or self.ended_s is not None:
            return False
        self.ended_s = now_s
        return True

    def title(self) -> str:
        """What the pane says once it is closed; the server counts the tokens at the end only."""
        tokens = max(1, round(len(self.text.encode(errors="replace")) / BYTES_PER_TOKEN))
        return f"Thought for {self.seconds or 0:.1f} s · about {tokens:,} tokens"

    def live_html(self, now_s: float) -> str:
        """The open pane."""
        self.drawn_chars = self._chars
        seconds = int(now_s - (self.started_s or now_s))
        lines = f'<div style="white-space:pre-wrap">{escape_prose(self._last_lines())}</div>'
        return (
            f'<div class="anyfast"><details open style="{_PANE}"><summary>Thinking… {seconds} s</summary>'
            f'<div style="{_BOX}">{lines}</div></details></div>'
        )

    def _last_lines(self) -> str:
        if len(self._parts) > 64:  # pieces are few characters each: join them once, not at each draw
            self._parts = [self.text]
        text = self.text.rstrip()
        if len(text) <= SHOWN_CHARS:
            return text
        _, _, rest = text[-SHOWN_CHARS:].partition(" ")
        return f"… {rest}"
