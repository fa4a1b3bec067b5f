"""Documents for people (report pages, digests): files below `<data_dir>/reports/`, published atomically."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from marketing_agents.warehouse.embedded.layout import Layout
from marketing_agents.warehouse.embedded.publishing import publish_file
from marketing_agents.warehouse.store import WarehouseError

_NAME_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def save_document(layout: Layout, name: str, content: bytes, *, is_durable: bool) -> Path:
    """Publish `content` as `<data_dir>/reports/<name>`.

    Raises:
        WarehouseError: a name that is absolute, climbs out of the folder or has odd characters; a failed write.
    """
    parts = PurePosixPath(name).parts
    if not parts or len(parts) > 8 or not all(_NAME_PART.fullmatch(part) for part in parts):
        raise WarehouseError(
            f"document name {name[:120]!r} is not a relative path of letters, digits, '.', '_' and '-'; nothing was written"
        )
    path = layout.reports_dir.joinpath(*parts)
    publish_file(path, content, what=f"document {name}", is_durable=is_durable)
    return path
