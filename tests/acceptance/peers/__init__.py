"""The real peers: stock programs that play the senders, the askers and the primaries.

`ci/install-peers` installs them. A program that is missing skips the test that needs it and says so; with
RESTANTE_REQUIRE_PEERS=1, as in CI, it fails the test. Nothing here imports Restante: what the peers did is
checked against the bytes, not against our own reading of them.
"""
