"""Everything that writes to the tables of ads."""
