-- interest_weights: one row per person of interest and finding that counts: the number of its weight.
-- Findings whose every report has a likelier cause are unknown here (basis evidence). That a drug is suspected of having
-- induced lupus is a verdict over dates (criteria/drug_induced.sql) and not in the words: it counts beside them.
{% from 'differential/used.sql.j2' import used_weights with context %}
{{ used_weights("(select * from masks where basis = 'evidence') as seen") }}
union all
select d.person, r.number
from (select distinct person from drug_induced where verdict = 'suspected') as d
inner join weight_rows as r on r.finding = 'drug_induced_lupus_suspected' and r.state = 'present'
