"""The pure heart of the sandbox: how ads react to money, time and wear. No database, no clock of its own."""
