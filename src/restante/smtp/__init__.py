"""SMTP as two sessions without sockets: bytes in, events out, replies in, bytes out (RFC 5321).

Pure.
"""
