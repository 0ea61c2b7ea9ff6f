import { currentLanguage } from './texts.js';

const formats = new Map();

/** An Intl format of the current language, made once. */
function format(kind, options) {
  const key = `${currentLanguage()} ${kind.name} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (found === undefined) {
    found = new kind(currentLanguage() === 'zh' ? 'zh-CN' : 'en-GB', options);
    formats.set(key, found);
  }
  return found;
}

export function formatCount(value) {
  return format(Intl.NumberFormat, { maximumFractionDigits: 0 }).format(value);
}

export function formatRate(value) {
  return format(Intl.NumberFormat, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
}

export function formatShare(value) {
  return format(Intl.NumberFormat, {
    style: 'percent',
    maximumFractionDigits: value > 0 && value < 0.1 ? 1 : 0,
  }).format(value);
}

export function formatNumber(value) {
  return format(Intl.NumberFormat, { maximumSignificantDigits: 4 }).format(value);
}

export function formatMilliseconds(value) {
  if (value === null) return '–';
  if (value >= 1000) return `${format(Intl.NumberFormat, { maximumFractionDigits: 1 }).format(value / 1000)} s`;
  return `${format(Intl.NumberFormat, { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 }).format(value)} ms`;
}

export function formatTime(timeMs) {
  return format(Intl.DateTimeFormat, { hour: '2-digit', minute: '2-digit', second: '2-digit' }).format(timeMs);
}

export function formatDateTime(timeMs) {
  return format(Intl.DateTimeFormat, { dateStyle: 'medium', timeStyle: 'medium' }).format(timeMs);
}

/** Minor units to a currency's own: the number of digits is ISO 4217's, as the browser knows it. */
export function formatAmount(amountMinor, currency) {
  try {
    const digits = format(Intl.NumberFormat, { style: 'currency', currency }).resolvedOptions().maximumFractionDigits;
    const plain = format(Intl.NumberFormat, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return `${plain.format(amountMinor / 10 ** digits)} ${currency}`;
  } catch {
    return `${formatCount(amountMinor)} ${currency}`;
  }
}

export function formatDuration(durationMs) {
  const minutes = Math.floor(durationMs / 60_000);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  const chinese = currentLanguage() === 'zh';
  if (minutes < 1) return chinese ? `${Math.floor(durationMs / 1000)} 秒` : `${Math.floor(durationMs / 1000)} s`;
  if (hours === 0 && days === 0) return chinese ? `${minutes} 分钟` : `${minutes} min`;
  if (days === 0) return chinese ? `${hours} 小时 ${minutes % 60} 分` : `${hours} h ${minutes % 60} min`;
  return chinese ? `${days} 天 ${hours} 小时` : `${days} d ${hours} h`;
}
