"""The example of RFC 7677 §3."""

import base64
from typing import Final

from restante.sasl.scram_keys import Salting

PASSWORD: Final = "pencil"
CLIENT_NONCE: Final = "rOprNGfwEbeRWgbNEkqO"
SERVER_NONCE: Final = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALTING: Final = Salting(base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
CLIENT_FIRST: Final = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST: Final = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
CLIENT_FINAL: Final = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL: Final = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

PROOF: Final = base64.b64decode(CLIENT_FINAL.partition(b",p=")[2])
SIGNATURE: Final = base64.b64decode(SERVER_FINAL.removeprefix(b"v="))
