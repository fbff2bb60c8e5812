"""Certificates from an authority by ACME (RFC 8555), proved by HTTP-01."""
