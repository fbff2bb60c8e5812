"""The history of mail, within what a principal may see."""

from restante.admin.mail_history import HistorySelection, export_history, list_history
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld, run
from tests.contract.making import delivered, opened


async def seen_by(admin: AdminWorld, account: str) -> tuple[list[str], list[str]]:
    """Return the paths that an account gets, by page and as a whole."""
    context = admin.context.acting(account_login("ada", account, "192.0.2.1"))
    page = await list_history(context, HistorySelection())
    whole = [
        view.forward_path
        async for views in export_history(context, HistorySelection())
        for view in views
    ]
    return [view.forward_path for view in page.views], whole


def test_an_account_gets_the_history_of_its_own_mail() -> None:
    async def story(admin: AdminWorld) -> None:
        for number, account in ((1, "alpha"), (2, "beta")):
            domain_id = await admin.host(f"{account}.example", account)
            await admin.hold(number, domain_id, f"x@{account}.example")
            drain = await opened(admin.store, domain_id, 0.0, 10.0)
            await admin.store.handover.settle(drain, [delivered(number, f"x@{account}.example")])
        for account in ("alpha", "beta"):
            own = [f"x@{account}.example"]
            assert await seen_by(admin, account) == (own, own)

    run(story(AdminWorld()))
