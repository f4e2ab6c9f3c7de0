-- suspected: one row per person in whose record somebody asked the question. Steered by default_settings.
select person from states where (p3 & 67108864) <> 0 or (a3 & 67108864) <> 0 or (p1 & 16) <> 0 or (a1 & 16) <> 0 or (p3 & 2) <> 0 or (a3 & 2) <> 0 or (p3 & 2199023255552) <> 0 or (a3 & 2199023255552) <> 0 or (p3 & 1) <> 0 or (a3 & 1) <> 0
