"""Which files were uploaded as assets: a file is uploaded once for each key."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from anyfast_nb.ledger.disk.durable import Durable
from anyfast_nb.ledger.guard import plain_url, scrub
from anyfast_nb.ledger.rows import Kept, Record, kept_text, microseconds, moment_of

_TEXT_CHARS = 300


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAsset:
    """An asset that was made from a local file.

    Attributes:
        asset_id: the server's id, without ``asset://``.
        group_id: the group it is in.
        sha256: of the file, 64 hex digits.
        asset_type: Image, Video or Audio.
        base_url: the gateway that holds it.
        key_mark: fingerprint of the key that sees it.
        name: what it is called there.
        created_at: when; aware.
        user: who uploaded it; in a class's ledger the database says it.
    """

    asset_id: str
    group_id: str
    sha256: str
    asset_type: str
    base_url: str
    key_mark: str
    name: str = ""
    created_at: datetime = field(default_factory=_now)
    user: str | None = field(default=None, compare=False)

    def record(self) -> Record:
        """The asset as it is kept."""
        return {
            "asset_id": scrub(self.asset_id, limit=_TEXT_CHARS),
            "group_id": scrub(self.group_id, limit=_TEXT_CHARS),
            "sha256": self.sha256,
            "asset_type": self.asset_type,
            "base_url": plain_url(self.base_url),
            "key_mark": self.key_mark,
            "name": scrub(self.name, limit=_TEXT_CHARS),
            "created_us": microseconds(self.created_at),
            "user_name": kept_text(self.user),
        }


class AssetTable(Durable):
    """The assets of a ledger."""

    def asset(self, *, base_url: str, key_mark: str, sha256: str, asset_type: str) -> StoredAsset | None:
        """The newest asset made from a file, None if there is none (any more).

        Args:
            base_url: the gateway.
            key_mark: fingerprint of the key.
            sha256: of the file.
            asset_type: Image, Video or Audio.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        from sqlalchemy import select

        from anyfast_nb.ledger.disk.tables import ASSETS, FORGOTTEN_ASSETS

        known = ASSETS.c
        newest = (
            select(ASSETS)
            .where(
                known.sha256 == sha256,
                known.base_url == plain_url(base_url),
                known.key_mark == key_mark,
                known.asset_type == asset_type,
                known.asset_id.not_in(select(FORGOTTEN_ASSETS.c.asset_id)),
            )
            .order_by(known.created_us.desc(), known.asset_id.desc())
            .limit(1)
        )
        with self.reading() as connection:
            row = connection.execute(newest).mappings().first()
        if row is None:
            return None
        found = dict(row)
        return StoredAsset(
            created_at=moment_of(found.pop("created_us")), user=found.pop("user_name"), **found
        )

    def keep_asset(self, asset: StoredAsset) -> None:
        """Remember an asset; a second time changes nothing."""
        self._write(Kept("assets", asset.record()))

    def forget_asset(self, asset_id: str) -> None:
        """Never give this asset again: it was deleted, or failed."""
        record: Record = {
            "asset_id": scrub(asset_id, limit=_TEXT_CHARS),
            "time_us": microseconds(_now()),
            "user_name": None,
        }
        self._write(Kept("forgotten_assets", record))
