{#- Outside text as lower-case words with one blank between, before and after them, so that `contains_words` finds whole words and phrases.
    Marks belong to words: without them Devanagari falls apart. Composed first, because one letter has several spellings in Unicode. -#}
{% macro words_of(text) -%}{{ return(adapter.dispatch('words_of')(text)) }}{%- endmacro %}
{% macro default__words_of(text) -%}
concat(' ', trim(regexp_replace(lower(nfc_normalize({{ text }})), '[^\p{L}\p{M}\p{N}]+', ' ', 'g')), ' ')
{%- endmacro %}
{% macro bigquery__words_of(text) -%}
concat(' ', trim(regexp_replace(lower(normalize({{ text }}, nfc)), r'[^\p{L}\p{M}\p{N}]+', ' ')), ' ')
{%- endmacro %}

{#- Both sides are results of words_of. A phrase without any word is found nowhere. -#}
{% macro contains_words(words, phrase) -%}({{ phrase }} <> '  ' and strpos({{ words }}, {{ phrase }}) > 0){%- endmacro %}
