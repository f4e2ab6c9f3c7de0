-- texts: one row per wording of a result, a flag or a reference range that is not a plain number (new_texts), as read.
-- shape: titre ('1:80', '1/80', '1 in 320'), ordinal ('2+', 'trace'), number ('<0.5 g/L', '0-2', '3,2'), word
-- ('Positive'), ambiguous ('1,234': thousands or decimals?) or text (not understood). Steered by result_words.
-- A comma is a decimal comma unless exactly three digits follow it and something other than a lone zero stands before
-- it; several separators are read when only one reading is possible. Two titres joined by a dash are a range, otherwise
-- the higher counts. A wording counts as positive or negative only if all its known words agree and none negates.
with tidy as (
  select
    text,
    trim(regexp_replace(
      replace(replace(replace(replace(replace(text, '≥', '>='), '≤', '<='), '–', '-'), '—', '-'), '−', '-'),
      '\s+', ' ', 'g'
    )) as t
  from new_texts
),
signed as (
  -- words for comparators become signs
  select
    text,
    regexp_replace(
      regexp_replace(
        regexp_replace(
          regexp_replace(t, '\b(?:less than|below|under|lower than) ?(?:or equal to ?)?([0-9.])', '<\1', 'gi'),
          '\b(?:greater than|more than|above|over|higher than) ?([0-9.])', '>\1', 'gi'
        ),
        '\bat least ?([0-9.])', '>=\1', 'gi'
      ),
      '\b(1 ?[:/] ?[0-9,]+) ?(?:or (?:greater|higher|more|above)|and above|[+])', '>=\1', 'gi'
    ) as t
  from tidy
),
cut as (
  select
    text, t, lower(t) as l,
    replace(lower(t), '-', ' - ') as spaced,
    -- a number: sign, digits, and what follows it (a unit, a flag)
    regexp_extract(
      t,
      '^([<>]=?)? ?(-?(?:[0-9]+(?:[.,][0-9]+)*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?)'
      || '(?: ?((?:[A-Za-z%\[({°µμ]|/[A-Za-z\[({]|10[*^]|[*]$).*))?$',
      ['sign', 'digits', 'rest']
    ) as plain,
    -- from one number to another
    regexp_extract(
      t,
      '^((?:[0-9]+(?:[.,][0-9]+)*|[.][0-9]+)) ?(?:-|to|\.\.) ?((?:[0-9]+(?:[.,][0-9]+)*|[.][0-9]+))'
      || '(?: ?((?:[A-Za-z%\[({°µμ]|/[A-Za-z\[({]|10[*^]|[*]$).*))?$',
      ['digits', 'digits_to', 'rest']
    ) as span,
    -- a word, then a number
    regexp_extract(
      t,
      '^([A-Za-z][A-Za-z -]*?)[ :,;(]+([<>]=?)? ?((?:[0-9]+(?:[.,][0-9]+)*|[.][0-9]+))'
      || '(?: ?((?:[A-Za-z%\[{°µμ]|/[A-Za-z\[({]|10[*^])[^)]*))?\)?$',
      ['word', 'sign', 'digits', 'rest']
    ) as worded
  from signed
),
titres as (
  select
    text, t, l, plain, span, worded,
    regexp_extract(
      spaced,
      '(?:^|[^0-9.,:/])1 ?(?:[:/]|in) ?([0-9][0-9,]*) ?(?: - |to) ?(?:1 ?(?:[:/]|in) ?)?([0-9][0-9,]*)(?:[^0-9/:.]|$)',
      ['first', 'last']
    ) as titre_span,
    list_max(list_transform(
      regexp_extract_all(spaced, '(?:^|[^0-9.,:/])1 ?(?:[:/]|in) ?([0-9][0-9,]*[/:]?)', 1),
      lambda x: nullif(try_cast(replace(x, ',', '') as double), 0)  -- '12/' of a day is no number, 1:0 no titre
    )) as titre,
    regexp_extract(l, '([<>]=?) ?1 ?(?:[:/]|in) ?[0-9]', 1) as titre_sign,
    nullif(trim(
      regexp_replace(regexp_replace(l, '[<>]?=? ?\b1 ?(?:[:/]|in) ?[0-9][0-9,]*', ' ', 'g'), '[^a-z+ -]+', ' ', 'g')
    ), '') as around,
    regexp_extract(l, '^\(?([0-4]) ?(?:[+]|plus)', 1) as plus_before,
    regexp_extract(l, '(?:^|[a-z] ?\(?)[+] ?([1-4])\)?$', 1) as plus_after,
    regexp_extract(l, '[a-z] \(?([0-4]) ?[+]\)?$', 1) as plus_last,
    regexp_extract(l, '^([+]{1,4})(?:$|[ )])', 1) as plusses,
    starts_with(l, 'trace') as trace
  from cut
),
numbers as (
  select
    *,
    case
      when titre is not null then 'titre'
      when regexp_matches(l, '^[0-9]+$') and l in (select word from result_words) then null
      when trace or plus_before <> '' or plus_after <> '' or plus_last <> '' or plusses <> '' then 'ordinal'
      when span.digits <> '' then 'span'
      when plain.digits <> '' then 'plain'
      when worded.digits <> '' then 'worded'
    end as form
  from titres
),
digits as (
  select
    *,
    case form when 'plain' then plain.digits when 'span' then span.digits when 'worded' then worded.digits end as d,
    case when form = 'span' then span.digits_to end as d_to,
    nullif(trim(
      case form when 'plain' then plain.rest when 'span' then span.rest when 'worded' then worded.rest end
    ), '') as rest
  from numbers
),
separated as (
  select
    *,
    case
      when strpos(d, ',') = 0 and not regexp_matches(d, '[.].*[.]') then d
      when regexp_full_match(d, '-?[0-9]{1,3}(,[0-9]{3})+[.][0-9]+') then replace(d, ',', '')
      when regexp_full_match(d, '-?[0-9]{1,3}([.][0-9]{3})+,[0-9]+') then replace(replace(d, '.', ''), ',', '.')
      when regexp_full_match(d, '-?[0-9]{1,3}(,[0-9]{3}){2,}') then replace(d, ',', '')
      when regexp_full_match(d, '-?[0-9]{1,3}([.][0-9]{3}){2,}') then replace(d, '.', '')
      when regexp_full_match(d, '-?[1-9][0-9]{0,2},[0-9]{3}') then null
      when regexp_full_match(d, '-?[0-9]+,[0-9]+') then replace(d, ',', '.')
    end as n,
    case
      when d_to is null or strpos(d_to, ',') = 0 then d_to
      when regexp_full_match(d_to, '[0-9]+,[0-9]+') and not regexp_full_match(d_to, '[1-9][0-9]{0,2},[0-9]{3}')
        then replace(d_to, ',', '.')
    end as n_to
  from digits
),
phrases as (
  -- whole wordings, and the single words of a sentence in which nothing negates
  select
    text,
    unnest(list_concat(
      [
        {phrase: l, whole: true},
        -- the plus of a grade is no word of its own: 0+ is not positive
        {phrase: case when form in ('titre', 'ordinal') and not regexp_full_match(around, '[+]+') then around end, whole: true},
        {phrase: case when form = 'worded' then trim(lower(worded.word)) end, whole: true},
        {phrase: lower(trim(rest, ' ()[]*')), whole: true}
      ],
      case
        when (form is null or form in ('titre', 'ordinal')) and not regexp_matches(
          l, '\b(?:not|no|non|without|never|neither|nor|if|or|versus|vs|previous|previously)\b'
        )
          then list_transform(
            string_split_regex(coalesce(around, l), '[^a-z]+'), lambda x: {phrase: x, whole: false}
          )
      end
    )) as said
  from separated
),
spoken as (
  select
    p.text,
    min(w.interpretation) filter (where p.said.whole) as whole_word,
    min(w.interpretation) filter (where not p.said.whole) as lowest_word,
    max(w.interpretation) filter (where not p.said.whole) as highest_word
  from phrases as p
  inner join result_words as w on w.word = p.said.phrase
  -- inside a sentence only words that can mean nothing else count ('seen', 'high' or 'no' may)
  where p.said.whole or w.interpretation = 'IND'
    or regexp_matches(w.word, '^(?:sero)?(?:pos|neg)|^(?:non)?reactive$|^(?:un)?detected$')
  group by p.text
),
judged as (
  select
    x.*,
    coalesce(s.whole_word, case when s.lowest_word = s.highest_word then s.lowest_word end) as word,
    -- what follows a number is a flag, a word, or a unit of at most two tokens
    case
      when lower(x.rest) in ('l', 'h', 'll', 'hh', '(l)', '(h)', '*', '(a)', 'n', '(n)') then 'flag'
      when s.whole_word is not null then 'word'
      when x.rest is null then 'none'
      when regexp_full_match(x.rest, '[\(\[]?[^\s]+(?: [^\s]+)?[\)\]]?') then 'unit'
      else 'other'
    end as rest_kind
  from separated as x
  left join spoken as s on s.text = x.text
),
read_as as (
  select
    text,
    case
      when form = 'titre' and titre_span.last <> '' then
        least(
          try_cast(replace(titre_span.first, ',', '') as double), try_cast(replace(titre_span.last, ',', '') as double)
        )
      when form = 'titre' then titre
      when form = 'ordinal' then
        case
          when trace then 0
          when plusses <> '' then length(plusses)
          else cast(coalesce(nullif(plus_before, ''), nullif(plus_after, ''), plus_last) as double)
        end
      when form = 'worded' and word is null then null
      when rest_kind <> 'other' then try_cast(n as double)
    end as number,
    case
      when form = 'titre' and titre_span.last <> '' then
        greatest(
          try_cast(replace(titre_span.first, ',', '') as double), try_cast(replace(titre_span.last, ',', '') as double)
        )
      when form = 'ordinal' and trace then 1
      when form = 'span' and rest_kind <> 'other' then try_cast(n_to as double)
    end as number_to,
    nullif(case form when 'titre' then titre_sign when 'plain' then plain.sign when 'worded' then worded.sign end, '')
      as comparator,
    case when rest_kind = 'unit' then trim(rest, '()') end as unit_text,
    case
      when form = 'titre' then 'titre'
      when form = 'ordinal' then 'ordinal'
      when form in ('plain', 'span', 'worded') and n is null and word is null then 'ambiguous'
      when form = 'span' and n_to is null then 'ambiguous'
      when form = 'span' and try_cast(n_to as double) < try_cast(n as double) then 'text'
      when form = 'worded' and word is null then 'text'
      when form is not null and rest_kind = 'other' then 'text'
      when form is not null and try_cast(n as double) is not null then 'number'
      when word is not null then 'word'
      else 'text'
    end as shape,
    case
      when rest_kind = 'flag' and lower(rest) in ('l', 'll', '(l)') then 'L'
      when rest_kind = 'flag' and lower(rest) in ('h', 'hh', '(h)') then 'H'
      when form in ('plain', 'span') and rest_kind in ('unit', 'none', 'other') then null
      else word
    end as interpretation
  from judged
)
select
  text, number, number_to, comparator, unit_text, shape, interpretation,
  -- read as a reference range
  case when number_to is not null or comparator in ('>', '>=') then number end as low,
  case when number_to is not null then number_to when comparator in ('<', '<=') then number end as high
from read_as
