"""The use of the server by accounts as CSV, for bills."""

import csv
import io
from collections.abc import AsyncGenerator, Iterable
from typing import Final

from restante.admin.account_use import AccountUseView, UseSelection, account_uses
from restante.admin.admin_context import AdminContext
from restante.admin.permissions import AdminAction, permit
from restante.mail.csv_cells import marked

MEDIA_TYPE: Final = "text/csv"
HEADERS: Final = {"Content-Disposition": 'attachment; filename="usage.csv"'}
SLICE: Final = 100  # rows that are made at once


async def use_table(context: AdminContext, wanted: UseSelection) -> AsyncGenerator[str, None]:
    """Yield the lines of all uses, the names of the columns first, in slices. Raises AdminError."""
    permit(context.principal, AdminAction.ACCOUNT_SHOW)
    columns, after = list(AccountUseView.model_fields), ""
    is_first = True
    while True:
        views = await account_uses(context, wanted, after, SLICE)
        yield _lines(columns, views, with_names=is_first)
        if len(views) < SLICE:
            return
        after, is_first = views[-1].key, False


def _lines(columns: list[str], views: Iterable[AccountUseView], *, with_names: bool) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if with_names:
        writer.writeheader()
    for view in views:
        row = view.model_dump(mode="json")
        writer.writerow({key: marked(value) for key, value in row.items()})
    return text.getvalue()
