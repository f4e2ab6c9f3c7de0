-- suspected: one row per person in whose record somebody asked the question. Steered by default_settings.
select person from states where {{ asked }}
