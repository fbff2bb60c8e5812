"""The portal in a real browser: Debian's Chromium, driven by Playwright."""
