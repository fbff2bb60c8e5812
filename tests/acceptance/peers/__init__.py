"""The real peers: stock programs as senders, as clients that send ETRN, and as primaries.

`ci/install-peers` installs them. A test whose program is missing is skipped with the reason. With
RESTANTE_REQUIRE_PEERS=1, as in CI, it fails. Nothing here imports Restante: the results are checked
against the octets, not against our own reading of them.
"""
