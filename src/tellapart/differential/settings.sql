-- settings: one row per person: the setting whose prior applies. Steered by default_settings.
-- Given by the user for all, or by the person's own document; otherwise general_population, unless something was asked.
select
  p.person, p.sex, p.age,
  coalesce(
    o.setting, g.setting,
    case when s.person is not null and ({{ asked }}) then 'rheumatology_referral' else 'general_population' end
  ) as setting
from persons as p
left join states as s on s.person = p.person
left join given_settings as g on g.person = p.person
left join (select setting from options) as o on o.setting is not null
