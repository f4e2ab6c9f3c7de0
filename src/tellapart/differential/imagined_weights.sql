-- imagined_weights: one row per imagined result and finding that would count then: the number of its weight.
-- What counts beside the words (see interest_weights) counts here too.
{% from 'differential/used.sql.j2' import used_weights with context %}
{{ used_weights("imagined") }}
union all
select i.person, k.number
from imagined as i
inner join interest_weights as k on k.person = i.about
inner join weight_rows as r on r.number = k.number and r.finding = 'drug_induced_lupus_suspected'
