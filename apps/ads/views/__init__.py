"""The pages about ads."""
