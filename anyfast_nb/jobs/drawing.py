"""One request for pictures: sent once, each picture saved the moment it comes.

A link lives for a day, base64 not at all: what has come is written to this
disk at once, also when the stream breaks off behind it. What failed inside a
group stays in the result as failed; a reply that was lost is never asked for
again, for it may be billed.

Source: wire reference 5.3 and 5.4.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from anyfast_nb.errors import (
    AnyFastError,
    Billed,
    ConfigError,
    InputError,
    ProtocolError,
    StatusError,
    WireCut,
)
from anyfast_nb.gateway.bound_generations import generation_bound
from anyfast_nb.gateway.ending import GOOD, ending
from anyfast_nb.http.download import download
from anyfast_nb.http.failures import lost
from anyfast_nb.http.transport import Call, Head
from anyfast_nb.jobs import failures
from anyfast_nb.jobs.fetch import named_by_content, picture_type, write_picture
from anyfast_nb.jobs.folder import MediaFolder, open_folder, stem_of, write_sidecar
from anyfast_nb.jobs.pictures import Picture, Pictures
from anyfast_nb.jobs.record import hash_of, kept_request, kept_values, without_data
from anyfast_nb.jobs.submit import title_of
from anyfast_nb.ledger.rows import RequestRow
from anyfast_nb.media.frames import picture_size
from anyfast_nb.wire.pictures import Picture as Item
from anyfast_nb.wire.pictures import PicturesReader
from anyfast_nb.wire.problems import Problem, to_error
from anyfast_nb.wire.values import Money, Retrying, Source, Status

if TYPE_CHECKING:
    from anyfast_nb.gateway.gateway import Gateway
    from anyfast_nb.gateway.whence import Origin
    from anyfast_nb.http.sse import ServerSentEvent
    from anyfast_nb.jobs.poll import Pace
    from anyfast_nb.wire.generation import Generation

OnPicture = Callable[[Picture], None]

_MOST_BYTES: Final = 400_000_000  # fifteen pictures of 4096 x 4096 in base64
_UNSAVED: Final = "it was made, but is not on this disk"


class Drawing:
    """One request and its pictures; arguments as of `submit.Submission`."""

    def __init__(
        self,
        generation: Generation,
        *,
        gateway: Gateway,
        prompt: str,
        origin: Origin,
        notes: tuple[str, ...] = (),
        pace: Pace,
    ) -> None:
        self._generation = generation
        self._gateway = gateway
        self._prompt = prompt
        self._origin = origin
        self._notes = [*generation.notes, *notes]
        self._pace = pace
        self._reader = PicturesReader()
        self._items: dict[int, Item] = {}
        self._kept: dict[int, Picture] = {}
        self._saving: set[asyncio.Task[None]] = set()
        self._on_picture: OnPicture = _ignore
        self._head = Head(simulated=False, request_id="")
        self._attempts = 1
        self._resting_until = float("-inf")
        self._ended = False
        self._broken: BaseException | None = None

    async def run(self, on_picture: OnPicture | None = None) -> Pictures:
        """Send it once, and save what comes.

        Args:
            on_picture: called on this loop with each picture once it is on this disk.

        Raises:
            NotAllowedError, BudgetError: it was not sent.
            AnyFastError: ``partial`` holds the pictures that came, if any did.
            Exception: what `on_picture` raised, once all that came is kept.
        """
        if not callable(on_picture or _ignore):
            raise InputError("on_picture must be a function", field="on_picture", hint="Nothing was sent.")
        self._on_picture = on_picture or _ignore
        self._transport = transport = await self._gateway.connection.transport()
        self._source = Source.SIMULATED if transport.endpoint.simulated else Source.LIVE
        self._folder = self._opened_folder()
        self._described = await asyncio.to_thread(without_data, self._generation.body)  # many bytes to hash
        self._row = row = self._request_row()
        self._began = self._pace.clock()
        made, gate = self._generation, self._gateway.gate
        admission = await gate.enter(row, lambda: generation_bound(made.kind, made.body))
        self._notes += gate.noted(admission)
        try:
            await self._converse()
            self._require_end()
        except asyncio.CancelledError as stopped:
            self._settle(self._cut_status(), stopped, said="interrupted")
            await self._saved()  # what was paid for is kept; nobody may be waiting any more
            raise
        except AnyFastError as error:
            await self._saved()
            self._fail(error)
            raise
        except BaseException as error:
            self._settle(self._cut_status(), error, said=type(error).__name__)  # it may have been sent
            raise
        await self._saved()
        pictures = self._pictures()
        self._require_one(pictures)
        pictures.cost = self._settle(Status.OK)
        if self._broken is not None:  # the caller's own `on_picture`
            self._broken.add_note(f"The pictures are kept: {', '.join(map(str, pictures.paths))}")
            raise self._broken
        return pictures

    # --- sending and following ------------------------------------------------------------

    async def _converse(self) -> None:
        body = self._generation.body
        call = Call(
            "POST",
            self._generation.path,
            body=body,
            bills=True,
            max_line_bytes=_MOST_BYTES,
            max_reply_bytes=_MOST_BYTES,
        )
        if not call.streams:
            reply = await self._transport.json(call, on_retry=self._on_retry, on_head=self._on_head)
            self._on_body(reply)
            return
        try:
            await self._transport.stream(
                call,
                self._on_event,
                on_body=self._on_body,
                on_retry=self._on_retry,
                on_head=self._on_head,
            )
        except WireCut:
            if not self._reader.finished:
                raise  # else all has been said

    def _on_retry(self, event: Retrying) -> None:
        self._attempts = event.attempt
        self._resting_until = self._pace.clock() + event.delay_s

    def _on_head(self, head: Head) -> None:
        self._head = head
        if head.simulated:
            self._source = Source.SIMULATED

    def _on_event(self, event: ServerSentEvent) -> bool:
        data = event.data.strip()
        if not data:
            return False
        if data == "[DONE]":
            self._ended = True
            return True
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise lost(WireCut, "the stream holds a frame that is no JSON", bills=True)
        if PicturesReader.ends_in_error(found):
            raise self._transport.error_in(data, status=0, bills=True, request_id=self._head.request_id)
        self._take(found)
        self._ended = self._reader.finished
        return self._ended

    def _on_body(self, body: Mapping[str, Any]) -> None:
        self._take(body)
        self._ended = True

    def _take(self, event: Mapping[str, Any]) -> None:
        for item in self._reader.read(event):
            self._items[item.index] = item
            saving = asyncio.create_task(self._keep(item))
            self._saving.add(saving)
            saving.add_done_callback(self._was_saved)

    def _require_end(self) -> None:
        if not self._ended:
            raise lost(WireCut, "the stream of pictures broke off before its end", bills=True)
        if not self._items:
            raise lost(ProtocolError, "the server answered without a picture", bills=True)

    # --- saving ---------------------------------------------------------------------------

    async def _saved(self) -> None:
        if self._saving:
            await asyncio.wait(set(self._saving))
        if self._kept:
            await asyncio.to_thread(self._describe)

    def _was_saved(self, saving: asyncio.Task[None]) -> None:
        self._saving.discard(saving)
        if not saving.cancelled() and (error := saving.exception()) is not None:
            self._broken = self._broken or error

    async def _keep(self, item: Item) -> None:
        picture = await self._picture(item)
        self._kept[item.index] = picture
        if not picture.lost:
            self._items[item.index] = replace(item, b64="", url="")  # it is on disk: memory may go
        self._on_picture(picture)

    async def _picture(self, item: Item) -> Picture:
        size = None if item.width is None or item.height is None else (item.width, item.height)
        if item.failed:
            said = self._transport.redact(item.error_message)
            return Picture(item.index, error=said, error_code=self._transport.redact(item.error_code))
        stem = self._stem(item.index)
        try:
            if item.b64:
                path = await asyncio.to_thread(write_picture, item.b64, self._folder, stem)
            else:
                found = await download(
                    item.url,
                    to=self._folder.file(stem, ".jpeg"),
                    kind="image",
                    own_origin=self._transport.endpoint.base_url,
                    check=picture_type,
                    sleep=self._pace.sleep,
                    uniform=self._pace.uniform,
                )
                path = named_by_content(found)
        except (AnyFastError, OSError, ValueError) as error:
            said = self._transport.redact(str(getattr(error, "message", error)))
            return Picture(item.index, size=size, error=f"{_UNSAVED}: {said}", lost=True)
        return Picture(item.index, path=path, size=await asyncio.to_thread(picture_size, path) or size)

    async def _again(self) -> tuple[Picture, ...]:
        for index, picture in list(self._kept.items()):
            if picture.lost:
                await self._keep(self._items[index])
        await asyncio.to_thread(self._describe)
        return self._pictures().pictures

    def _stem(self, index: int | None) -> str:
        many = index is not None and (index or "sequential_image_generation" in self._generation.body)
        number = index + 1 if many and index is not None else None
        return stem_of("seedream", self._row.time, self._row.id, number=number)

    def _describe(self) -> None:
        reply, redact = self._reader.reply(), self._transport.redact
        facts = self._pictures().record() | {
            "mode": self._generation.mode,
            "base_url": self._row.base_url,
            "usage": {"images": reply.usage.images, "tokens": reply.usage.tokens().output_tokens},
            "response": kept_values(reply.raw, redact=redact),
        }
        try:
            write_sidecar(self._folder.file(self._stem(None), ".png"), kept_values(facts, redact=redact))
        except OSError as error:
            self._notes.append(f"no JSON file was written: {error.strerror or type(error).__name__}")

    def _opened_folder(self) -> MediaFolder:
        """Before anything is sent: a picture without a place would be paid for in vain."""
        from pathlib import Path

        settings = self._gateway.settings()
        folder = open_folder(settings.media_dir, home=settings.home, beside=Path.cwd())
        if folder.note:
            self._notes.append(folder.note)
        return folder

    # --- what came of it ------------------------------------------------------------------

    def _pictures(self) -> Pictures:
        reply = self._reader.reply()
        return Pictures(
            tuple(self._kept[index] for index in sorted(self._kept)),
            id=self._row.id,
            prompt=self._transport.redact(self._prompt),
            model=self._transport.redact(reply.model) or self._row.model,
            usage=reply.usage.tokens(),
            source=self._source,
            created_at=self._row.time,
            notes=tuple(self._notes),
            request=kept_request(self._described, redact=self._transport.redact),
            request_hash=self._row.request_hash or "",
            again=self._again if any(one.lost for one in self._kept.values()) else None,
        )

    def _require_one(self, pictures: Pictures) -> None:
        """Every picture failed: that is a failure of the request."""
        if pictures.made:
            return
        first = pictures[0]
        if first.lost:
            error: AnyFastError = ConfigError(
                f"no picture is on this disk: {first.error}",
                hint="They were made and are billed: error.partial.fetch() downloads them again.",
            )
            error.billed = Billed.YES
            error.sent = True
        else:
            problem = Problem(message=first.error, code=first.error_code)
            error = to_error(problem, status=200, bills=False)
            error.message = error.message.replace("200 ", "", 1)
            failures.refused(error, self._generation.arguments)
        error.partial = pictures
        self._settle(Status.ERROR, error)
        raise error

    def _fail(self, error: AnyFastError) -> None:
        """Write down what a failure means, and complete the error."""
        if isinstance(error, StatusError) and error.request_id:
            self._head = replace(self._head, request_id=error.request_id)
        if self._kept:
            error.partial = self._pictures()
            came = len(error.partial.made)
            error.hint = f"{came} of the pictures had come and are kept: error.partial. {error.hint}"
            self._settle(Status.TRUNCATED, error)
        elif error.billed is not Billed.NO:
            when = f"{self._row.time.astimezone():%Y-%m-%d %H:%M:%S}"
            failures.may_be_billed(
                error, id=self._row.id, request_hash=self._row.request_hash or "", when=when, adopts=False
            )
            self._settle(Status.SUBMIT_UNKNOWN, error)
        else:
            failures.refused(error, self._generation.arguments)
            self._settle(Status.ERROR, error)

    def _cut_status(self) -> Status:
        if self._rests():
            return Status.INTERRUPTED
        return Status.TRUNCATED if self._items else Status.SUBMIT_UNKNOWN

    def _rests(self) -> bool:
        """Was it refused, and not sent again yet?"""
        return self._pace.clock() < self._resting_until

    def _made(self) -> int | None:
        """How many pictures there are, by the server's count or ours; None: nobody knows of any."""
        told = self._reader.reply().usage.images
        if told is not None or not self._items:
            return told
        return sum(not item.failed for item in self._items.values())

    def _settle(self, status: Status, error: BaseException | None = None, *, said: str = "") -> Money | None:
        reply = self._reader.reply()
        how = GOOD if error is None else ending(error, rests=self._rests())
        if isinstance(error, AnyFastError):
            said = f"{how.error_class}: {error.message}"
        cost = self._gateway.ledger.settle(
            self._row.id,
            status=status,
            source=self._source,
            model=reply.model or None,
            usage=reply.usage.tokens(),
            duration_s=self._pace.clock() - self._began,
            error=self._transport.redact(said) or None,
            error_class=how.error_class,
            billed=how.billed,
            images=self._made(),
            request_id=self._head.request_id or None,
            attempts=self._attempts,
        )
        return None if cost is None else Money(cost.nano, cost.currency)

    def _request_row(self) -> RequestRow:
        body, redact = self._generation.body, self._transport.redact
        row = RequestRow(
            kind="seedream",
            source=self._source,
            base_url=self._transport.endpoint.base_url,
            model=str(body["model"]),
            title=title_of(self._prompt, redact=redact),
            request_hash=hash_of(self._described),
            time=self._pace.now(),
        )
        return self._origin.signed(row)


def _ignore(_: Picture) -> None:
    pass
