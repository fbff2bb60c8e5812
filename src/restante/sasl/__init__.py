"""SASL mechanisms, server side (RFC 4422): responses in, challenges and at last credentials out.

Pure.
"""
