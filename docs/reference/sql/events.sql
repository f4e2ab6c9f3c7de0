-- events: one row per clinical statement and known code of it (reported), known by the as-of day. Undated statements are left
-- out when the as-of day is before the document's own. Steered by horizons.
select r.*
from reported as r
inner join horizons as h on h.person = r.person
where coalesce(r.known_date <= h.as_of, coalesce(h.as_of >= h.document_as_of, true))
