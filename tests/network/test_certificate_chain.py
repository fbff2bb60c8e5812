"""Chains of certificates."""

import time

from restante.network.certificate_chain import chain_fault
from tests.network.made_chain import HOST, made, own_certificate, read_certificate

NOW = time.time()


def test_a_chain_needs_an_authority_a_name_and_a_date() -> None:
    chain = [read_certificate(made().leaf)]
    anchors = [read_certificate(made().authority)]
    assert chain_fault(anchors, chain, HOST, NOW) == ""
    assert chain_fault(anchors, chain, "mx.b.example", NOW)
    assert chain_fault(anchors, chain, HOST, 0.0)
    assert chain_fault([read_certificate(made().other)], chain, HOST, NOW)
    assert chain_fault([], chain, HOST, NOW)


def test_a_certificate_that_is_signed_by_itself_leads_to_no_authority() -> None:
    anchors = [read_certificate(made().authority)]
    assert chain_fault(anchors, [read_certificate(own_certificate())], HOST, NOW)
