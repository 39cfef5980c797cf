/**
 * What an expression may call: functions of DuckDB whose value depends on their arguments alone. DuckDB's own mark of a function as
 * consistent does not suffice; it has it on current_setting too.
 */

const operators = ['+', '-', '*', '/', '//', '%', '**', '^', '@', '!__postfix', '&', '|', '~', '<<', '>>', '||', '~~', '!~~', '~~*', '!~~*', '~~~', '^@'];

const maths = [
  'abs', 'acos', 'acosh', 'add', 'asin', 'asinh', 'atan', 'atan2', 'atanh', 'bit_count', 'cbrt', 'ceil', 'ceiling', 'cos', 'cosh', 'cot', 'degrees', 'divide', 'even', 'exp',
  'factorial', 'fdiv', 'floor', 'fmod', 'gamma', 'gcd', 'greatest', 'greatest_common_divisor', 'isfinite', 'isinf', 'isnan', 'lcm', 'least', 'least_common_multiple', 'lgamma',
  'ln', 'log', 'log10', 'log2', 'mod', 'multiply', 'nextafter', 'nullif', 'pi', 'pow', 'power', 'radians', 'round', 'round_even', 'roundbankers', 'sign', 'signbit', 'sin', 'sinh', 'sqrt',
  'subtract', 'tan', 'tanh', 'trunc', 'xor',
];

const texts = [
  'ascii', 'bit_length', 'char_length', 'character_length', 'chr', 'concat', 'concat_ws', 'contains', 'damerau_levenshtein', 'editdist3', 'ends_with', 'hamming', 'hash', 'ilike_escape',
  'instr', 'jaccard', 'jaro_similarity', 'jaro_winkler_similarity', 'lcase', 'left', 'left_grapheme', 'len', 'length', 'length_grapheme', 'levenshtein', 'like_escape', 'lower', 'lpad',
  'ltrim', 'md5', 'mismatches', 'nfc_normalize', 'not_ilike_escape', 'not_like_escape', 'ord', 'position', 'prefix', 'regexp_escape', 'regexp_extract', 'regexp_full_match',
  'regexp_matches', 'regexp_replace', 'repeat', 'replace', 'reverse', 'right', 'right_grapheme', 'rpad', 'rtrim', 'sha1', 'sha256', 'split_part', 'starts_with', 'strip_accents',
  'strlen', 'strpos', 'substr', 'substring', 'substring_grapheme', 'suffix', 'translate', 'trim', 'ucase', 'unicode', 'upper',
];

const times = [
  'century', 'date_add', 'date_diff', 'date_part', 'date_sub', 'date_trunc', 'datediff', 'datepart', 'datesub', 'datetrunc', 'day', 'dayname', 'dayofmonth', 'dayofweek', 'dayofyear',
  'days_in_month', 'decade', 'epoch', 'epoch_ms', 'epoch_ns', 'epoch_us', 'era', 'hour', 'isodow', 'isoyear', 'julian', 'last_day', 'make_date', 'make_time', 'make_timestamp',
  'make_timestamp_ms', 'microsecond', 'millennium', 'millisecond', 'minute', 'month', 'monthname', 'nanosecond', 'quarter', 'second', 'strftime', 'strptime', 'time_bucket', 'to_days',
  'to_hours', 'to_microseconds', 'to_milliseconds', 'to_minutes', 'to_months', 'to_quarters', 'to_seconds', 'to_weeks', 'to_years', 'try_strptime', 'week', 'weekday', 'weekofyear',
  'year', 'yearweek',
];

export const pureFunctions: ReadonlySet<string> = new Set([...operators, ...maths, ...texts, ...times]);

/** Types to cast to. Times with a zone are not among them: how they are read depends on a setting. */
export const pureTypes: ReadonlySet<string> = new Set([
  'BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL',
  'VARCHAR', 'DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS', 'INTERVAL',
]);
