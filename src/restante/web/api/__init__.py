"""The API: HTTP routes that check shapes and call `admin/`; no rule lives here."""
