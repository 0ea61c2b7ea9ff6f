import { pino, type Logger } from 'pino';

/** Structured lines on standard error; SLUICE_LOG sets the level. Without personal data: no bodies, no ids of payers. */
export function createLogger(level = 'info'): Logger {
  return pino({ level: process.env['SLUICE_LOG'] ?? level, base: null }, pino.destination({ fd: 2, sync: true }));
}
