"""The diary: one SQLite file of the user's, and what can be read into it."""
