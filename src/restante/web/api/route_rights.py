"""The right that each route needs, by the name of its function.

A client without the right is told so before anything about its request, also if a field is missing
or wrong. The functions of `admin` decide again, and about the things of the request.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import Request

from restante.admin.permissions import AdminAction, permit
from restante.tenancy.principal import Principal

RIGHTS: Final[Mapping[str, AdminAction]] = {
    "add_account": AdminAction.ACCOUNT_ADD,
    "list_accounts": AdminAction.ACCOUNT_LIST,
    "show_account": AdminAction.ACCOUNT_SHOW,
    "change_account": AdminAction.ACCOUNT_CHANGE,
    "remove_account": AdminAction.ACCOUNT_REMOVE,
    "list_account_uses": AdminAction.ACCOUNT_SHOW,
    "add_login": AdminAction.LOGIN_ADD,
    "list_logins": AdminAction.LOGIN_LIST,
    "show_login": AdminAction.LOGIN_LIST,
    "change_login": AdminAction.LOGIN_CHANGE,
    "remove_login": AdminAction.LOGIN_REMOVE,
    "add_token": AdminAction.TOKEN_ADD,
    "list_tokens": AdminAction.TOKEN_LIST,
    "revoke_token": AdminAction.TOKEN_REVOKE,
    "list_makings": AdminAction.TOKEN_REVOKE,
    "invite_user": AdminAction.USER_INVITE,
    "list_users": AdminAction.USER_LIST,
    "show_user": AdminAction.USER_LIST,
    "change_user": AdminAction.USER_CHANGE,
    "remove_user": AdminAction.USER_REMOVE,
    "make_portal_link": AdminAction.PORTAL_LINK,
    "add_domain": AdminAction.DOMAIN_ADD,
    "list_domains": AdminAction.DOMAIN_LIST,
    "show_domain": AdminAction.DOMAIN_SHOW,
    "show_uptime": AdminAction.DOMAIN_SHOW,
    "show_held": AdminAction.DOMAIN_SHOW,
    "show_dns": AdminAction.DOMAIN_SHOW,
    "check_domain": AdminAction.DOMAIN_CHECK,
    "list_snippets": AdminAction.DOMAIN_SHOW,
    "change_domain": AdminAction.DOMAIN_SUSPEND,  # the least; most fields need more
    "remove_domain": AdminAction.DOMAIN_REMOVE,
    "list_changes": AdminAction.CHANGE_LIST,
    "cancel_change": AdminAction.CHANGE_CANCEL,
    "apply_change": AdminAction.CHANGE_APPLY,
    "list_recipients": AdminAction.RECIPIENTS_LIST,
    "change_recipients": AdminAction.RECIPIENTS_CHANGE,
    "replace_recipients": AdminAction.RECIPIENTS_CHANGE,
    "list_messages": AdminAction.QUEUE_LIST,
    "name_messages": AdminAction.QUEUE_LIST,
    "show_message": AdminAction.QUEUE_SHOW,
    "read_content": AdminAction.CONTENT_READ,
    "delete_messages": AdminAction.QUEUE_DELETE,
    "delete_left_messages": AdminAction.QUEUE_DELETE_LEFT,
    "bounce_messages": AdminAction.QUEUE_BOUNCE,
    "hold_messages_again": AdminAction.QUEUE_RELEASE,
    "export_messages": AdminAction.CONTENT_EXPORT,
    "import_messages": AdminAction.CONTENT_IMPORT,
    "digest_messages": AdminAction.CONTENT_IMPORT,
    "list_reports": AdminAction.REPORTS_LIST,
    "show_report": AdminAction.REPORTS_SHOW,
    "drop_reports": AdminAction.REPORTS_DROP,
    "add_channel": AdminAction.CHANNEL_ADD,
    "list_channels": AdminAction.CHANNEL_LIST,
    "show_channel": AdminAction.CHANNEL_LIST,
    "change_channel": AdminAction.CHANNEL_CHANGE,
    "remove_channel": AdminAction.CHANNEL_REMOVE,
    "try_channel": AdminAction.CHANNEL_TEST,
    "list_waiting_notices": AdminAction.NOTICES_LIST,
    "list_past_notices": AdminAction.NOTICES_LIST,
    "send_notice_again": AdminAction.CHANNEL_TEST,
    "export_person": AdminAction.PERSON_EXPORT,
    "erase_person": AdminAction.PERSON_ERASE,
    "drill_domain": AdminAction.DOMAIN_DRILL,
    "read_arrival": AdminAction.DOMAIN_DRILL,
    "verify_drill": AdminAction.DOMAIN_DRILL,
    "release_domains": AdminAction.RELEASE,
    "release_targets": AdminAction.RELEASE,
    "list_releases": AdminAction.RELEASE_LIST,
    "show_release": AdminAction.RELEASE_LIST,
    "list_drains": AdminAction.DRAIN_LIST,
    "list_last_drains": AdminAction.DRAIN_LIST,
    "stop_drain": AdminAction.DRAIN_STOP,
    "follow_events": AdminAction.EVENTS_FOLLOW,
    "show_status": AdminAction.SERVER_STATUS,
    "trace_sessions": AdminAction.SESSION_TRACE,
    "show_metrics": AdminAction.SERVER_METRICS,
    "trace_mail": AdminAction.TRACE,
    "list_history": AdminAction.TRACE,
    "show_mail": AdminAction.TRACE,
    "list_audit": AdminAction.AUDIT_LIST,
    "apply_configuration": AdminAction.CONFIGURATION_APPLY,
    "export_configuration": AdminAction.CONFIGURATION_EXPORT,
    "back_up_store": AdminAction.STORE_BACKUP,
    "list_nodes": AdminAction.NODE_LIST,
    "retire_node": AdminAction.NODE_RETIRE,
    "remove_node": AdminAction.NODE_REMOVE,
}


def require_right(request: Request, principal: Principal) -> None:
    """Raise AdminError unless the principal has the right that the route of a request needs."""
    action = RIGHTS.get(getattr(request.scope.get("endpoint"), "__name__", ""))
    if action is not None:
        permit(principal, action)
