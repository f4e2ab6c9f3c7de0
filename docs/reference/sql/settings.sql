-- settings: one row per person: the setting whose prior applies.
-- Given by the user for all, or by the person's own document; otherwise the default of design section 4 where somebody
-- asked the question, and the general population elsewhere.
select
  p.person, p.sex, p.age,
  coalesce(
    o.setting, g.setting, case when s.person is not null then 'rheumatology_referral' else 'general_population' end
  ) as setting
from persons as p
left join suspected as s on s.person = p.person
left join given_settings as g on g.person = p.person
left join (select setting from options) as o on o.setting is not null
