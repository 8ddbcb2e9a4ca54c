"""Pages in a real browser."""

NO_CHROMIUM = "There is no Chromium on this machine: install Debian's package chromium, or set CHROMIUM to its path."
