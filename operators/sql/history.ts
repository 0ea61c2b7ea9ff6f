/** What SQL of this folder's users reads is in this database; infra/clickhouse writes it. */
export const HISTORY_DATABASE = 'sluice';

/** Feature columns carry this prefix, so that no feature can be named like another column. */
export const FEATURE_PREFIX = 'f_';
