"""Whether a reverse-path is somebody's who sent this. Pure.

What is taken here may be refused by the primary days later, and a report would then go to the reverse-path: to a stranger,
where that was forged. So it is asked while the sender is still there. Mail is taken all the same: suspicion costs it its
reports, and nothing else.

One sign counts so far: mail from outside that claims to come from the very domain that it is for. That domain's own
server has no cause to send it here; forgers have. Who has logged in is believed.
"""

from restante.mail.address import Mailbox, canonical_domain
from restante.tenancy.model import HostedDomain


def is_suspect(reverse_path: Mailbox | None, recipients: HostedDomain, *, is_authenticated: bool) -> bool:
    """Tell whether something speaks against a reverse-path, given the domain of a recipient."""
    if reverse_path is None or is_authenticated:
        return False
    try:
        return canonical_domain(reverse_path.domain) == recipients.name
    except ValueError:
        return True  # no report could find its way there
